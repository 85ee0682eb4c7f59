import type { ReadSettings } from '../../events/read-item.ts';
import { ReferenceCache } from '../../ledger/posting/reference-cache.ts';
import { runRollupLoop } from '../../ledger/rollups/rollup-loop.ts';
import type { Parts } from '../../parts.ts';
import { runSealLoop } from '../../seals/seal-loop.ts';
import { recordOrIsolate } from '../record-or-isolate.ts';
import type { EventKeeper, LetIn } from './event-keeper.ts';
import { InHand } from './in-hand.ts';
import type { TakenOutcome } from './taken-answer.ts';

export interface LedgerKeeperParts extends Pick<Parts, 'database' | 'clock' | 'log'> {
  readonly reading: ReadSettings;
}

/** Commits under way, each on a connection of its own. */
const LANES = 4;
/** Some seconds of work for a small machine; beyond it, producers are asked to wait. */
const MOST_IN_HAND = 64 * 1024 * 1024;

/**
 * Keeps events in the ledger itself, by what the worker records batches with, and folds and seals beside it:
 * a small installation needs no queue. A request is answered when its events are committed.
 */
export function openLedgerKeeper(parts: LedgerKeeperParts): EventKeeper {
  const { database, clock, log } = parts;
  const stop = new AbortController();
  const beside = [
    runRollupLoop(database, { clock, log }, stop.signal),
    runSealLoop(database, { clock, log }, stop.signal),
  ];
  const lanes = Array.from({ length: LANES }, () => new Lane(parts));
  const inHand = new InHand(MOST_IN_HAND, 'the ledger');
  let turn = 0;
  return {
    keep(events) {
      turn += 1;
      const lane = lanes[turn % LANES];
      if (lane === undefined) throw new Error('there is no lane');
      return inHand.hold(events, () => lane.keep(events));
    },
    diskBytes: () => 0,
    async close() {
      stop.abort();
      await Promise.all([...beside, ...lanes.map((lane) => lane.done())]);
    },
  };
}

/** Records one request after the other, with what it knows of tenants and prices. */
class Lane {
  readonly #parts: LedgerKeeperParts;
  readonly #cache = new ReferenceCache();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: LedgerKeeperParts) {
    this.#parts = parts;
  }

  keep(events: readonly LetIn[]): Promise<readonly TakenOutcome[]> {
    const kept = this.#last.then(() => this.#record(events));
    this.#last = kept.catch(() => {});
    return kept;
  }

  async done(): Promise<void> {
    await this.#last;
  }

  async #record(events: readonly LetIn[]): Promise<readonly TakenOutcome[]> {
    const items = events.map(({ item }) => item);
    const { clock, reading } = this.#parts;
    const batch = { items, recordedAt: clock(), emails: reading.emails };
    const recorded = await recordOrIsolate(this.#parts, this.#cache, batch);
    const outcomeOf = new Map(recorded.map(({ item, outcome }) => [item, outcome]));
    return items.map((item) => {
      const outcome = outcomeOf.get(item);
      return outcome === undefined || outcome === 'left' ? 'refused' : outcome;
    });
  }
}
