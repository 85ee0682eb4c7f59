import type { CallReport } from './same-call.ts';
import { isOneOfFew } from './same-call.ts';

/** The number of batches that look up their reports after one that was repeated. */
const BATCHES_AFTER_A_REPEAT = 50;

/**
 * It says which reports of a batch are looked up (R8) before it posts. The ledger never lets a response in twice: its
 * key refuses the batch, which is done again with a look-up, and the fold takes back what other marks tell.
 * So a look-up only saves work, and pays where calls are reported twice at all.
 */
export class ReportLookups {
  #ofFew = BATCHES_AFTER_A_REPEAT;
  #ofAll = 0;
  #ofHashes = 0;

  get areDue(): boolean {
    return this.#ofFew > 0;
  }

  /** Whether every report is looked up, as while responses are repeated. */
  get areOfAll(): boolean {
    return this.#ofAll > 0;
  }

  /** Whether it is asked, too, which responses have the hash of another one: a look-up of all did not help. */
  get areOfHashes(): boolean {
    return this.#ofHashes > 0;
  }

  /** Answers the reports that are to be looked up: all of them only while responses are repeated. */
  dueOf(reports: readonly CallReport[]): readonly CallReport[] {
    if (this.areOfAll) return reports;
    return this.areDue ? reports.filter(isOneOfFew) : [];
  }

  /** A batch was posted, in which so many reports were repeated. */
  found(repeats: number): void {
    this.#ofHashes = Math.max(0, this.#ofHashes - 1);
    if (repeats > 0) this.#lookUpAll();
    else {
      this.#ofFew = Math.max(0, this.#ofFew - 1);
      this.#ofAll = Math.max(0, this.#ofAll - 1);
    }
  }

  /** A batch was refused, which a repeated response may have caused; or one of another's hash, where all were looked up. */
  refused(): void {
    if (this.areOfAll) this.#ofHashes = BATCHES_AFTER_A_REPEAT;
    this.#lookUpAll();
  }

  #lookUpAll(): void {
    this.#ofFew = BATCHES_AFTER_A_REPEAT;
    this.#ofAll = BATCHES_AFTER_A_REPEAT;
  }
}
