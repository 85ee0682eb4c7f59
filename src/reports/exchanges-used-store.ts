import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { UsageQuestion } from './usage-report-store.ts';

interface ExchangeUsed {
  readonly source: string;
  readonly base: string;
  readonly from: InstantMs;
  readonly entries: bigint;
}

/**
 * The versions of exchange rates by which costs were converted, with how many entries by each, the oldest
 * first. Which rates converted a cost stands with its entry, and not in rollups; an index holds those alone.
 */
export async function readExchangesUsed(
  database: Database,
  { tenantId, month, from, to, asOf }: UsageQuestion,
): Promise<readonly ExchangeUsed[]> {
  const first = month == null ? null : `${month}-01`;
  const { rows } = await sql<ExchangeUsed>`
    select v.source, v.base, v.effective_from as "from", count(*) as entries
    from entries e join exchange_versions v on v.version_id::text = e.further_tags ->> 'cost_exchange'
    where e.further_tags ? 'cost_exchange'
      ${tenantId === null ? sql`` : sql`and e.tenant_id = ${tenantId}`}
      ${first === null ? sql`` : sql`and e.period_start >= ${first}::date and e.period_start < ${first}::date + interval '1 month'`}
      ${from === null ? sql`` : sql`and e.occurred_at >= ${formatInstant(from)}::timestamptz`}
      ${to === null ? sql`` : sql`and e.occurred_at < ${formatInstant(to)}::timestamptz`}
      ${asOf === undefined ? sql`` : sql`and e.recorded_at <= ${formatInstant(asOf)}::timestamptz`}
    group by v.version_id, v.source, v.base, v.effective_from
    order by v.effective_from, v.version_id`.execute(database.kysely);
  return rows;
}
