import { sql } from 'kysely';
import type { Transaction } from '../../database/database.ts';
import { ENTRIES_OF_BATCH } from '../posting/posting-store.ts';
import type { PeriodRow } from './close-store.ts';
import { periodKey } from './close-store.ts';

interface LastClose {
  readonly currency: string;
  readonly mode: 'shadow' | 'live';
  readonly carriedOut: bigint;
}

/** The close before each of these periods, by `periodKey`; a tenant's first period has none. */
export async function readLastCloses(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<ReadonlyMap<string, LastClose>> {
  const { rows } = await sql<{ t: string; s: string } & LastClose>`
    select k.t, k.s, c.currency, c.mode, c.carried_out as "carriedOut"
    from ${keysOf(periods)}
    cross join lateral (
      select currency, mode, carried_out from closes where tenant_id = k.t and period_start < k.s
      order by period_start desc limit 1
    ) c`.execute(transaction.kysely);
  return new Map(rows.map(({ t, s, ...close }) => [periodKey(t, s), close]));
}

/**
 * The periods that hold charges in more than one currency that are due, by `periodKey`. Sums the rollups, and the few batches
 * that are not folded into them yet: nobody posts while this is asked, and entries alone would take too long.
 */
export async function readMixedCurrencies(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await sql<{ t: string; s: string; currencies: readonly string[] }>`
    select t, s, array_agg(distinct currency order by currency) as currencies from (
      select k.t, k.s, u.currency
      from ${keysOf(periods)}
      join (
        select tenant_id, period_start, currency, requested_model, charge - not_due_charge as charge
        from usage_rollups where charge <> not_due_charge
        union all
        select e.tenant_id, e.period_start, e.currency, e.requested_model, e.charge
        from fold_queue batch ${sql.raw(ENTRIES_OF_BATCH)} where e.charge <> 0 and e.not_due is null
      ) u on u.tenant_id = k.t and u.period_start = k.s
      group by k.t, k.s, u.currency, u.requested_model having sum(u.charge) <> 0
    ) charged group by t, s having count(distinct currency) > 1`.execute(transaction.kysely);
  return new Map(rows.map(({ t, s, currencies }) => [periodKey(t, s), currencies]));
}

function keysOf(periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[]) {
  return sql`unnest(${periods.map(({ tenantId }) => tenantId)}::text[],
    ${periods.map(({ periodStart }) => periodStart)}::date[]) k(t, s)`;
}
