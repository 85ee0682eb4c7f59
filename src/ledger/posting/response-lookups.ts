/** The number of batches that look up their provider responses after one that was repeated. */
const BATCHES_AFTER_A_REPEAT = 50;

/**
 * Whether a batch looks up its provider responses (R8) before it posts, or leaves them to the unique key
 * of the ledger alone. The key never lets a response in twice: it refuses the batch, which is done again
 * with a look-up. So the look-up only saves work, and pays where responses are repeated at all.
 */
export class ResponseLookups {
  #left = BATCHES_AFTER_A_REPEAT;

  get areDue(): boolean {
    return this.#left > 0;
  }

  /** A batch looked its responses up, and found so many that were repeated. */
  found(repeats: number): void {
    this.#left = repeats > 0 ? BATCHES_AFTER_A_REPEAT : this.#left - 1;
  }

  /** A batch was refused, which a repeated response may have caused. */
  refused(): void {
    this.#left = BATCHES_AFTER_A_REPEAT;
  }
}
