import { sql } from 'kysely';
import type { Transaction } from '../database/database.ts';
import { ENTRIES_OF_BATCH } from '../database/entries-of-batch.ts';
import { periodKey } from './period-key.ts';

/** The name of a period: whose it is, and its first day. */
interface PeriodName {
  readonly tenantId: string;
  readonly periodStart: string;
}

/**
 * Picks the periods in which something is charged and due in more than one currency, whether it was taken back again
 * or not: the few of a whole month whose sums are worth asking for.
 */
export async function pickOfSeveralCurrencies<Period extends PeriodName>(
  transaction: Transaction,
  periods: readonly Period[],
): Promise<readonly Period[]> {
  const tenants = sql`any(${[...new Set(periods.map(({ tenantId }) => tenantId))]}::text[])`;
  const starts = sql`any(${[...new Set(periods.map(({ periodStart }) => periodStart))]}::date[])`;
  const { rows } = await sql<PeriodName>`
    select tenant_id as "tenantId", period_start as "periodStart" from (
      select tenant_id, period_start, currency from usage_rollups
      where charge <> not_due_charge and tenant_id = ${tenants} and period_start = ${starts}
      union all
      select e.tenant_id, e.period_start, e.currency from fold_queue batch ${sql.raw(ENTRIES_OF_BATCH)}
      where e.charge <> 0 and e.not_due is null and e.tenant_id = ${tenants} and e.period_start = ${starts}
    ) charged group by tenant_id, period_start having min(currency) <> max(currency)`.execute(
    transaction.kysely,
  );
  const several = new Set(rows.map((row) => periodKey(row)));
  return periods.filter((period) => several.has(periodKey(period)));
}

/**
 * Reads the currencies of the charges that are due in some periods, by `periodKey` and in alphabetical order; a
 * period without any is left out. What was taken back again leaves none, of any model. It sums the rollups, and the
 * few batches that are not folded into them yet: entries alone would take too long.
 */
export async function readChargedCurrencies(
  transaction: Transaction,
  periods: readonly PeriodName[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await sql<PeriodName & { currencies: readonly string[] }>`
    select t as "tenantId", s as "periodStart", array_agg(distinct currency order by currency) as currencies from (
      select k.t, k.s, u.currency
      from unnest(${periods.map(({ tenantId }) => tenantId)}::text[],
        ${periods.map(({ periodStart }) => periodStart)}::date[]) k(t, s)
      join (
        select tenant_id, period_start, currency, requested_model, charge - not_due_charge as charge
        from usage_rollups where charge <> not_due_charge
        union all
        select e.tenant_id, e.period_start, e.currency, e.requested_model, e.charge
        from fold_queue batch ${sql.raw(ENTRIES_OF_BATCH)} where e.charge <> 0 and e.not_due is null
      ) u on u.tenant_id = k.t and u.period_start = k.s
      group by k.t, k.s, u.currency, u.requested_model having sum(u.charge) <> 0
    ) charged group by t, s`.execute(transaction.kysely);
  return new Map(rows.map((row) => [periodKey(row), row.currencies]));
}
