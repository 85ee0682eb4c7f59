import { inSnapshot, type Transaction } from '../../database/database.ts';
import type { Parts } from '../../parts.ts';
import { byTenantAndStart } from '../../periods/period-order.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { readTenants } from '../../tenants/tenant-store.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import type { CloseAnswer, ClosedPeriod, CloseRequest } from './close-answer.ts';
import { answersOfClosed, tellCarriedOn } from './closed-answers.ts';
import { roundsOf } from './each-period.ts';
import { manifestsSoFar, type PeriodSoFar } from './manifest-so-far.ts';
import { groupPeriodsIn } from './period-groups-store.ts';
import type { PeriodRow } from './period-store.ts';
import { judgeMonth } from './shut-periods.ts';

/** The plan of a close, and the periods that it would close. */
interface ClosePlan {
  readonly answer: CloseAnswer;
  readonly planned: readonly PeriodSoFar[];
}

/**
 * Tells what closing a month would come to, by the judgement and the arithmetic of the close: all
 * of it as the ledger is at one moment, and nothing of it is kept.
 */
export async function planClose(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: CloseRequest,
): Promise<ClosePlan> {
  await foldAll(database, clock);
  const now = clock();
  const catalog = await loadPriceCatalog(database.kysely);
  const { planned, others } = await inSnapshot(database, async (snapshot) => {
    const month = await judgeMonth(snapshot, request, now);
    return { ...month, planned: await sumSoFar(snapshot, catalog, month.closable) };
  });
  const closed = await answersOfClosed(database, request, []);
  const answer = [...closed, ...planned.map(wouldClose), ...others].sort(byTenantAndStart);
  return { answer, planned };
}

async function sumSoFar(
  snapshot: Transaction,
  catalog: PriceCatalog,
  periods: readonly PeriodRow[],
): Promise<readonly PeriodSoFar[]> {
  const known = await readTenants(
    snapshot.kysely,
    periods.map(({ tenantId }) => tenantId),
  );
  const tenants = new Map(known.map((tenant) => [tenant.tenantId, tenant]));
  const planned: PeriodSoFar[] = [];
  for (const round of roundsOf(periods)) {
    const before = [...planned];
    await groupPeriodsIn(snapshot, { periods: round, catalog }, async (some) => {
      planned.push(...(await manifestsSoFar(snapshot, { catalog, tenants, before }, some)));
    });
  }
  return planned;
}

function wouldClose({ period, tenant, currency, manifest }: PeriodSoFar): ClosedPeriod {
  return {
    tenant_id: period.tenantId,
    period_start: period.periodStart,
    state: 'would_close',
    detail: tellCarriedOn({
      ...manifest.billable,
      carriedOutDue: manifest.carriedOutDue,
      currency,
      mode: tenant.mode,
    }),
    charge_total: manifest.manifest.charge_total,
    currency,
    manifest_hash: null,
  };
}
