import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JournalOptions } from '../../src/client/journal.ts';
import { Journal } from '../../src/client/journal.ts';
import type { Segment } from '../../src/client/segment.ts';
import { thisProcess } from '../../src/client/segment-owner.ts';
import { Refusal } from '../../src/refusal.ts';

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function open(folder: string, change: Partial<JournalOptions> = {}): Journal {
  const onFault = (error: unknown) => {
    throw error;
  };
  return new Journal({
    folder,
    mostBytes: 1_000_000,
    segmentBytes: 1_000,
    syncMs: 1_000,
    onFault,
    ...change,
  });
}

const line = (n: number) => JSON.stringify({ event_id: `evt-${n}` });

/** Every line that a client on this folder would send. */
async function readAll(journal: Journal): Promise<readonly string[]> {
  const lines: string[] = [];
  for (;;) {
    const segment = journal.takeSpilled();
    if (segment === null) return lines;
    lines.push(...(await journal.read(segment)));
  }
}

describe('the journal', () => {
  it('gives back after a close what was not confirmed, held or spilled', async () => {
    const folder = freshFolder();
    const first = open(folder);
    first.append(line(1), 'held');
    first.append(line(2), 'spilled');
    first.close();

    expect(await readAll(open(folder))).toEqual([line(1), line(2)]);
  });

  it('is readable to nobody else, in whichever folder it lies', () => {
    const folder = freshFolder();
    chmodSync(folder, 0o755);
    const journal = open(folder);
    journal.append(line(1), 'held');
    journal.setAside([line(2)]);
    const files = readdirSync(folder);
    expect(files).toHaveLength(2);
    for (const name of files) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    const own = join(folder, 'made', 'by', 'us');
    open(own);
    expect(statSync(own).mode & 0o777).toBe(0o700);
  });

  it('drops from a file what is confirmed as soon as nothing of it waits', () => {
    const folder = freshFolder();
    const journal = open(folder);
    const segments = [1, 2, 3].map((n) => journal.append(line(n), 'held'));
    for (const segment of segments.slice(1)) journal.confirm(segment);
    expect(journal.bytes).toBe(3 * 20 /* {"event_id":"evt-1"} and its line break */ + 3);
    journal.confirm(segments[0] as Segment);
    expect(journal.bytes).toBe(0);
    journal.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('begins another file when one is full, and removes each when all of it is confirmed', () => {
    const folder = freshFolder();
    // 21 bytes a line for ids of one digit, 22 for two: 100 bytes are five lines
    const journal = open(folder, { segmentBytes: 100 });
    const segments = Array.from({ length: 9 }, (_, n) => journal.append(line(n), 'held'));
    expect(readdirSync(folder)).toHaveLength(2);
    for (const segment of segments.slice(0, 5)) journal.confirm(segment);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('passes over a line that a crash tore off, since nobody was told that it is accepted', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'usage-0-0-00000000-1.jsonl'), `${line(1)}\n${line(2).slice(0, 9)}`);
    expect(await readAll(open(folder))).toEqual([line(1)]);
  });

  it('removes a file in which nothing is whole', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'usage-0-0-00000000-1.jsonl'), line(1).slice(0, 9));
    expect(await readAll(open(folder))).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves the files of a living process alone, and takes those of a dead one', async () => {
    const folder = freshFolder();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const ended = once(other, 'exit');
    onTestFinished(() => void other.kill('SIGKILL'));
    const { started } = thisProcess();
    const startOfOther = readFileSync(`/proc/${other.pid}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ')[19];
    writeFileSync(
      join(folder, `usage-${other.pid}-${startOfOther}-0000000a-1.jsonl`),
      `${line(1)}\n`,
    );
    writeFileSync(join(folder, `usage-${process.pid}-${started}-0000000b-1.jsonl`), `${line(2)}\n`);
    // The same process id, but of a process that started at another time: it was used again.
    writeFileSync(join(folder, `usage-${process.pid}-17-0000000c-1.jsonl`), `${line(3)}\n`);
    writeFileSync(join(folder, 'notes.txt'), 'not ours');

    expect(await readAll(open(folder))).toEqual([line(3)]);
    other.kill('SIGKILL');
    await ended;
    expect(await readAll(open(folder))).toEqual([line(1)]);
  });

  it('takes no more than it may, says so, and goes on when there is room again', () => {
    const folder = freshFolder();
    const journal = open(folder, { segmentBytes: 100, mostBytes: 250 });
    const kept: Segment[] = [];
    const fill = () => {
      for (let n = 0; n < 20; n += 1) kept.push(journal.append(line(n), 'held'));
    };
    expect(fill).toThrow(/^its files have 2\d\d of the 250 bytes that are allowed$/);
    const onDisk = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    expect(onDisk.reduce((sum, size) => sum + size, 0)).toBe(journal.bytes);
    for (const segment of kept) journal.confirm(segment);
    expect(() => journal.append(line(1), 'held')).not.toThrow();
  });

  it('refuses a folder that it cannot write to', () => {
    const file = join(freshFolder(), 'file');
    writeFileSync(file, '');
    expect(() => open(join(file, 'folder'))).toThrow(Refusal);
    expect(() => open(join(file, 'folder'))).toThrow(/cannot hold the client's events: .*ENOTDIR/);
  });

  it('waits for the disk at every event where that is asked for', async () => {
    const folder = freshFolder();
    const journal = open(folder, { syncMs: 0 });
    journal.append(line(1), 'held');
    journal.close();
    expect(await readAll(open(folder))).toEqual([line(1)]);
  });
});
