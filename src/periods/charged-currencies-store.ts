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
