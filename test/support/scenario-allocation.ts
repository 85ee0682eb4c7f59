import { allocatePool, reversePool } from '../../src/allocation/allocate-pool.ts';
import type { AllocationAnswer } from '../../src/allocation/allocation-answer.ts';
import type { Basis } from '../../src/allocation/consumption.ts';
import { parseWeights } from '../../src/allocation/token-weights.ts';
import type { Clock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { parseDecimal } from '../../src/money.ts';

/** The steps of a scenario that divide shared spend; test/scenarios/README.md describes them. */
export type AllocationStep =
  | { readonly allocate: PoolKeys; readonly at?: string }
  | {
      readonly reverse_allocation: { readonly pool: string; readonly month: string };
      readonly at?: string;
    };

interface PoolKeys {
  readonly pool: string;
  readonly amount: string;
  readonly month: string;
  readonly by: Basis;
  readonly currency?: string;
  readonly weight?: string;
  readonly bill?: boolean;
  readonly dry_run?: boolean;
}

const NOTE = { reason: 'a scenario', actor: 'ada' };

export async function takeAllocation(
  database: Database,
  clock: Clock,
  step: AllocationStep,
): Promise<unknown> {
  const parts = { database, clock };
  if ('reverse_allocation' in step) {
    return withoutIds(await reversePool(parts, { ...step.reverse_allocation, ...NOTE }));
  }
  const { amount, by, weight, currency = 'USD', bill = false, dry_run = false } = step.allocate;
  const { pool, month } = step.allocate;
  const answer = await allocatePool(parts, {
    ...{ pool, month, currency, by, billed: bill, dry_run, ...NOTE },
    amount: parseDecimal(amount, 12) ?? 0n,
    weights: weight === undefined ? null : parseWeights(weight),
  });
  return withoutIds(answer);
}

/** Ids differ from run to run. */
function withoutIds(answer: AllocationAnswer) {
  return { ...answer, shares: answer.shares.map(({ entry_id: _, ...share }) => share) };
}
