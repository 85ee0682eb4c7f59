import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { lookUpEntries } from '../entries/entry-store.ts';
import { IS_STEP, MOST_OF_A_SPAN, MOST_STEPS_DEEP } from './nesting.ts';

/** A call whose span names no operation, and the calls within that span, the earliest first. */
export interface UnnamedWithin {
  readonly outer: StoredEntry;
  readonly inner: readonly StoredEntry[];
}

/** Real nesting is a handful of spans deep; the limits keep hostile traces from costing more than they are worth. */
const MOST_OF_A_TRACE = 1_000;

const IS_CALL = `o.parent_span_id is not null and o.revision = 0 and o.status = 'ok'`;

/**
 * Reads, of the traces of these batches, the calls whose spans name no operation and were not taken back yet, with
 * what lies within them. Whatever of a trace is folded last finds all of it: each batch asks for the
 * trace, and goes down from such a span through steps and through calls.
 */
export async function readUnnamedSpans(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly UnnamedWithin[]> {
  const { rows } = await transaction.client.query<{ outer_id: bigint; inner_id: bigint }>({
    name: 'read-unnamed',
    text: `with traces as materialized (
        select e.trace_id from unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch('o.trace_id is not null')}
        union
        select s.trace_id from spans_of_batches($1::bigint[]) s
        where s.trace_id is not null
      ), unnamed as materialized (
        select u.* from (select array_agg(trace_id) as ids from traces) t
          cross join lateral unnamed_of_traces(t.ids, ${MOST_OF_A_TRACE}) u
      )
      select e.entry_id as outer_id, i.entry_id as inner_id
      -- What stands of it, which may be another tenant's by now.
      from unnamed u cross join lateral (
        with recursive chain as (
          select e.entry_id from entries_of_event(u.tenant_id, u.source, u.event_id) e
          where e.member_id = ''
            and e.revision = 0
          union all
          select r.entry_id from chain c cross join lateral (
            select * from corrections_of(c.entry_id) where not is_reversal) r
        )
        select c.entry_id from chain c
        where not exists (select from corrections_of(c.entry_id)) limit 1) e
      cross join lateral (
        with recursive below as (
          select u.span_id as at, 0 as steps
          union
          select c.span_id, b.steps + 1 from below b cross join lateral (
            (select s.span_id from spans_within_span(b.at) s
              where s.trace_id = u.trace_id and ${IS_STEP}
              limit ${MOST_OF_A_SPAN})
            union all
            (select o.span_id from entries_within_span(b.at) o
              where o.trace_id = u.trace_id and ${IS_CALL}
                and o.span_id is not null limit ${MOST_OF_A_SPAN})) c
          where b.steps < ${MOST_STEPS_DEEP}
        )
        select o.entry_id from (select distinct at from below limit ${MOST_OF_A_TRACE}) b cross join lateral (
          select o.entry_id from entries_within_span(b.at) o
          where o.trace_id = u.trace_id and ${IS_CALL}
          limit ${MOST_OF_A_SPAN}) o
        limit ${MOST_OF_A_TRACE}) i
      where i.entry_id <> e.entry_id
      order by outer_id, inner_id`,
    values: [batchIds],
  });
  if (rows.length === 0) return [];
  const ids = rows.flatMap(({ outer_id, inner_id }) => [outer_id, inner_id]);
  const entryOf = await lookUpEntries(transaction, ids);
  return [...Map.groupBy(rows, ({ outer_id }) => outer_id)].map(([outer, within]) => ({
    outer: entryOf(outer),
    inner: within.map(({ inner_id }) => entryOf(inner_id)),
  }));
}
