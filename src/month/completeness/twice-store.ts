import { type RawBuilder, sql } from 'kysely';
import { type Database, inTransaction, type Transaction } from '../../database/database.ts';
import type { Scope } from './completeness-store.ts';
import { isInScope, STANDS_UNCORRECTED, TWICE_READ } from './completeness-store.ts';

/** One event, or one member of it, that stands under several tenants. */
export interface SharedRow {
  readonly source: string;
  readonly event_id: string;
  readonly member_id: string;
  readonly tenants: readonly string[];
  readonly entry_ids: readonly string[];
  readonly charge: bigint | null;
  readonly currencies: readonly string[];
}

/**
 * Reads events that stand under two tenants (R24), one of them in the month at least. Keys begin with the tenant, so
 * that no constraint can hold this, and it is looked for beside the hot path: first by the hashes of events and of
 * tenants, which are small enough for memory and need no sorting, then what still stands.
 */
export function readShared(database: Database, scope: Scope): Promise<readonly SharedRow[]> {
  return inTransaction(database, async (transaction) => {
    const { isInMonth, isLookedAt } = await lookBeside(transaction, scope);
    const { rows } = await sql<SharedRow>`
      with several as materialized (
        select event from (
          select ${EVENT_HASH} as event, hashtextextended(e.tenant_id, 0) as tenant from entries e
          where ${isLookedAt} and e.kind in ('usage', 'correction')
        ) h group by event having min(tenant) <> max(tenant)
      )
      select e.source, e.event_id, e.member_id, array_agg(distinct e.tenant_id) as tenants,
        array_agg('ent_' || e.entry_id order by e.entry_id) as entry_ids,
        sum(e.charge) as charge, array_agg(distinct e.currency) as currencies
      from entries e
      where (select count(*) from several) > 0 and ${EVENT_HASH} in (select event from several)
        and ${isLookedAt} and ${STANDS_UNCORRECTED}
      group by e.source, e.event_id, e.member_id having count(distinct e.tenant_id) > 1 and bool_or(${isInMonth})
        and (${scope.tenantId}::text is null or ${scope.tenantId} = any(array_agg(e.tenant_id)))
      order by e.source, e.event_id, e.member_id limit ${TWICE_READ}`.execute(transaction.kysely);
    return rows;
  });
}

/** So much holds the hashes of some million events; of more, Postgres writes a part to disk. */
const MEMORY_OF_HASHES = '64MB';

const EVENT_HASH = sql`hashtextextended(e.event_id, hashtextextended(e.source, hashtextextended(e.member_id, 0)))`;

/**
 * What one call left may stand in periods of two months: in one of them late, or because two tenants begin theirs on
 * other days. Beside the entries of the month those are looked at which occurred on its days, or a day before or
 * after, and stand in other periods. The rollups tell which days these are, so that mostly few entries are read more.
 */
async function lookBeside({ client, kysely }: Transaction, scope: Scope) {
  await client.query(`set local work_mem = '${MEMORY_OF_HASHES}'`);
  const everyone = { ...scope, tenantId: null };
  const isOfMonth = isInScope(everyone, 'r');
  const { rows } = await sql<{ first: string; end: string }>`
    with days as (select distinct r.day from ledger_rollups r where ${isOfMonth}),
    beside as (
      select distinct r.day from ledger_rollups r where not (${isOfMonth})
        and exists (select from days d where d.day in (r.day - 1, r.day, r.day + 1))
    )
    select min(day) as first, max(day) + 1 as end
    from (select day, day - row_number() over (order by day)::int as row_of_days from beside) b
    group by row_of_days order by first`.execute(kysely);
  const isInMonth = isInScope(everyone, 'e');
  const isBeside = rows.map(
    ({ first, end }) =>
      sql`e.occurred_at >= ${`${first}T00:00:00Z`}::timestamptz and e.occurred_at < ${`${end}T00:00:00Z`}::timestamptz`,
  );
  const each = [isInMonth, ...isBeside].map((condition) => sql`(${condition})`);
  return { isInMonth, isLookedAt: sql`(${sql.join(each, sql` or `)})` };
}

/** An event that stands, and has the response, or the call of a gateway, of another event that stands. */
export interface AlikeRow {
  /** What the two have in common, as a number. */
  readonly mark: bigint;
  readonly source: string;
  readonly event_id: string;
  /** One of its entries; each of them says of the whole call what all of them say. */
  readonly entry_id: bigint;
  readonly is_in_month: boolean;
  readonly is_divided: boolean;
  readonly tenants: readonly string[];
  readonly entry_ids: readonly string[];
  readonly charge: bigint | null;
  readonly currencies: readonly string[];
}

/** More events than this share a mark only where it marks no call. */
const MOST_ALIKE = 100;

/**
 * Reads events that may be reports of one call under other tenants, or of other members, by what they have in common.
 * The key of responses has the tenant and the member in it, and the fold compares reports of one tenant's member alone. The
 * members of one event share its response by right. What it finds are candidates, sought as events under two tenants are.
 */
export async function readAlike(
  transaction: Transaction,
  scope: Scope,
): Promise<readonly AlikeRow[]> {
  const { isInMonth, isLookedAt } = await lookBeside(transaction, scope);
  const isAnswer = sql`e.status = 'ok' and not e.is_reversal and e.kind in ('usage', 'correction') and ${isLookedAt}`;
  const ofMarks = (
    columns: RawBuilder<unknown>,
    isAsked: (mark: RawBuilder<unknown>) => RawBuilder<unknown>,
  ) => {
    const of = MARKS.map(
      ({ mark, isThere }) =>
        sql`select ${mark} as mark, ${columns} from entries e where ${isThere} and ${isAnswer} and ${isAsked(mark)}`,
    );
    return sql`(${sql.join(of, sql` union all `)})`;
  };
  const sent = ofMarks(sql`${SENT_HASH} as sent`, () => sql`true`);
  const found = ofMarks(
    sql`e.source, e.event_id, e.entry_id, e.member_id, e.tenant_id, e.charge, e.currency, ${isInMonth} as is_in_month`,
    (mark) =>
      sql`(select count(*) from several) > 0 and ${mark} in (select mark from several) and ${STANDS_UNCORRECTED}`,
  );
  const { rows } = await sql<AlikeRow>`
    with several as materialized (
      select mark from ${sent} h group by mark having min(sent) <> max(sent)
    )
    select * from (
      select mark, source, event_id, min(entry_id) as entry_id, bool_or(is_in_month) as is_in_month,
        bool_or(member_id <> '') as is_divided, array_agg(distinct tenant_id) as tenants,
        array_agg('ent_' || entry_id order by entry_id) as entry_ids,
        sum(charge) as charge, array_agg(distinct currency) as currencies,
        count(*) over (partition by mark) as events
      from ${found} f group by mark, source, event_id
    ) g where events between 2 and ${MOST_ALIKE}
    order by mark, entry_id limit ${2 * TWICE_READ}`.execute(transaction.kysely);
  return rows;
}

/** A gateway's cache answers with an older response, and that is a call of its own (R6). */
const MARKS = [
  {
    mark: sql`hashtextextended(e.response_id, 0)`,
    isThere: sql`e.response_id is not null and e.gateway_cache = 'none'`,
  },
  { mark: sql`hashtextextended(e.call_id, 1)`, isThere: sql`e.call_id is not null` },
];

const SENT_HASH = sql`hashtextextended(e.event_id, hashtextextended(e.source, 0))`;

/** An event that stands, and reports a span that is or may be around or within that of another one. */
export interface NestedRow extends AlikeRow {
  readonly is_outer: boolean;
}

/**
 * Reads events of which one reports a span right within that of another one, sought as events under two tenants are. Beside
 * them are those of one trace that count the same, of which one names its answer and another one does not: the spans
 * between an answer and what lies within it are not kept where its program sends them with it.
 */
export async function readNestedEvents(
  transaction: Transaction,
  scope: Scope,
): Promise<readonly NestedRow[]> {
  const { isInMonth, isLookedAt } = await lookBeside(transaction, scope);
  const placed = (columns: RawBuilder<unknown>, isAsked: RawBuilder<unknown>) => sql`(
    select p.mark, p.is_outer, ${columns}
    from entries e cross join lateral (values (${spanHash('span_id')}, true), (${spanHash('parent_span_id')}, false),
      (${COUNTS_HASH}, e.response_id is not null)) p(mark, is_outer)
    where e.trace_id is not null and p.mark is not null and e.status = 'ok' and not e.is_reversal
      and e.kind in ('usage', 'correction') and e.member_id = '' and e.gateway_cache = 'none' and ${isLookedAt} and ${isAsked})`;
  const { rows } = await sql<NestedRow>`
    with several as materialized (
      select mark from ${placed(sql`e.entry_id`, sql`true`)} h
      group by mark having bool_or(is_outer) and not bool_and(is_outer)
    )
    select * from (
      select mark, is_outer, source, event_id, min(entry_id) as entry_id, bool_or(is_in_month) as is_in_month,
        false as is_divided, array_agg(distinct tenant_id) as tenants,
        array_agg('ent_' || entry_id order by entry_id) as entry_ids,
        sum(charge) as charge, array_agg(distinct currency) as currencies,
        count(*) over (partition by mark) as events
      from ${placed(
        sql`e.source, e.event_id, e.entry_id, e.tenant_id, e.charge, e.currency, ${isInMonth} as is_in_month`,
        sql`(select count(*) from several) > 0 and p.mark in (select mark from several) and ${STANDS_UNCORRECTED}`,
      )} f group by mark, is_outer, source, event_id
    ) g where events between 2 and ${MOST_ALIKE}
    order by mark, entry_id limit ${2 * TWICE_READ}`.execute(transaction.kysely);
  return rows;
}

/** Few tokens are given out by chance, too, and a span that nothing encloses lies within no other. */
const COUNTS_HASH = sql`case when e.output_tokens >= 32 and (e.response_id is not null or e.parent_span_id is not null)
  then hashtextextended(e.trace_id,
    (e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens) # (e.output_tokens << 32)) end`;

function spanHash(name: 'span_id' | 'parent_span_id') {
  return sql`hashtextextended(${sql.ref(`e.${name}`)}, hashtextextended(e.trace_id, 0))`;
}
