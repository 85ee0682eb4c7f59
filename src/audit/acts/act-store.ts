import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { readCursor } from '../../page.ts';
import type { ActAnswer, ActsRequest } from './acts-answer.ts';

interface ActRow extends Pick<ActAnswer, 'act' | 'actor' | 'reason' | 'rows' | 'tenant_ids'> {
  readonly act_id: bigint;
  readonly at: InstantMs;
  readonly changes: bigint;
  readonly entries: bigint;
}

/** Rows of one act that are told; it may have changed thousands. */
const ROWS_TOLD = 20;
const TENANTS_NAMED = 20;

/** What somebody asked for, and not what the service does by itself; an index has these alone, and knows them by these words. */
const ASKED_FOR = sql`c.act not in ('worker', 'serve')`;

/** Reads acts, the newest first; one act more than was asked for tells whether others follow. */
export async function readActs(
  database: Database,
  request: ActsRequest,
): Promise<readonly ActRow[]> {
  const { tenant_id: tenantId, who, act, from, to, all, limit } = request;
  const [before = null] = readCursor(request.cursor, ['number']) ?? [];
  const { rows } = await sql<ActRow>`
    with acts as materialized (
      select c.act_id, min(c.changed_at) as at, min(c.act) as act, min(c.actor) as actor, min(c.reason) as reason,
        count(*) as changes
      from changes c
      where c.act_id is not null
        ${before === null ? sql`` : sql`and c.act_id < ${before}::bigint`}
        ${who === null ? sql`` : sql`and c.actor = ${who}`}
        ${act === null ? sql`` : sql`and c.act = ${act}`}
        ${from === null ? sql`` : sql`and c.changed_at >= ${formatInstant(from)}::timestamptz`}
        ${to === null ? sql`` : sql`and c.changed_at < ${formatInstant(to)}::timestamptz`}
        ${all ? sql`` : sql`and ${ASKED_FOR}`}
        ${tenantId === null ? sql`` : sql`and c.act_id = any(array(${actsAbout(tenantId)}))`}
      group by c.act_id order by c.act_id desc limit ${limit + 1}
    )
    select a.*, e.entries, (e.tenants || t.tenants)[1:${sql.lit(TENANTS_NAMED)}] as tenant_ids,
      coalesce(r.rows, '[]') as rows
    from acts a
      cross join lateral (
        select count(*) as entries, coalesce(array_agg(distinct e.tenant_id), '{}') as tenants
        from changes c cross join lateral entries_of_batch((c.row_key ->> 'batch_id')::bigint) e
        where c.act_id = a.act_id and c.of_table = 'batches') e
      cross join lateral (
        select coalesce(array_agg(f.tenant order by f.tenant), '{}') as tenants from (
          select n.tenant from (select ${TENANT_OF} as tenant from changes c where c.act_id = a.act_id) n
          where n.tenant is not null and n.tenant <> all(e.tenants) group by n.tenant order by n.tenant limit ${sql.lit(TENANTS_NAMED)}) f) t
      cross join lateral (
        select jsonb_agg(jsonb_build_object('table', c.of_table, 'key', c.key, 'change', c.change, 'fields', c.fields)
          order by c.change_id) as rows
        from (${rowsOfAct()}) c) r
    order by a.act_id desc`.execute(database.kysely);
  return rows;
}

const TENANT_OF = sql`coalesce(c.row_key ->> 'tenant_id', c.kept ->> 'tenant_id')`;

/** Returns the numbers of the acts that changed a row of a tenant, or posted an entry of it. */
function actsAbout(tenantId: string) {
  return sql`
    select c.act_id from changes c where c.act_id is not null and ${TENANT_OF} = ${tenantId}
    union all
    select c.act_id from changes c
    where c.of_table = 'batches' and exists (
      select from entries_of_batch((c.row_key ->> 'batch_id')::bigint) e where e.tenant_id = ${tenantId})`;
}

/**
 * Returns the rows of an act beside the postings, each against what the journal kept of it before.
 */
function rowsOfAct() {
  return sql`
    select c.change_id, c.of_table,
      (select jsonb_object_agg(k.name, k.value) from jsonb_each_text(c.row_key) k(name, value)) as key,
      case when c.kept is null then 'removed' when b.kept is null then 'made' else 'changed' end as change,
      (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'was', b.kept ->> name, 'became', c.kept ->> name)
          order by name), '[]')
        from jsonb_object_keys(coalesce(b.kept, '{}') || coalesce(c.kept, '{}')) name
        where (b.kept ->> name) is distinct from (c.kept ->> name) and not c.row_key ? name) as fields
    from changes c
      left join lateral (
        select p.kept from changes p
        where p.of_table = c.of_table and p.row_key = c.row_key and p.change_id < c.change_id
        order by p.change_id desc limit 1) b on true
    where c.act_id = a.act_id and c.of_table <> 'batches'
    order by c.change_id limit ${sql.lit(ROWS_TOLD)}`;
}
