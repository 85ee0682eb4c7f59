import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import type { AttributionTag, MissingTag, TagCoverageRequest } from './tag-coverage-answer.ts';

/** Entries that have a tag, or have it not for one reason; corrections cancel out. */
export interface TagGroup {
  readonly tag: AttributionTag;
  readonly currency: string;
  /** It is null where they have the tag. */
  readonly reason: MissingTag['reason'] | null;
  readonly source: string;
  readonly entries: bigint;
  readonly cost: Pico;
  readonly uncosted: bigint;
}

/** The source is no dimension of a rollup, so the entries themselves are summed. */
export async function readTagCoverage(
  database: Database,
  { month, from, to, tenant_id: tenantId }: TagCoverageRequest,
): Promise<readonly TagGroup[]> {
  const first = month === null ? null : `${month}-01`;
  const { rows } = await sql<TagGroup>`
    select t.tag, e.currency,
      case when t.has then null when e.kind = 'allocation' then 'shared_cost'
        when e.member_id <> '' then 'member_untagged'
        when e.tenant_id = ${UNATTRIBUTED}
          and coalesce(e.user_id, e.feature, e.agent_run_id, e.prompt_version) is null then 'nothing_tagged'
        else 'tag_missing' end as reason,
      e.source, sum(e.one)::bigint as entries, coalesce(sum(e.cost), 0) as cost,
      coalesce(sum(e.one) filter (where e.cost is null and not e.is_apart), 0)::bigint as uncosted
    from (select *, case when is_reversal then -1 else 1 end as one,
        ${first === null ? sql`false` : sql`of_entry is not null`} as is_apart
      from entries ${first === null ? sql`` : reversedBefore(first)}
      where kind <> 'adjustment'
        ${tenantId === null ? sql`` : sql`and tenant_id = ${tenantId}`}
        ${first === null ? sql`` : sql`and period_start >= ${first}::date and period_start < ${first}::date + interval '1 month'`}
        ${from === null ? sql`` : sql`and occurred_at >= ${formatInstant(from)}::timestamptz`}
        ${to === null ? sql`` : sql`and occurred_at < ${formatInstant(to)}::timestamptz`}) e
    cross join lateral (values
      ('tenant', e.tenant_id <> ${UNATTRIBUTED}), ('user', e.user_id is not null),
      ('feature', e.feature is not null), ('agent_run', e.agent_run_id is not null),
      ('prompt_version', e.prompt_version is not null)) t(tag, has)
    group by 1, 2, 3, 4`.execute(database.kysely);
  return rows;
}

/** Joins reversals in the month of what stands in a period before it, which take back nothing of the month (R10). */
function reversedBefore(first: string) {
  return sql`left join (
    select e.tenant_id as of_tenant, e.entry_id as of_entry from entries e
    join entries o on o.tenant_id = e.tenant_id and o.entry_id = e.corrects_entry_id
    where e.corrects_entry_id is not null and e.is_reversal and o.period_start < ${first}::date
      and e.period_start >= ${first}::date and e.period_start < ${first}::date + interval '1 month'
    ) reversed on of_tenant = tenant_id and of_entry = entry_id`;
}
