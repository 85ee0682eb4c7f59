import type { Traffic } from './bench-events.ts';

/** What child processes measure: one way of getting events into the ledger's table. */
export interface Contender {
  /** As the table shows it; also how the child is told what to run. */
  readonly name: string;
  /** What the clock covers, in a sentence for the results. */
  readonly includes: string;
  /** What is laid ready before the clock starts: a filled queue, or the rows of a finished run. */
  readonly input: Traffic | 'rows';
  /** Whether the run leaves every event as an entry, which is then counted. */
  readonly writesEntries: boolean;
  /** Which of the sizes it takes. */
  readonly size: keyof Sizes;
  /** Processes that share the work, all ready before the first begins. */
  readonly processes: number;
  readonly run: (job: Job) => Promise<Measured>;
}

/** Events of one run. Slow ways get fewer, so that every run takes seconds. */
export interface Sizes {
  readonly packed: number;
  readonly single: number;
  readonly insert: number;
  readonly usual: number;
}

/** All that a child needs; plain values, because it crosses a process. */
export interface Job {
  /** Of all processes together. */
  readonly events: number;
  /** An empty database with the schema, the tenants and the prices. */
  readonly databaseUrl: string;
  /** A database in which a worker has posted the same events; only for `rows`. */
  readonly sourceUrl: string;
  readonly endpoint: string;
  /** '' where the contender needs no queue. */
  readonly queueUrl: string;
}

export interface Measured {
  readonly events: number;
  /** Those within the time; fewer where the first ones only warm up. */
  readonly timedEvents: number;
  /** Epoch milliseconds, so that several processes can be put together. */
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** Of the child process alone, user and system. */
  readonly cpuMs: number;
}

/** Several processes as one: from the first one's start to the last one's end. */
export function together(parts: readonly Measured[]): Measured {
  const sum = (of: (part: Measured) => number) => parts.reduce((all, part) => all + of(part), 0);
  // A process that came too late for any event never started its clock.
  const working = parts.filter((part) => part.elapsedMs > 0);
  const startedAt = Math.min(...working.map((part) => part.startedAt));
  const endedAt = Math.max(...working.map((part) => part.startedAt + part.elapsedMs));
  return {
    events: sum((part) => part.events),
    timedEvents: sum((part) => part.timedEvents),
    startedAt,
    elapsedMs: endedAt - startedAt,
    cpuMs: sum((part) => part.cpuMs),
  };
}

/** Starts once, and can be read many times: the last reading counts. */
export class Stopwatch {
  #startedAt: number | null = null;
  #cpuAtStart = process.cpuUsage();
  #elapsedMs = 0;
  #cpuMs = 0;

  start(): void {
    if (this.#startedAt !== null) return;
    this.#cpuAtStart = process.cpuUsage();
    this.#startedAt = performance.now();
  }

  lap(): void {
    if (this.#startedAt === null) throw new Error('the stopwatch was not started');
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    this.#elapsedMs = performance.now() - this.#startedAt;
    this.#cpuMs = (user + system) / 1000;
  }

  measured(events: number, untimedEvents = 0): Measured {
    return {
      events,
      timedEvents: events - untimedEvents,
      startedAt: performance.timeOrigin + (this.#startedAt ?? Number.NaN),
      elapsedMs: this.#elapsedMs,
      cpuMs: this.#cpuMs,
    };
  }
}
