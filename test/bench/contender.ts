/** What one child process measures: one way of getting events into the ledger's table. */
export interface Contender {
  /** As the table shows it; also how the child is told what to run. */
  readonly name: string;
  /** What the clock covers, in a sentence for the results. */
  readonly includes: string;
  /** What is laid ready before the clock starts: a filled queue, or the rows of a finished run. */
  readonly input: 'packed' | 'single' | 'rows';
  /** Whether the run leaves every event as an entry, which is then counted. */
  readonly writesEntries: boolean;
  /** Which of the sizes it takes. */
  readonly size: keyof Sizes;
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
  readonly elapsedMs: number;
  /** Of the child process alone, user and system. */
  readonly cpuMs: number;
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
    const timedEvents = events - untimedEvents;
    return { events, timedEvents, elapsedMs: this.#elapsedMs, cpuMs: this.#cpuMs };
  }
}
