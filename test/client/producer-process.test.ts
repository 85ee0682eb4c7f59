import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RecordAnswer } from '../../src/client/client.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks } from '../support/ledger.ts';
import type { ProducerOrder } from '../support/producer.ts';
import { freshQueue } from '../support/queue.ts';
import { openQueueProxy } from '../support/queue-proxy.ts';
import { brokenLaws, receiptsOf, work } from '../support/worker.ts';

const PRODUCER = fileURLToPath(new URL('../support/producer.ts', import.meta.url));

interface Producer {
  /** What `record` answered so far, in order. */
  answers(): readonly RecordAnswer[];
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly signal: string | null; readonly stderr: string }>;
}

/** `largestFileKib` is what the shell lets it write into one file. */
function startProducer(order: ProducerOrder, largestFileKib = 'unlimited'): Producer {
  const limited = `ulimit -f ${largestFileKib}; exec "$0" "$1" "$2"`;
  const child = spawn('bash', ['-c', limited, process.execPath, PRODUCER, JSON.stringify(order)], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  return {
    answers: () => {
      const lines = stdout.split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line));
    },
    kill: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => {
      child.once('close', (_, signal) => resolve({ signal, stderr }));
    }),
  };
}

const acceptedIds = (producer: Producer) =>
  producer.answers().flatMap((answer) => (answer.kind === 'accepted' ? [answer.eventId] : []));

async function scene() {
  const queue = await freshQueue();
  const proxy = await openQueueProxy(queue.endpoint);
  onTestFinished(() => proxy.stop());
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-producer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const client = { queueUrl: queue.queueUrl, endpoint: proxy.endpoint, folder };
  return { queue, proxy, folder, client };
}

/** The next process on the folder: records nothing, and sends what the last one left. */
async function recover(client: ProducerOrder['client']): Promise<void> {
  const next = startProducer({ client, from: 0, events: 0, afterwards: 'close' });
  expect(await next.ended).toEqual({ signal: null, stderr: '' });
}

describe('a producer process', () => {
  it('may be killed in the middle of a flood: what it accepted is in the ledger, each event once', async () => {
    // given a producer that dies with events sent, on the way, in memory and on disk only
    const { queue, proxy, folder, client } = await scene();
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const small = { ...client, flushMs: 20, bufferBytes: 150_000 };
    const producer = startProducer({
      client: small,
      from: 0,
      events: 1_000_000,
      afterwards: 'wait',
    });
    await vi.waitFor(
      () => {
        expect(proxy.calls.length).toBeGreaterThan(2);
        expect(producer.answers().length).toBeGreaterThan(1_500);
      },
      { timeout: 60_000, interval: 5 },
    );
    producer.kill('SIGKILL');
    expect(await producer.ended).toEqual({ signal: 'SIGKILL', stderr: '' });
    const accepted = acceptedIds(producer);
    expect(readdirSync(folder).length).toBeGreaterThan(0);

    // when the next one finds what it left, and a worker reads the queue
    await recover(small);
    expect(readdirSync(folder)).toEqual([]);
    await work(database, queue.client);

    // then nothing accepted is missing; one event may have been accepted without a word of it
    const rows = await textRows(database, 'select event_id from entries order by entry_id');
    const posted = rows.map((row) => String(row['event_id']));
    expect(new Set(posted).size).toBe(posted.length);
    expect(accepted.filter((id) => !posted.includes(id))).toEqual([]);
    expect(posted.length - accepted.length).toBeLessThanOrEqual(1);
    expect(await receiptsOf(database)).toMatchObject({ conflicts: 0, quarantined: 0 });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('drains on SIGTERM where it is asked to, and ends by that signal', async () => {
    const { queue, folder, client } = await scene();
    const waiting = { ...client, flushMs: 3_600_000, closeOn: ['SIGTERM'] as const };
    const producer = startProducer({ client: waiting, from: 0, events: 20, afterwards: 'wait' });
    await vi.waitFor(() => expect(producer.answers()).toHaveLength(20), { timeout: 30_000 });
    expect(await queue.client.depth()).toBe(0);
    producer.kill('SIGTERM');
    expect(await producer.ended).toEqual({ signal: 'SIGTERM', stderr: '' });
    expect(await queue.client.depth()).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that exits without a close says what it loses; with a folder it loses nothing', async () => {
    const { queue, folder, client } = await scene();
    const order = { from: 0, events: 7, afterwards: 'exit' } as const;
    const forgetful = startProducer({ ...order, client: { ...client, folder: null } });
    expect(await forgetful.ended).toMatchObject({
      stderr:
        'spanledger client: 7 accepted events lost, nothing has them: the client ended before the queue had it\n',
    });

    const careful = startProducer({ ...order, client });
    expect(await careful.ended).toMatchObject({ stderr: '' });
    expect(readdirSync(folder)).toHaveLength(1);
    await recover(client);
    expect(readdirSync(folder)).toEqual([]);
    expect(await queue.client.depth()).toBe(1);
  });

  it.each([
    ['exits', 'call and exit', null],
    ['is killed', 'call and kill', 'SIGKILL'],
  ] as const)(
    'that %s in the turn in which a wrapped call was answered has recorded it, and the next one sends it',
    async (_, afterwards, signal) => {
      const { queue, folder, client } = await scene();
      const order = { client, from: 0, events: 0, afterwards };
      expect(await startProducer(order).ended).toEqual({ signal, stderr: '' });
      const [file = ''] = readdirSync(folder);
      expect(readFileSync(join(folder, file), 'utf8')).toContain('chatcmpl-the-last-call-of-all');
      await recover(client);
      expect(await queue.client.depth()).toBe(1);
    },
  );

  it('whose disk takes no more keeps to memory, then refuses, and leaves no torn line behind', async () => {
    // given a disk that takes 16 KiB a file, and a queue that is away
    const { queue, proxy, folder, client } = await scene();
    proxy.cut();
    const small = { ...client, bufferBytes: 100_000, flushMs: 3_600_000 };
    const producer = startProducer(
      { client: small, from: 0, events: 1_000, afterwards: 'wait' },
      '16',
    );
    await vi.waitFor(() => expect(producer.answers()).toHaveLength(1_000), { timeout: 30_000 });
    producer.kill('SIGKILL');
    await producer.ended;

    // then each event was told where it is
    const answers = producer.answers();
    const onDisk = answers.filter((answer) => answer.kind === 'accepted' && answer.kept === 'disk');
    const inMemory = answers.filter(
      (answer) => answer.kind === 'accepted' && answer.kept === 'memory',
    );
    expect(onDisk.length).toBeGreaterThan(50);
    expect(inMemory.length).toBeGreaterThan(200);
    expect(answers.at(-1)).toMatchObject({
      kind: 'refused',
      reason: 'full',
      detail: expect.stringContaining('EFBIG: file too large'),
    });

    // and those on disk are whole, all of them
    proxy.restore();
    await recover(client);
    expect(readdirSync(folder)).toEqual([]);
    const database = await freshDatabase();
    expect(await work(database, queue.client)).toMatchObject({
      posted: onDisk.length,
      quarantined: 0,
    });
  });
});
