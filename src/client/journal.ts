import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../refusal.ts';
import { Segment } from './segment.ts';
import { isAlive, NOBODY, type SegmentOwner, thisProcess } from './segment-owner.ts';

export interface JournalOptions {
  readonly folder: string;
  /** Bytes of all its files together. */
  readonly mostBytes: number;
  /** Bytes of one file; a file goes as a whole. */
  readonly segmentBytes: number;
  /** Milliseconds in which a power cut may undo an append; 0 waits for the disk at each one. */
  readonly syncMs: number;
  readonly onFault: (error: unknown) => void;
}

/** `held` events are in memory, too; `spilled` ones are read back when memory has room. */
export type Lane = 'held' | 'spilled';

/**
 * The accepted events on disk, until the queue has confirmed them. What a crash leaves behind:
 *
 * 1. appended: the line is with the operating system; a kill loses nothing, and the next client on
 *    this folder sends it. A power cut may undo the last `syncMs`;
 * 2. sent and confirmed: the line stays until all of its file is; a kill before that sends it again,
 *    under the same event id;
 * 3. removed: done.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #instance = randomBytes(4).toString('hex');
  readonly #open = new Map<Lane, Segment>();
  /** Finished files that are not read back yet; the oldest first. */
  readonly #spilled: Segment[];
  readonly #all: Set<Segment>;
  readonly #owner = thisProcess();
  #made = 0;
  #syncTimer: NodeJS.Timeout | null = null;

  /** Takes over what dead processes left. Throws a `Refusal` where the folder cannot be used. */
  constructor(options: JournalOptions) {
    this.#options = options;
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      this.#spilled = this.#adopt();
    } catch (error) {
      throw new Refusal(
        'misconfigured',
        `the folder ${options.folder} cannot hold the client's events: ${String(error)}`,
        'give a folder that this process may write to, or null to keep events in memory only',
      );
    }
    this.#all = new Set(this.#spilled);
  }

  get bytes(): number {
    let bytes = 0;
    for (const segment of this.#all) bytes += segment.bytes;
    return bytes;
  }

  get hasSpilled(): boolean {
    return this.#spilled.length > 0 || (this.#open.get('spilled')?.bytes ?? 0) > 0;
  }

  /** Throws an error that says why the disk does not take it; then nothing of it is there. */
  append(json: string, lane: Lane): Segment {
    const { segmentBytes, syncMs } = this.#options;
    const segment = this.#open.get(lane) ?? this.#begin(lane);
    segment.append(json);
    if (syncMs === 0) segment.syncNow();
    else this.#syncTimer ??= setTimeout(() => this.#sync(), syncMs).unref();
    if (segment.bytes >= segmentBytes) this.#finish(lane, segment);
    return segment;
  }

  /** The queue has one event of the segment. */
  confirm(segment: Segment): void {
    this.#removing(segment, () => segment.confirm());
  }

  /** The oldest events that are on disk only; null when there are none. */
  takeSpilled(): Segment | null {
    const open = this.#open.get('spilled');
    if (this.#spilled.length === 0 && open !== undefined) this.#finish('spilled', open);
    return this.#spilled.shift() ?? null;
  }

  /** Its lines; the rest of one that a crash tore off is none. Nobody was told that it is accepted. */
  async read(segment: Segment): Promise<readonly string[]> {
    const lines = (await readFile(segment.path, 'latin1')).split('\n').slice(0, -1);
    const whole = lines.filter((line) => line !== '');
    segment.expect(whole.length);
    if (whole.length === 0) this.#removing(segment, () => segment.finish(this.#options.onFault));
    return whole;
  }

  /** Keeps what can never be sent where a person finds it. Throws when the disk does not take it. */
  setAside(lines: readonly string[]): void {
    appendFileSync(
      join(this.#options.folder, SET_ASIDE),
      lines.map((line) => `${line}\n`).join(''),
      { mode: 0o600 },
    );
  }

  /** Leaves what was not confirmed to the next client on this folder. */
  close(): void {
    clearTimeout(this.#syncTimer ?? undefined);
    for (const [lane, segment] of this.#open) this.#finish(lane, segment);
    for (const segment of this.#all) {
      try {
        segment.rename(this.#path(NOBODY));
      } catch (error) {
        this.#options.onFault(error);
      }
    }
  }

  #begin(lane: Lane): Segment {
    const { bytes } = this;
    const { mostBytes, segmentBytes } = this.#options;
    if (bytes + segmentBytes > mostBytes) {
      throw new Error(`its files have ${bytes} of the ${mostBytes} bytes that are allowed`);
    }
    const segment = Segment.create(this.#path(this.#owner));
    syncFolder(this.#options.folder);
    this.#open.set(lane, segment);
    this.#all.add(segment);
    return segment;
  }

  #finish(lane: Lane, segment: Segment): void {
    this.#open.delete(lane);
    this.#removing(segment, () => segment.finish(this.#options.onFault));
    if (lane === 'spilled' && this.#all.has(segment)) this.#spilled.push(segment);
  }

  /** A file that cannot be removed is sent again by the next client: repeated, never lost. */
  #removing(segment: Segment, remove: () => boolean): void {
    try {
      if (remove()) this.#all.delete(segment);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  #sync(): void {
    this.#syncTimer = null;
    for (const segment of this.#open.values()) segment.sync(this.#options.onFault);
  }

  /** When two clients start at once, the one whose rename comes first has the file. */
  #adopt(): Segment[] {
    const { folder } = this.#options;
    const adopted: Segment[] = [];
    for (const name of readdirSync(folder).sort()) {
      const owner = ownerOf(name);
      if (owner === null || isAlive(owner)) continue;
      try {
        const segment = Segment.adopt(join(folder, name), statSync(join(folder, name)).size);
        segment.rename(this.#path(this.#owner));
        adopted.push(segment);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    return adopted;
  }

  #path({ pid, started }: SegmentOwner): string {
    this.#made += 1;
    const name = `usage-${pid}-${started}-${this.#instance}-${this.#made}.jsonl`;
    return join(this.#options.folder, name);
  }
}

const SET_ASIDE = 'set-aside.jsonl';

function ownerOf(name: string): SegmentOwner | null {
  const [, pid, started] = /^usage-(\d+)-(\d+)-[0-9a-f]+-\d+\.jsonl$/.exec(name) ?? [];
  return pid === undefined || started === undefined ? null : { pid: Number(pid), started };
}

/** A new name is durable with its folder; where folders cannot be synced, the system does it itself. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    fsyncSync(fd);
    closeSync(fd);
  } catch {
    // Windows opens no folder.
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
