import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import { PeriodRoots } from '../../seals/period-roots-store.ts';
import type { PeriodGroups } from './period-groups-store.ts';
import { groupPeriods } from './period-groups-store.ts';
import type { PeriodRow } from './period-store.ts';

/** All that a manifest is made of, as the entries have it: their sums, and the root over their hashes. */
export interface SummedPeriod<Period> extends PeriodGroups<Period> {
  readonly entriesRoot: string;
}

/**
 * Sums whole periods from their entries and hands them on in their order, some at a time: a close makes
 * its manifests from that, and law 4 makes them again. Neither holds all periods in memory.
 */
export async function eachPeriod<Period extends Pick<PeriodRow, 'tenantId' | 'periodStart'>>(
  database: Database,
  periods: readonly Period[],
  work: (some: readonly SummedPeriod<Period>[]) => Promise<void>,
): Promise<void> {
  const catalog = await loadPriceCatalog(database.kysely);
  await inTransaction(database, async (transaction) => {
    const roots = await PeriodRoots.open(transaction, periods);
    try {
      await groupPeriods(database, { periods, catalog }, async (some) => {
        await work(await roots.root(some));
      });
    } finally {
      await roots.settle();
    }
  });
}

/** The periods that can be closed together: the first of each tenant, then the second, which takes its remainder. */
export function roundsOf<Period extends Pick<PeriodRow, 'tenantId'>>(
  all: readonly Period[],
): readonly (readonly Period[])[] {
  const rounds: Period[][] = [];
  for (const periods of Map.groupBy(all, ({ tenantId }) => tenantId).values()) {
    for (const [index, period] of periods.entries()) {
      const round = rounds[index];
      if (round === undefined) rounds[index] = [period];
      else round.push(period);
    }
  }
  return rounds;
}
