import { monotonicMs } from '../../clock.ts';
import { sqlState } from '../../database/database.ts';
import type { FoldsForReading, Freshness, Parts } from '../../parts.ts';
import { readTail } from './behind-store.ts';
import { BATCHES_A_FOLD, foldAll } from './fold-batches.ts';

/** Batches a second from which on a ledger is busy: whoever folds beside the hot path has them within seconds. */
const BUSY_PER_SECOND = 16;
/** The rate is told anew after so long. */
const RATE_OVER_MS = 1_000;
/** So long a question waits for the folds of others while the ledger is not busy: theirs are short then, as its own is. */
const LONGEST_WAIT_MS = 1_000;
/** Where a fold was waited for in vain, no question waits for so long. */
const PATIENCE_AGAIN_MS = 10_000;

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
 * The folds that a server's questions ask for. While little is posted, whoever asks folds it, and so reads what was
 * posted a moment ago. Once much is posted, a fold is long and another one follows at once: then a question begins one
 * where none is under way, waits for none, reads what is there and says how far behind it is.
 */
export class ReadingFolds implements FoldsForReading {
  readonly #parts: Pick<Parts, 'database' | 'clock' | 'log'>;
  #seen: { readonly at: number; readonly batch: bigint } | null = null;
  #isBusy = false;
  #patientFrom = 0;
  #underWay: Promise<void> | null = null;

  constructor(parts: Pick<Parts, 'database' | 'clock' | 'log'>) {
    this.#parts = parts;
  }

  async foldBeforeReading(): Promise<Freshness> {
    const { waiting, lastBatch } = await readTail(this.#parts.database);
    this.#see(lastBatch);
    if (waiting === 0) return { batches_behind: 0 };
    const isShort = !this.#isBusy && waiting <= BATCHES_A_FOLD;
    if (isShort && monotonicMs() >= this.#patientFrom && (await this.#foldSoon())) {
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
    this.#isBusy = Number(batch - this.#seen.batch) * 1000 > BUSY_PER_SECOND * elapsed;
    this.#seen = { at, batch };
  }

  /** Answers false where others folded for longer than is waited for. */
  async #foldSoon(): Promise<boolean> {
    const { database, clock } = this.#parts;
    try {
      await foldAll(database, clock, LONGEST_WAIT_MS);
      return true;
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      this.#patientFrom = monotonicMs() + PATIENCE_AGAIN_MS;
      return false;
    }
  }

  #foldBeside(): void {
    const { database, clock, log } = this.#parts;
    this.#underWay ??= foldAll(database, clock, LONGEST_WAIT_MS)
      .then(() => {})
      .catch((error: unknown) => {
        if (sqlState(error) === LOCK_NOT_AVAILABLE) return;
        log.warn({ error: String(error) }, 'rollups not folded');
      })
      .finally(() => {
        this.#underWay = null;
      });
  }

  async ended(): Promise<void> {
    await this.#underWay;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
