import type { NewEntry } from '../ledger/entries/entry.ts';
import { ENTRY_WITHOUT_A_CALL } from '../ledger/entries/entry.ts';
import type { CorrectionNote } from '../ledger/reversals/correction.ts';
import type { Placement } from '../periods/placement.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { formatWeight, UNIT_NAMES } from './consumption.ts';
import type { Share } from './divide-pool.ts';
import type { Pool } from './pool.ts';
import { ALLOCATION_SOURCE, digestOf, eventIdOf } from './pool.ts';

/** The facts that all shares of one division have in common. */
export interface Division {
  readonly pool: Pool;
  readonly note: CorrectionNote;
  /**
   * The revision is 0 at first; after a reversal the shares are posted anew under the next even
   * one.
   */
  readonly revision: number;
  /** The total is in the units of the basis. */
  readonly weightTotal: string;
}

/**
 * Returns the entry of one share. The pool stands where a model would, so that statements and
 * reports show it like one. It costs the tenant its share, and charges it where the pool is billed;
 * usage that belongs to nobody bears its share of the cost and is never charged (R11).
 */
export function shareEntry(
  division: Division,
  share: Share,
  placed: { readonly occurredAt: number; readonly placement: Placement },
): NewEntry {
  const { pool, note, revision } = division;
  const isNobodys = share.tenantId === UNATTRIBUTED;
  return {
    ...ENTRY_WITHOUT_A_CALL,
    kind: 'allocation',
    source: ALLOCATION_SOURCE,
    operation: 'allocation',
    tenantId: share.tenantId,
    eventId: eventIdOf(pool),
    revision,
    outcome: isNobodys ? 'unattributed' : 'charged',
    occurredAt: placed.occurredAt,
    periodStart: placed.placement.period.startDate,
    late: placed.placement.late,
    due: placed.placement.due,
    requestedModel: pool.pool,
    executedModel: pool.pool,
    charge: pool.billed && !isNobodys ? share.share : 0n,
    cost: share.share,
    currency: pool.currency,
    furtherTags: {
      weight: formatWeight(share.weight, pool.basis),
      remainder_place: String(share.remainderPlace),
    },
    reason: `${note.reason}: ${explain(division, share)}`,
    actor: note.actor,
    eventDigest: digestOf(pool),
  };
}

/** The explanation reads like `3 of 10 calls, remainder place 1, rounded up`. */
function explain({ pool, weightTotal }: Division, share: Share): string {
  const { basis } = pool;
  const part = `${formatWeight(share.weight, basis)} of ${weightTotal}`;
  const rounding = share.roundedUp ? 'rounded up' : 'rounded down';
  return `${part} ${UNIT_NAMES[basis]}, remainder place ${share.remainderPlace}, ${rounding}`;
}
