import { sql } from 'kysely';
import type { Transaction } from '../../database/database.ts';
import { PICO_PER_MICRO } from '../../money.ts';
import {
  pickOfSeveralCurrencies,
  readChargedCurrencies,
} from '../../periods/charged-currencies-store.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { PeriodRow } from './period-store.ts';

interface LastClose {
  readonly currency: string;
  /** The currency of what is still owed or due from before; null where that is nothing. */
  readonly owedIn: string | null;
}

/**
 * Reads the close before each of these periods, by `periodKey`; a tenant's first period has none. What is below a
 * micro-unit is only left from rounding. A period in shadow takes in what the one before it carried if that was in
 * shadow; a live one what the last live one carried, or a shadow after it for a bill.
 */
export async function readLastCloses(
  transaction: Transaction,
  periods: readonly (Pick<PeriodRow, 'tenantId' | 'periodStart'> & {
    readonly mode: 'shadow' | 'live';
  })[],
): Promise<ReadonlyMap<string, LastClose>> {
  const { rows } = await sql<{ t: string; s: string } & LastClose>`
    select k.t, k.s, c.currency, case when abs(o.owed) >= ${PICO_PER_MICRO}::numeric then o.currency end as "owedIn"
    from unnest(${periods.map(({ tenantId }) => tenantId)}::text[],
      ${periods.map(({ periodStart }) => periodStart)}::date[], ${periods.map(({ mode }) => mode)}::text[]) k(t, s, m)
    cross join lateral (
      select currency, mode, carried_out - coalesce(carried_out_due, 0) as metered from closes
      where tenant_id = k.t and period_start < k.s order by period_start desc limit 1
    ) c
    left join lateral (
      (select currency, case when mode = 'live' then carried_out else carried_out_due end as owed from closes
      where k.m = 'live' and tenant_id = k.t and period_start < k.s and (mode = 'live' or carried_out_due <> 0)
      order by period_start desc limit 1)
      union all select c.currency, c.metered where k.m = 'shadow' and c.mode = 'shadow'
    ) o on true`.execute(transaction.kysely);
  return new Map(
    rows.map(({ t, s, ...close }) => [periodKey({ tenantId: t, periodStart: s }), close]),
  );
}

/** What stands of one currency in a period: its own calls, late ones, adjustments or shares of pools. */
interface StandingCharges {
  readonly what: 'call' | 'late call' | 'allocation' | 'adjustment';
  readonly currency: string;
  readonly entries: number;
  /** The first few of them, as audit.entries shows them. */
  readonly entryIds: readonly string[];
}

/** What a period holds in more than one currency. */
export interface MixedCurrencies {
  readonly currencies: readonly string[];
  readonly charges: readonly StandingCharges[];
}

/** Reads the periods that hold charges in more than one currency that are due, by `periodKey`. */
export async function readMixedCurrencies(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<ReadonlyMap<string, MixedCurrencies>> {
  const several = await pickOfSeveralCurrencies(transaction, periods);
  if (several.length === 0) return new Map();
  const charged = await readChargedCurrencies(transaction, several);
  const currenciesOf = (period: (typeof periods)[number]) => charged.get(periodKey(period)) ?? [];
  const mixed = several.filter((period) => currenciesOf(period).length > 1);
  if (mixed.length === 0) return new Map();
  const standing = await readStandingCharges(transaction, mixed);
  return new Map(
    mixed.map((period) => {
      const charges = standing.get(periodKey(period)) ?? [];
      return [periodKey(period), { currencies: currenciesOf(period), charges }];
    }),
  );
}

/** What stands and is charged in some periods, by what it is and its currency. */
async function readStandingCharges(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<ReadonlyMap<string, readonly StandingCharges[]>> {
  const { rows } = await sql<{ t: string; s: string } & StandingCharges>`
    select k.t, k.s, o.what, e.currency, count(*)::int as entries,
      (array_agg('ent_' || e.entry_id order by e.entry_id))[1:3] as "entryIds"
    from ${keysOf(periods)} join entries e on e.tenant_id = k.t and e.period_start = k.s
    cross join lateral (select case when e.kind in ('allocation', 'adjustment') then e.kind
      when e.late then 'late call' else 'call' end as what) o
    where e.charge <> 0 and e.not_due is null and not e.is_reversal
      and not exists (select from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id)
    group by k.t, k.s, o.what, e.currency order by o.what, e.currency`.execute(transaction.kysely);
  return Map.groupBy(rows, ({ t, s }) => periodKey({ tenantId: t, periodStart: s }));
}

function keysOf(periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[]) {
  return sql`unnest(${periods.map(({ tenantId }) => tenantId)}::text[],
    ${periods.map(({ periodStart }) => periodStart)}::date[]) k(t, s)`;
}
