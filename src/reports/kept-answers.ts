import { type Clock, formatInstant, type InstantMs, pause } from '../clock.ts';
import { Refusal } from '../refusal.ts';

/** An answer about the whole ledger, and the instant at which it was asked for. */
export interface KeptAnswer<Answer> {
  readonly answer: Answer;
  /** The instant stands here where the answer is an older one, and is null where it is of now. */
  readonly asOf: string | null;
}

interface Entry {
  last: { readonly answer: unknown; readonly at: InstantMs; readonly tookMs: number } | null;
  making: Promise<void> | null;
  /** It tells whether somebody acted since the last answer was asked for. */
  isOutdated: boolean;
}

/** A page waits so long for an answer of which it has an older one of, and so long for the first one. */
const PATIENCE_MS = 120;
const FIRST_PATIENCE_MS = 10_000;

/** An answer is asked for again after so many times what it took: it keeps the database busy for a tenth of the time. */
const AGE_OF_TOOK = 10;

/** Months, currencies and orders that somebody looks at; the answers that were asked for longest ago go first. */
const MOST_KEPT = 200;

/**
 * The answers about the whole ledger that pages share. On a small ledger each is made anew for every page. On a large
 * one some take seconds: then a page shows the last one and says of when it is, while the next is being made.
 */
export class KeptAnswers {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers what was asked under the key; refuses where the first answer takes longer than a page may wait. */
  async ask<Answer>(
    key: readonly unknown[],
    make: () => Promise<Answer>,
  ): Promise<KeptAnswer<Answer>> {
    const entry = this.#entryOf(JSON.stringify(key));
    const { last } = entry;
    if (last !== null && !entry.isOutdated && this.#isYoung(last)) {
      return { answer: last.answer as Answer, asOf: formatInstant(last.at) };
    }
    entry.making ??= this.#make(entry, make);
    const isMade = await isDoneWithin(
      entry.making,
      last === null ? FIRST_PATIENCE_MS : PATIENCE_MS,
    );
    const found = entry.last;
    if (found === null) {
      throw new Refusal(
        'unavailable',
        'the ledger is large, and what this page shows is still being summed for the first time',
        'look again in a moment',
      );
    }
    return {
      answer: found.answer as Answer,
      asOf: isMade ? null : formatInstant(found.at),
    };
  }

  /** What is made while a page waits is old at once. */
  #isYoung({ at, tookMs }: NonNullable<Entry['last']>): boolean {
    return tookMs > PATIENCE_MS && this.#clock() < at + tookMs * AGE_OF_TOOK;
  }

  /** Has every answer made anew at the next question, since somebody acted. */
  outdate(): void {
    for (const entry of this.#entries.values()) entry.isOutdated = true;
  }

  #entryOf(key: string): Entry {
    const entry = this.#entries.get(key) ?? { last: null, making: null, isOutdated: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_KEPT && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  async #make(entry: Entry, make: () => Promise<unknown>): Promise<void> {
    const at = this.#clock();
    entry.isOutdated = false;
    try {
      const answer = await make();
      entry.last = { answer, at, tookMs: this.#clock() - at };
    } finally {
      entry.making = null;
    }
  }
}

/** Tells whether it is done by then; what it throws is thrown here, or to the next page that asks. */
async function isDoneWithin(making: Promise<void>, ms: number): Promise<boolean> {
  making.catch(() => {});
  const stop = new AbortController();
  const late = pause(ms, stop.signal).then(() => false);
  try {
    return await Promise.race([making.then(() => true), late]);
  } finally {
    stop.abort();
  }
}
