import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';
import type { CountsDimension, CountsRequest, CountsRow } from './counts-answer.ts';

/** Entries of one kind of certainty, in one currency. */
export interface CountsGroup {
  readonly dimensions: readonly (string | null)[];
  readonly usage_source: CountsRow['usage_source'];
  readonly currency: string;
  readonly entries: bigint;
  readonly input_tokens: bigint;
  readonly output_tokens: bigint;
  readonly charge: Pico;
  readonly without_charge: bigint;
  readonly first_entry_id: bigint;
}

const COLUMNS: Readonly<Record<CountsDimension, string>> = {
  source: 'e.source',
  provider: 'e.provider',
  model: 'e.executed_model',
  requested_model: 'e.requested_model',
  tenant: 'e.tenant_id',
  day: "(e.occurred_at at time zone 'UTC')::date::text",
};

/** Sums successful calls that stand by how sure their counts are, the least sure first. */
export async function readCounts(
  database: Database,
  { by, tenant_id: tenantId, month, from, to }: CountsRequest,
): Promise<readonly CountsGroup[]> {
  const first = month === null ? null : `${month}-01`;
  const dimensions = sql.raw(`array[${by.map((name) => COLUMNS[name]).join(', ')}]::text[]`);
  const { rows } = await sql<CountsGroup>`
    select ${dimensions} as dimensions, e.usage_source, e.currency, count(*) as entries,
      sum(e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens + units_within(e.units, 'input'))::bigint as input_tokens,
      sum(e.output_tokens + units_within(e.units, 'output'))::bigint as output_tokens,
      coalesce(sum(e.charge), 0) as charge, count(*) filter (where e.charge is null) as without_charge,
      min(e.entry_id) as first_entry_id
    from entries e
    where e.kind in ('usage', 'correction') and not e.is_reversal and e.status = 'ok'
      and not exists (select from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id)
      ${tenantId === null ? sql`` : sql`and e.tenant_id = ${tenantId}`}
      ${first === null ? sql`` : sql`and e.period_start >= ${first}::date and e.period_start < ${first}::date + interval '1 month'`}
      ${from === null ? sql`` : sql`and e.occurred_at >= ${formatInstant(from)}::timestamptz`}
      ${to === null ? sql`` : sql`and e.occurred_at < ${formatInstant(to)}::timestamptz`}
    group by 1, 2, 3 order by 2, 7 desc, 1, 3`.execute(database.kysely);
  return rows;
}
