import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { EmailPolicy } from '../../events/email-identifiers.ts';
import type { ReadItem } from '../../events/item.ts';
import { ReferenceCache } from '../../ledger/posting/reference-cache.ts';
import type { Log } from '../../log.ts';
import type { IsolatedItem } from '../record-or-isolate.ts';
import { recordOrIsolate } from '../record-or-isolate.ts';
import type { Batcher, ReadMessage } from './batcher.ts';
import { EventsInFlight } from './events-in-flight.ts';
import type { Patience } from './patience.ts';

export interface RecorderParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly batcher: Batcher;
  readonly patience: Patience;
  /** What becomes of addresses in what cannot be posted. */
  readonly emails: EmailPolicy | undefined;
  /**
   * The function is called after the commits of a batch, with what became of each item; the next
   * batch waits for it.
   */
  readonly onRecorded: (
    batch: readonly ReadMessage[],
    recorded: readonly IsolatedItem[],
  ) => Promise<void>;
}

/** Commits in flight, each on a connection of its own. */
const LANES = 2;

/** Records what the batcher gathers, batch after batch, until it is closed or the patience ends. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #inFlight = new EventsInFlight();
  #hasBegun = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  get isWaiting(): boolean {
    return this.#parts.patience.isWaiting;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * Rejects with the reason of the first lane that could not go on. The others then finish what they
   * are at and take no more, so that whatever they commit is acknowledged, too.
   */
  async run(): Promise<void> {
    const { patience } = this.#parts;
    const failures: unknown[] = [];
    const lane = () =>
      this.#lane().catch((error: unknown) => {
        failures.push(error);
        patience.end();
      });
    await Promise.all(Array.from({ length: LANES }, lane));
    if (failures.length > 0) throw failures[0];
  }

  async #lane(): Promise<void> {
    const { batcher, patience, onRecorded } = this.#parts;
    const cache = new ReferenceCache();
    for (;;) {
      const batch = await batcher.take();
      if (batch === null || patience.ended.aborted) return;
      const items = batch.flatMap((message) => message.items);
      const recorded = await this.#recordInTurn(cache, items);
      this.#hasBegun = true;
      await onRecorded(batch, recorded);
    }
  }

  /** What another lane has in hand is recorded after it, and is then a duplicate or a conflict. */
  async #recordInTurn(
    cache: ReferenceCache,
    items: readonly ReadItem[],
  ): Promise<readonly IsolatedItem[]> {
    const { clock, emails } = this.#parts;
    let recorded: readonly IsolatedItem[] = [];
    for (let rest = items; rest.length > 0; ) {
      const claim = this.#inFlight.claim(rest);
      try {
        const { free } = claim;
        const work = () =>
          recordOrIsolate(this.#parts, cache, { items: free, recordedAt: clock(), emails });
        if (free.length > 0) recorded = recorded.concat(await this.#parts.patience.until(work));
      } finally {
        claim.release();
      }
      await claim.othersDone;
      rest = claim.met;
    }
    return recorded;
  }
}
