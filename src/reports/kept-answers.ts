import { formatInstant, type InstantMs, pause } from '../clock.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { version } from '../version.ts';
import { keepAnswer, type MadeAnswer, readKeptAnswer } from './kept-answer-store.ts';

/** An answer about the whole ledger, and the instant at which it was asked for. */
export interface KeptAnswer<Answer> {
  readonly answer: Answer;
  /** The instant stands here where the answer is an older one, and is null where it is of now. */
  readonly asOf: string | null;
}

interface Entry {
  readonly question: string;
  last: MadeAnswer | null;
  /** It is null until what a server before kept is looked for. */
  seeking: Promise<void> | null;
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

type KeepingParts = Pick<Parts, 'database' | 'clock' | 'log'>;

/**
 * The answers about the whole ledger that pages share. On a small ledger each is made again for every page. On a large
 * one some take seconds: then a page shows the last one and says of when it is, while the next is being made. Such a
 * one is kept in the database, too, so that a server that starts again has it.
 */
export class KeptAnswers {
  readonly #parts: KeepingParts;
  /** An answer kept by another version of the program may have another shape, so the version is part of the key. */
  readonly #version: string;
  readonly #entries = new Map<string, Entry>();
  #outdatedAt: InstantMs | null = null;

  constructor(parts: KeepingParts, madeBy = version()) {
    this.#parts = parts;
    this.#version = madeBy;
  }

  /** Answers what was asked under the key; refuses where the first answer takes longer than a page may wait. */
  async ask<Answer>(
    key: readonly unknown[],
    make: () => Promise<Answer>,
  ): Promise<KeptAnswer<Answer>> {
    const entry = this.#entryOf(JSON.stringify([this.#version, ...key]));
    entry.seeking ??= this.#seek(entry);
    await entry.seeking;
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

  /** An answer that is made quickly enough for a page to wait for it is never reused. */
  #isYoung({ at, tookMs }: MadeAnswer): boolean {
    return tookMs > PATIENCE_MS && this.#parts.clock() < at + tookMs * AGE_OF_TOOK;
  }

  /** Has every answer made again at the next question, since somebody acted. */
  outdate(): void {
    this.#outdatedAt = this.#parts.clock();
    for (const entry of this.#entries.values()) entry.isOutdated = true;
  }

  #entryOf(key: string): Entry {
    const none = { last: null, seeking: null, making: null, isOutdated: false };
    const entry: Entry = this.#entries.get(key) ?? { question: key, ...none };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_KEPT && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  /** What a server before kept is as good as an answer of our own, unless somebody acted here since. */
  async #seek(entry: Entry): Promise<void> {
    try {
      entry.last = await readKeptAnswer(this.#parts.database, entry.question);
    } catch (error) {
      entry.seeking = null;
      throw error;
    }
    const actedAt = this.#outdatedAt;
    entry.isOutdated = entry.last !== null && actedAt !== null && entry.last.at <= actedAt;
  }

  async #make(entry: Entry, make: () => Promise<unknown>): Promise<void> {
    const { clock } = this.#parts;
    const at = clock();
    entry.isOutdated = false;
    try {
      const answer = await make();
      const made = { answer, at, tookMs: clock() - at };
      entry.last = made;
      if (made.tookMs > PATIENCE_MS) this.#keep(entry.question, made);
    } finally {
      entry.making = null;
    }
  }

  /** No page waits for it: without it only the next server has to make it again. */
  #keep(question: string, made: MadeAnswer): void {
    const { database, log } = this.#parts;
    keepAnswer(database, question, made).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'answer not kept');
    });
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
