import { monotonicMs, pause } from '../../clock.ts';
import { sqlState } from '../../database/database.ts';
import type { FoldsForReading, Freshness, Parts } from '../../parts.ts';
import { readTail } from './behind-store.ts';
import { BATCHES_A_FOLD, foldAll } from './fold-batches.ts';

/** Batches a second from which on they come steadily, and a fold may be long, or another one follow at once. */
const STEADY_PER_SECOND = 4;
/** Batches a second from which on a ledger is busy: whoever folds beside the hot path has them within seconds. */
const BUSY_PER_SECOND = 16;
/** The rate is told anew after so long: a few batches at once are no steady posting. */
const RATE_OVER_MS = 3_000;
/** So long a fold waits for the folds of other processes: theirs are short while the ledger is quiet, as its own is. */
const LONGEST_WAIT_MS = 1_000;
/** So long a question waits for a fold while batches come steadily; the answer itself is to be there within 100 ms. */
const SOON_MS = 40;
/** Where a fold was waited for in vain, no question waits for so long. */
const PATIENCE_AGAIN_MS = 10_000;
/** Where no question waits for it, a fold follows another one after so many times what that took. */
const REST_OF_TOOK = 3;

/**
 * Brings the rollups up to date before they are read, as far as whoever asks can wait for it: a command waits for all
 * that is posted, and a server's question for little.
 */
export async function foldBeforeReading({
  database,
  clock,
  folds,
}: Pick<Parts, 'database' | 'clock' | 'folds'>): Promise<Freshness> {
  if (folds !== undefined) return folds.foldBeforeReading();
  await foldAll(database, clock);
  return { batches_behind: 0 };
}

/**
 * The folds that a server's questions ask for. While little is posted, whoever asks has it folded, and so reads what was
 * posted a moment ago. Where batches come steadily a question waits for little, and once much is posted it waits for
 * nothing: it begins a fold where none is under way, reads what is there and says how far behind it is. Questions share
 * one fold, so that none of them holds a connection while it waits for another's.
 */
export class ReadingFolds implements FoldsForReading {
  readonly #parts: Pick<Parts, 'database' | 'clock' | 'log'>;
  #seen: { readonly at: number; readonly batch: bigint } | null = null;
  #perSecond = 0;
  #patientFrom = 0;
  #besideFrom = 0;
  /** Answers false where others folded for longer than is waited for. */
  #underWay: Promise<boolean> | null = null;

  constructor(parts: Pick<Parts, 'database' | 'clock' | 'log'>) {
    this.#parts = parts;
  }

  async foldBeforeReading(): Promise<Freshness> {
    const { waiting, lastBatch } = await readTail(this.#parts.database);
    this.#see(lastBatch);
    if (waiting === 0) return { batches_behind: 0 };
    const isPatient = this.#perSecond < BUSY_PER_SECOND && monotonicMs() >= this.#patientFrom;
    if (isPatient && waiting <= BATCHES_A_FOLD && (await this.#foldSoon())) {
      return { batches_behind: 0 };
    }
    this.#foldBeside();
    return { batches_behind: waiting };
  }

  #see(batch: bigint): void {
    const at = monotonicMs();
    this.#seen ??= { at, batch };
    const elapsed = at - this.#seen.at;
    if (elapsed < RATE_OVER_MS) return;
    this.#perSecond = (Number(batch - this.#seen.batch) * 1000) / elapsed;
    this.#seen = { at, batch };
  }

  /** Answers whether all that was posted is folded, in the time that there is. */
  async #foldSoon(): Promise<boolean> {
    const folded = this.#foldWhatIsPosted();
    const isSteady = this.#perSecond >= STEADY_PER_SECOND;
    const isSoon = await (isSteady ? isTrueWithin(folded, SOON_MS) : folded);
    if (!isSoon) this.#patientFrom = monotonicMs() + PATIENCE_AGAIN_MS;
    return isSoon;
  }

  /** A fold that is under way may have looked for the last time before the last batch was posted. */
  async #foldWhatIsPosted(): Promise<boolean> {
    if (this.#underWay !== null && !(await this.#underWay)) return false;
    return this.#fold();
  }

  #foldBeside(): void {
    if (this.#underWay !== null || monotonicMs() < this.#besideFrom) return;
    const { log } = this.#parts;
    this.#fold().catch((error: unknown) => {
      log.warn({ error: String(error) }, 'rollups not folded');
    });
  }

  #fold(): Promise<boolean> {
    const { database, clock } = this.#parts;
    const began = monotonicMs();
    this.#underWay ??= foldAll(database, clock, LONGEST_WAIT_MS)
      .then(() => {
        const ended = monotonicMs();
        this.#besideFrom = ended + (ended - began) * REST_OF_TOOK;
        return true;
      })
      .catch((error: unknown) => {
        if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
        return false;
      })
      .finally(() => {
        this.#underWay = null;
      });
    return this.#underWay;
  }

  async ended(): Promise<void> {
    await this.#underWay?.catch(() => {});
  }
}

/** What comes later is not waited for, and neither is what it throws. */
async function isTrueWithin(promise: Promise<boolean>, ms: number): Promise<boolean> {
  promise.catch(() => {});
  const stop = new AbortController();
  try {
    return await Promise.race([promise, pause(ms, stop.signal).then(() => false)]);
  } finally {
    stop.abort();
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
