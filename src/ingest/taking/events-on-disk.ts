import { Journal } from '../../client/journal.ts';
import { toAscii } from '../../client/new-event.ts';
import type { Packable } from '../../client/packer.ts';
import type { Segment } from '../../client/segment.ts';
import { pause } from '../../clock.ts';
import { isObject, parseJson } from '../../events/foreign/foreign-value.ts';
import type { Log } from '../../log.ts';

export interface EventsOnDiskOptions {
  readonly folder: string;
  /** Bytes of all files together; beyond it, producers are asked to come again. */
  readonly mostBytes: number;
  /**
   * Resolves when the queue has them, but for those that it will never take, and rejects while it is away; at the
   * latest when the signal says so.
   */
  readonly send: (events: readonly Packable[], stop: AbortSignal) => Promise<readonly Packable[]>;
  readonly log: Log;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;
/** A line is read, and sent again, as a whole. */
const LINE_CHARACTERS = 1024 * 1024;
const PAUSE_MS = 1_000;

/**
 * The journal of the client, for a server: events that were accepted while the queue was away, until the queue has
 * them. Each line is on the disk before its request is answered. What a crash leaves, the next server on this
 * folder sends; what it had sent already comes twice, which the ledger knows.
 */
export class EventsOnDisk {
  readonly #options: EventsOnDiskOptions;
  readonly #journal: Journal;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: () => void = () => {};
  #isAway = false;

  /** Throws a `Refusal` where the folder cannot be used. */
  constructor(options: EventsOnDiskOptions) {
    const { folder, mostBytes, log } = options;
    this.#options = options;
    const onFault = (error: unknown) =>
      log.error({ error: String(error) }, 'the folder of events failed');
    const sizes = { mostBytes, segmentBytes: Math.min(SEGMENT_BYTES, Math.ceil(mostBytes / 4)) };
    this.#journal = new Journal({ folder, ...sizes, syncMs: 0, onFault });
    this.#running = this.#run();
  }

  /** Whether the queue was away when it was last asked; events then go to the disk at once. */
  get isAway(): boolean {
    return this.#isAway;
  }

  get bytes(): number {
    return this.#journal.bytes;
  }

  /** Keeps what the queue does not take now. Throws where the disk does not take it either. */
  keep(events: readonly Packable[]): void {
    this.#isAway = true;
    for (const line of linesOf(events)) this.#journal.append(line, 'spilled');
    this.#wake();
  }

  /** Leaves to the next server on the folder what the queue does not have. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    this.#journal.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const segment = this.#journal.takeSpilled();
      if (segment === null) await this.#woken();
      else await this.#bring(segment);
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#stop.signal.aborted || this.#journal.hasSpilled) resolve();
    });
  }

  /** Tries until the queue has all of a file, or the server ends. */
  async #bring(segment: Segment): Promise<void> {
    const { log, send } = this.#options;
    const { signal } = this.#stop;
    const lines = await this.#journal.read(segment);
    const events = lines.flatMap((line) => eventsIn(line) ?? []);
    while (lines.length > 0 && !signal.aborted) {
      try {
        const refused = await send(events, signal);
        this.#setAside(lines, refused);
        this.#isAway = false;
        for (const _ of lines) this.#journal.confirm(segment);
        log.info({ events: events.length }, 'the queue has events that waited on disk');
        return;
      } catch (error) {
        this.#isAway = true;
        log.warn({ reason: String(error), events: events.length }, 'events wait on disk');
        await pause(PAUSE_MS, signal);
      }
    }
  }

  /** Files that nobody can read, and messages that the queue will never take, are kept where a person finds them. */
  #setAside(lines: readonly string[], refused: readonly Packable[]): void {
    const damaged = lines.filter((line) => eventsIn(line) === null);
    const aside = [...damaged, ...linesOf(refused)];
    if (aside.length === 0) return;
    this.#journal.setAside(aside);
    const { folder, log } = this.#options;
    log.error({ folder, lines: aside.length }, 'events were set aside: the queue never takes them');
  }
}

/** A request's events share a line, so that one wait for the disk is enough for all of them. */
function linesOf(events: readonly Packable[]): readonly string[] {
  const lines: string[] = [];
  let gathered: Packable[] = [];
  let characters = 0;
  for (const event of events) {
    gathered.push(event);
    characters += event.json.length;
    if (characters < LINE_CHARACTERS) continue;
    lines.push(lineOf(gathered));
    gathered = [];
    characters = 0;
  }
  return gathered.length === 0 ? lines : [...lines, lineOf(gathered)];
}

function lineOf(events: readonly Packable[]): string {
  return toAscii(JSON.stringify(events.map(({ tenantId, json }) => ({ tenantId, json }))));
}

/** Returns the events of a line; null where it is damaged. */
function eventsIn(line: string): readonly Packable[] | null {
  const events = parseJson(line);
  return Array.isArray(events) && events.every(isPackable) ? events : null;
}

function isPackable(value: unknown): value is Packable {
  return (
    isObject(value) &&
    typeof value['json'] === 'string' &&
    (value['tenantId'] === null || typeof value['tenantId'] === 'string')
  );
}
