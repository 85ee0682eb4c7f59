import { sql } from 'kysely';
import { formatInstant, type InstantMs, utcDay } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { EXCHANGES_OF_ENTRIES } from '../ledger/rollups/rollup-store.ts';
import type { UsageQuestion } from './usage-report-store.ts';

interface ExchangeUsed {
  readonly source: string;
  readonly base: string;
  readonly from: InstantMs;
  readonly entries: bigint;
}

/**
 * The versions of exchange rates by which costs were converted, with how many entries by each, the oldest first. Rollups
 * of their own count them; as of an earlier instant they are counted in the entries, of which an index holds those alone.
 */
export async function readExchangesUsed(
  database: Database,
  question: UsageQuestion,
): Promise<readonly ExchangeUsed[]> {
  const { tenantId, month, from, to } = question;
  const first = month == null ? null : `${month}-01`;
  const { rows } = await sql<ExchangeUsed>`
    select v.source, v.base, v.effective_from as "from", sum(x.entries)::bigint as entries
    from ${countedFor(question)} join exchange_versions v on v.version_id = x.version_id
    where true
      ${tenantId === null ? sql`` : sql`and x.tenant_id = ${tenantId}`}
      ${first === null ? sql`` : sql`and x.period_start >= ${first}::date and x.period_start < ${first}::date + interval '1 month'`}
      ${from === null ? sql`` : sql`and x.day >= ${utcDay(from)}::date`}
      ${to === null ? sql`` : sql`and x.day < ${utcDay(to)}::date`}
    group by v.version_id, v.source, v.base, v.effective_from
    order by v.effective_from, v.version_id`.execute(database.kysely);
  return rows;
}

function countedFor({ tenantId, asOf }: UsageQuestion) {
  if (asOf === undefined) {
    return sql`${sql.table(tenantId === null ? 'ledger_exchange_rollups' : 'exchange_rollups')} x`;
  }
  return sql`(
    select e.tenant_id, e.period_start, (e.occurred_at at time zone 'UTC')::date as day, v.version_id, 1 as entries
    from entries e ${sql.raw(EXCHANGES_OF_ENTRIES)}
    where e.further_tags ? 'cost_exchange' and e.recorded_at <= ${formatInstant(asOf)}::timestamptz) x`;
}
