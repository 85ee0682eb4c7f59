import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { pause } from '../clock.ts';
import type {
  ClientOptions,
  ClientStatus,
  EventRecorder,
  Loss,
  RecordAnswer,
  Trouble,
  UnmeteredCall,
} from './client-contract.ts';
import type { Lane } from './journal.ts';
import { Journal } from './journal.ts';
import type { NewEvent, PreparedEvent } from './new-event.ts';
import { prepareEvent, readPrepared } from './new-event.ts';
import { Packer } from './packer.ts';
import type { Segment } from './segment.ts';
import type { SendClient } from './send-client.ts';
import { SendLoop } from './send-loop.ts';
import { TurnLater } from './turn-later.ts';
import { currentHold, inScope } from './usage-scope.ts';
import { wordsOf } from './words-of.ts';

const FLUSH_MS = 1_000;
const BUFFER_BYTES = 16 * 1024 * 1024;
const FOLDER_BYTES = 1024 * 1024 * 1024;
const SYNC_MS = 1_000;
/** A file is read back as a whole, and sent again as a whole when a kill came before its last event. */
const LARGEST_SEGMENT_BYTES = 4 * 1024 * 1024;
/** Calls to the queue at once; as many connections are held open. */
export const CALLS_UNDER_WAY = 4;
/**
 * The deadline is enough for what a healthy queue takes, and less than the grace that a stopped
 * container gets.
 */
const DEADLINE_MS = 8_000;

/** An accepted event that the queue has not confirmed; on disk where it has a segment. */
interface HeldEvent extends Pick<PreparedEvent, 'tenantId' | 'json'> {
  readonly segment: Segment | null;
}

/** Clients that a signal is closing; the process ends after the last one. */
let closingOnSignal = 0;

export interface RecorderParts {
  readonly sending: SendClient;
  readonly clock: Clock;
}

/** Takes events, keeps them on disk, and sends them until the queue or the server has each. */
export class Recorder implements EventRecorder {
  readonly clock: Clock;
  readonly #options: ClientOptions;
  readonly #bufferBytes: number;
  readonly #journal: Journal | null;
  readonly #packer: Packer<HeldEvent>;
  readonly #loop: SendLoop<HeldEvent>;
  readonly #later = new TurnLater((error) =>
    this.unmetered({ reason: `the metering failed: ${wordsOf(error)}`, event: null }),
  );
  readonly #counts = { accepted: 0, refused: 0, sent: 0, lost: 0, unmetered: 0 };
  readonly #held = new Set<HeldEvent>();
  #heldBytes = 0;
  /** What of memory is kept for lines on disk that are being read back. */
  #reservedBytes = 0;
  #queueAway = false;
  #folderFault: unknown = null;
  #hasStopped = false;
  #flushTimer: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #closing: Promise<ClientStatus> | null = null;
  #wake: (() => void)[] = [];

  constructor(options: ClientOptions, { sending, clock }: RecorderParts) {
    const { encoding = 'zstd', bufferBytes = BUFFER_BYTES } = options;
    this.#options = options;
    this.clock = clock;
    this.#bufferBytes = bufferBytes;
    this.#journal = this.#openJournal();
    this.#packer = new Packer(encoding);
    this.#loop = new SendLoop({
      client: sending,
      encoding,
      callsUnderWay: CALLS_UNDER_WAY,
      onEncoded: (packBytes, bodyBytes) => this.#packer.learn(packBytes, bodyBytes),
      onSent: (events) => this.#sent(events),
      onRefused: (events, code) => this.#refusedByQueue(events, code),
      onAway: (error) => this.#away(error),
    });
    process.once('exit', this.#leave);
    for (const signal of options.closeOn ?? []) process.once(signal, this.#onSignal);
    this.#readBack();
  }

  record(event: NewEvent): RecordAnswer {
    const answer = this.#closing === null ? this.#tryToAccept(event) : CLOSED;
    this.#counts[answer.kind] += 1;
    return answer;
  }

  meter(event: NewEvent): RecordAnswer {
    const answer = this.record(event);
    if (answer.kind === 'refused') {
      this.unmetered({ reason: `${answer.reason}: ${answer.detail}`, event });
    }
    return answer;
  }

  unmetered(call: UnmeteredCall): void {
    this.#counts.unmetered += 1;
    shielded(() => (this.#options.onUnmetered ?? writeUnmetered)(call));
  }

  later(work: () => void): void {
    this.#later.add(work);
  }

  afterwards(record: () => void): void {
    if (this.#journal === null) this.#later.add(record);
    else this.#later.now(record);
  }

  /** A part of the client has a trouble of its own. */
  trouble(trouble: Trouble): void {
    shielded(() => this.#options.onTrouble?.(trouble));
  }

  async room(): Promise<void> {
    this.#later.catchUp();
    while (this.#heldBytes > this.#bufferBytes / 2) await this.#change();
  }

  async flush(options: { readonly deadlineMs?: number } = {}): Promise<boolean> {
    // A timer takes no more than 2^31 - 1 ms, and at once what is above.
    const deadlineMs = Math.min(options.deadlineMs ?? DEADLINE_MS, 2 ** 31 - 1);
    this.#later.catchUp();
    const expired = new AbortController();
    this.#loop.hurry();
    const late = pause(deadlineMs, expired.signal).then(() => 'late');
    while (!this.#isEmpty) {
      this.#handOver();
      if ((await Promise.race([late, this.#change()])) === 'late') break;
    }
    expired.abort();
    return this.#isEmpty;
  }

  status(): ClientStatus {
    this.#later.catchUp();
    return {
      ...this.#counts,
      waitingEvents: this.#held.size,
      waitingBytes: this.#heldBytes,
      folderBytes: this.#journal?.bytes ?? 0,
      queueAway: this.#queueAway,
    };
  }

  close(options: { readonly deadlineMs?: number } = {}): Promise<ClientStatus> {
    // What was seen before counts, and a client that closes takes nothing more.
    this.#later.catchUp();
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  #openJournal(): Journal | null {
    const { folder, folderBytes = FOLDER_BYTES, syncMs = SYNC_MS } = this.#options;
    if (folder === null) return null;
    // A file that is read back must find room in what is kept free for it.
    const segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, Math.ceil(this.#bufferBytes / 4));
    const onFault = (error: unknown) => this.#folderFailed(error);
    return new Journal({ folder, mostBytes: folderBytes, segmentBytes, syncMs, onFault });
  }

  get #isEmpty(): boolean {
    const isRead = this.#reading === null && this.#journal?.hasSpilled !== true;
    return isRead && this.#held.size === 0;
  }

  /** Whatever an application hands over may throw as it is read, such as a getter, a proxy or an object within itself. */
  #tryToAccept(event: NewEvent): RecordAnswer {
    try {
      return this.#accept(inScope(event));
    } catch (error) {
      const detail = `the event cannot be read: ${wordsOf(error)}; hand over plain objects, texts and numbers`;
      return { kind: 'refused', reason: 'invalid_field', detail };
    }
  }

  #accept(event: NewEvent): RecordAnswer {
    const prepared = prepareEvent(event, this.clock());
    if (prepared.kind === 'refused') return prepared;
    const { eventId, tenantId, json } = prepared;
    const taken = this.#heldBytes + this.#reservedBytes;
    const fits = taken + json.length <= this.#bufferBytes;
    const segment = this.#append(json, fits ? 'held' : 'spilled');
    if (fits) this.#hold({ tenantId, json, segment });
    else if (segment === null) return this.#full();
    currentHold()?.recorded(event);
    return { kind: 'accepted', eventId, kept: segment === null ? 'memory' : 'disk' };
  }

  /** Answers null where there is no folder, or none that takes it. */
  #append(json: string, lane: Lane): Segment | null {
    if (this.#journal === null) return null;
    try {
      const segment = this.#journal.append(json, lane);
      this.#folderFault = null;
      return segment;
    } catch (error) {
      this.#folderFailed(error);
      return null;
    }
  }

  #hold(event: HeldEvent): void {
    this.#held.add(event);
    this.#heldBytes += event.json.length;
    const full = this.#packer.add(event);
    if (full !== null) this.#loop.push([full]);
    this.#flushTimer ??= setTimeout(() => this.#handOver(), this.#options.flushMs ?? FLUSH_MS);
  }

  #full(): RecordAnswer {
    const folder =
      this.#journal === null ? 'there is no folder' : `the folder: ${String(this.#folderFault)}`;
    const detail = `the queue has not taken ${this.#heldBytes} bytes that wait in memory, and ${folder}; the event is not taken, keep it and record it again`;
    return { kind: 'refused', reason: 'full', detail };
  }

  #handOver(): void {
    clearTimeout(this.#flushTimer ?? undefined);
    this.#flushTimer = null;
    if (!this.#packer.isEmpty) this.#loop.push(this.#packer.takeAll());
  }

  /** Starts to bring back what is on disk only, where memory has room and nobody does it yet. */
  #readBack(): void {
    if (this.#reading !== null || this.#hasStopped || this.#journal?.hasSpilled !== true) return;
    if (this.#heldBytes > this.#bufferBytes / 2) return;
    this.#reading = this.#readSegment(this.#journal)
      .catch((error) => this.#folderFailed(error))
      .finally(() => {
        this.#reservedBytes = 0;
        this.#reading = null;
        this.#changed();
      });
  }

  async #readSegment(journal: Journal): Promise<void> {
    const segment = journal.takeSpilled();
    if (segment === null) return;
    this.#reservedBytes = segment.bytes;
    const lines = await journal.read(segment);
    for (const [index, line] of lines.entries()) {
      if (index % LINES_A_TURN === 0) await nextTurn();
      if (this.#hasStopped) return;
      this.#reservedBytes -= line.length + 1;
      const prepared = readPrepared(line);
      if (prepared !== null) this.#hold({ ...prepared, segment });
      else this.#lose([{ tenantId: null, json: line, segment }], 'its line on disk is damaged');
    }
    this.#handOver();
  }

  #sent(events: readonly HeldEvent[]): void {
    this.#counts.sent += events.length;
    for (const event of events) this.#release(event, true);
    this.#changed();
  }

  #refusedByQueue(events: readonly HeldEvent[], code: string): void {
    this.#lose(events, `the queue refused its message: ${code}`);
    this.#changed();
  }

  /** Says so; and where the folder cannot keep them apart, what it has of them stays in its file. */
  #lose(events: readonly HeldEvent[], reason: string): void {
    if (events.length === 0) return;
    const lines = events.map((event) => event.json);
    const setAside = this.#setAside(lines);
    this.#counts.lost += events.length;
    for (const event of events) this.#release(event, setAside);
    this.#say({ reason, events: lines, setAside });
  }

  #setAside(lines: readonly string[]): boolean {
    try {
      this.#journal?.setAside(lines);
      return this.#journal !== null;
    } catch (error) {
      this.#folderFailed(error);
      return false;
    }
  }

  #release(event: HeldEvent, isDone: boolean): void {
    if (this.#held.delete(event)) this.#heldBytes -= event.json.length;
    if (isDone && event.segment !== null) this.#journal?.confirm(event.segment);
  }

  #changed(): void {
    this.#readBack();
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #away(error: unknown): void {
    const wasAway = this.#queueAway;
    this.#queueAway = error !== null;
    if (this.#queueAway && !wasAway) this.trouble({ kind: 'queue', error });
  }

  /** The trouble is said once, until the folder works again. */
  #folderFailed(error: unknown): void {
    const isNews = this.#folderFault === null;
    this.#folderFault = error;
    if (isNews) this.trouble({ kind: 'folder', error });
  }

  #say(loss: Loss): void {
    shielded(() => (this.#options.onLost ?? writeLoss)(loss));
  }

  async #close(options: { readonly deadlineMs?: number }): Promise<ClientStatus> {
    await this.flush(options);
    this.#hasStopped = true;
    await Promise.all([this.#loop.stop(), this.#reading]);
    this.#leave();
    return this.status();
  }

  /** The last thing a client does: what is in memory only goes to disk, or is lost and said to be. */
  readonly #leave = (): void => {
    this.#later.catchUp();
    this.#hasStopped = true;
    clearTimeout(this.#flushTimer ?? undefined);
    process.removeListener('exit', this.#leave);
    for (const signal of this.#options.closeOn ?? [])
      process.removeListener(signal, this.#onSignal);
    const inMemory = [...this.#held].filter((event) => event.segment === null);
    const lost = inMemory.filter((event) => this.#append(event.json, 'spilled') === null);
    this.#lose(lost, 'the client ended before the queue had it');
    this.#journal?.close();
  };

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    closingOnSignal += 1;
    void this.close().then(() => {
      closingOnSignal -= 1;
      // Whoever else listens decides for itself when the process ends.
      if (closingOnSignal === 0 && process.listenerCount(signal) === 0) {
        process.kill(process.pid, signal);
      }
    });
  };
}

const LINES_A_TURN = 500;

const CLOSED: RecordAnswer = {
  kind: 'refused',
  reason: 'closed',
  detail: 'the client is closed; record before close() is called, or open another one',
};

/** A callback of the application that throws must not stop the client. */
function shielded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    sayOnStderr(`a listener threw ${wordsOf(error)}`);
  }
}

function writeLoss({ events, reason, setAside }: Loss): void {
  const where = setAside ? 'set-aside.jsonl in its folder has them' : 'nothing has them';
  sayOnStderr(`${events.length} accepted events lost, ${where}: ${reason}`);
}

function writeUnmetered({ reason }: UnmeteredCall): void {
  sayOnStderr(`a call was made and is not metered: ${reason}`);
}

/** The line is written at once, since the process may be ending. */
function sayOnStderr(line: string): void {
  try {
    writeSync(2, `spanledger client: ${line}\n`);
  } catch {
    // A closed or full pipe: nobody reads it, and the counters have it.
  }
}
