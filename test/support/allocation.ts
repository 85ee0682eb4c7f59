import { allocatePool } from '../../src/allocation/allocate-pool.ts';
import type { AllocationAnswer } from '../../src/allocation/allocation-answer.ts';
import type { PoolRequest } from '../../src/allocation/pool.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';

/** Divides 10 USD of October over its calls, changed where the test says so. */
export function allocateShared(
  database: Database,
  change: Partial<PoolRequest> & { readonly at: string; readonly dryRun?: boolean },
): Promise<AllocationAnswer> {
  const { at, basis = 'activity', dryRun = false, note, ...rest } = change;
  const clock = () => parseInstant(at);
  return allocatePool(
    { database, clock },
    {
      ...{ pool: 'gpu', month: '2026-10', amount: 10_000_000_000_000n, currency: 'USD' },
      ...{ by: basis, weights: null, billed: false, dry_run: dryRun },
      ...(note ?? { reason: 'GPU bill', actor: 'ada' }),
      ...rest,
    },
  );
}
