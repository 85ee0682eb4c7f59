import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';
import { UNITS } from '../units.ts';
import type { DriftDimension } from './cost-drift-answer.ts';
import type { Regressor } from './explain-drift.ts';

export interface DriftQuestion {
  readonly by: readonly DriftDimension[];
  readonly tenantId: string | null;
  /** The month in which the periods begin; null for any. */
  readonly month: string | null;
  readonly from: InstantMs | null;
  readonly to: InstantMs | null;
}

export interface DriftGroup {
  readonly dimensions: readonly (string | null)[];
  readonly reportedBy: string | null;
  readonly currency: string;
  readonly callsInGroup: bigint;
  readonly calls: bigint;
  readonly callsWithBoth: bigint;
  readonly converted: bigint;
  readonly inOtherCurrency: bigint;
  readonly reportedCost: Pico;
  readonly ourCost: Pico;
  readonly squared: bigint;
  readonly regressors: readonly Regressor[];
}

const COLUMNS: Readonly<Record<DriftDimension, string>> = {
  provider: 'e.provider',
  model: 'e.executed_model',
  requested_model: 'e.requested_model',
  tenant: 'e.tenant_id',
  day: "(e.occurred_at at time zone 'UTC')::date::text",
};

/** What may explain a drift: each unit, a fee of the call, and a factor on all prices alike. */
export const CALL = 'call';
export const EVERY_UNIT = 'every_unit';

const TEXT_COUNTS: Readonly<Record<string, string>> = {
  input_tokens: 'e.uncached_input_tokens',
  cache_read_tokens: 'e.cache_read_tokens',
  cache_write_tokens: 'e.cache_write_tokens',
  output_tokens: 'e.output_tokens',
};

const COUNTS: readonly (readonly [name: string, of: string])[] = [
  ...UNITS.map(
    ({ name }) =>
      [name, TEXT_COUNTS[name] ?? `coalesce((e.units ->> '${name}')::numeric, 0)`] as const,
  ),
  [CALL, '1'],
  [EVERY_UNIT, 'e.cost'],
];

/**
 * What was reported, in the currency of the entry: by the rates that held when the call completed, rounded half up
 * once, as our own cost is converted. Null where no version of rates knows both currencies.
 */
const REPORTED_IN_OURS = sql`
  left join lateral (
    select case when v.base = e.currency then 1000000000000 else t.rate end as to_ours,
      case when v.base = e.reported_cost_currency then 1000000000000 else f.rate end as from_theirs
    from exchange_versions v
      left join exchange_rates t on t.version_id = v.version_id and t.currency = e.currency
      left join exchange_rates f on f.version_id = v.version_id and f.currency = e.reported_cost_currency
    -- As where a cost is converted, a version holds for the whole second in which it begins.
    where e.reported_cost_currency <> e.currency and date_trunc('second', v.effective_from) <= e.occurred_at
      and (v.base = e.currency or t.rate is not null) and (v.base = e.reported_cost_currency or f.rate is not null)
    order by v.effective_from desc, v.base limit 1
  ) x on true
  cross join lateral (
    select case when e.reported_cost_currency = e.currency then e.reported_cost
      else div(2 * e.reported_cost * x.to_ours + x.from_theirs, 2 * x.from_theirs) end as reported
  ) r`;

/**
 * Sums of the calls that stand, with what a fit of the drift needs. A member of a batched request is left out: what
 * is reported is the cost of the whole request.
 */
export async function readCostDrift(
  database: Database,
  { by, tenantId, month, from, to }: DriftQuestion,
): Promise<readonly DriftGroup[]> {
  const first = month === null ? null : `${month}-01`;
  const dimensions = sql.raw(`array[${by.map((name) => COLUMNS[name]).join(', ')}]::text[]`);
  const fits = sql.raw(
    COUNTS.flatMap(([, of]) => [
      `coalesce(sum((e.reported - e.cost)::numeric * ${of}) filter (where e.has_both), 0)`,
      `coalesce(sum(${of}::numeric * ${of}) filter (where e.has_both), 0)`,
    ]).join(', '),
  );
  const none = sql.raw(`array[${COUNTS.map(() => "'0', '0'").join(', ')}]::text[]`);
  const { rows } = await sql<GroupRow>`
    with call as not materialized (
      select * from entries
      where kind in ('usage', 'correction') and not is_reversal and member_id = ''
        and not exists (select 1 from entries c
          where c.tenant_id = entries.tenant_id and c.corrects_entry_id = entries.entry_id)
        ${tenantId === null ? sql`` : sql`and tenant_id = ${tenantId}`}
        ${first === null ? sql`` : sql`and period_start >= ${first}::date and period_start < ${first}::date + interval '1 month'`}
        ${from === null ? sql`` : sql`and occurred_at >= ${formatInstant(from)}::timestamptz`}
        ${to === null ? sql`` : sql`and occurred_at < ${formatInstant(to)}::timestamptz`}
    ), reported as (
      select e.*, r.reported, r.reported is not null and cost is not null as has_both
      from call e ${REPORTED_IN_OURS} where e.reported_cost is not null
    ), summed as (
      select ${dimensions} as dimensions, e.reported_cost_source as reported_by, e.currency, count(*) as calls,
        count(*) filter (where e.has_both) as calls_with_both,
        count(*) filter (where e.has_both and e.reported_cost_currency <> e.currency) as converted,
        count(*) filter (where e.reported is null) as in_other_currency,
        coalesce(sum(e.reported) filter (where e.has_both), 0) as reported_cost,
        coalesce(sum(e.cost) filter (where e.has_both), 0) as our_cost,
        coalesce(sum((e.reported - e.cost)::numeric * (e.reported - e.cost)) filter (where e.has_both), 0) as squared,
        array[${fits}]::text[] as fits
      from reported e group by 1, 2, 3
      union all
      -- Most calls report no cost: they are counted, and nothing of them is summed.
      select ${dimensions}, null, e.currency, count(*), 0, 0, 0, 0, 0, 0, ${none}
      from call e where e.reported_cost is null group by 1, 2, 3
    )
    select *, (sum(calls) over (partition by dimensions))::bigint as calls_in_group
    from summed order by 1, 2, 3`.execute(database.kysely);
  return rows.map(toGroup);
}

interface GroupRow {
  readonly dimensions: readonly (string | null)[];
  readonly reported_by: string | null;
  readonly currency: string;
  readonly calls_in_group: bigint;
  readonly calls: bigint;
  readonly calls_with_both: bigint;
  readonly converted: bigint;
  readonly in_other_currency: bigint;
  readonly reported_cost: bigint;
  readonly our_cost: bigint;
  readonly squared: bigint;
  readonly fits: readonly string[];
}

function toGroup(row: GroupRow): DriftGroup {
  return {
    dimensions: row.dimensions,
    reportedBy: row.reported_by,
    currency: row.currency,
    callsInGroup: row.calls_in_group,
    calls: row.calls,
    callsWithBoth: row.calls_with_both,
    converted: row.converted,
    inOtherCurrency: row.in_other_currency,
    reportedCost: row.reported_cost,
    ourCost: row.our_cost,
    squared: row.squared,
    regressors: COUNTS.map(([name], index) => ({
      name,
      withDrift: BigInt(row.fits[2 * index] ?? 0),
      squared: BigInt(row.fits[2 * index + 1] ?? 0),
    })),
  };
}
