import { CLOCKS_AGREE_WITHIN_MS, type Clock, monotonicMs } from '../../clock.ts';
import { ClocksApart } from '../../database/clocks-apart.ts';
import { type Database, inTransaction } from '../../database/database.ts';

/**
 * Knows whether this process's clock may be believed, for what is dated by its receipt. It was held against the
 * database's once; as long as it has gone on since as time has, nobody is asked again. One that jumped, such as by a
 * person or a machine that was suspended, is held against it again before anything is read.
 */
export class ClockWatch {
  readonly #database: Database;
  readonly #clock: Clock;
  /** How far the clock was from the time since some moment, when both clocks agreed; null where they never did. */
  #agreed: number | null = null;

  constructor({ database, clock }: { readonly database: Database; readonly clock: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Answers true where the clock has gone on as time has since it was last held against the database's. */
  get isKnownRight(): boolean {
    if (this.#database.heldAgainst === undefined) return true;
    const agreed = this.#agreed;
    return agreed !== null && Math.abs(this.#distance - agreed) <= CLOCKS_AGREE_WITHIN_MS;
  }

  get #distance(): number {
    return this.#clock() - monotonicMs();
  }

  /** Throws `ClocksApart` where the clocks disagree, and whatever the database throws that cannot be asked. */
  async compare(): Promise<void> {
    if (this.isKnownRight) return;
    await inTransaction(this.#database, async () => {});
    this.#agreed = this.#distance;
  }

  /** The same, where one that cannot be asked leaves the clock believed. */
  async refuseWrong(): Promise<void> {
    try {
      await this.compare();
    } catch (error) {
      if (error instanceof ClocksApart) throw error;
    }
  }
}
