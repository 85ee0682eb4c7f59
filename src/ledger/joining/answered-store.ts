import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { lookUpEntries } from '../entries/entry-store.ts';
import { IS_BARE, STANDS_AS_REPORTED } from '../posting/other-reports-store.ts';
import { IS_STEP, MOST_OF_A_SPAN, MOST_STEPS_DEEP } from './nesting.ts';
import { readRevisionsOfEvents } from './reports-beside-store.ts';

/** A call whose span names its answer, and one within it that names none, with how many steps lie between. */
export interface AnsweredAround {
  readonly outer: StoredEntry;
  readonly inner: StoredEntry;
  readonly steps: number;
}

const IN_A_TRACE = `o.trace_id is not null and ${STANDS_AS_REPORTED}`;

/** Joins the steps right within a span of a trace, as `s`. */
function stepsWithin(spanId: string, traceId: string): string {
  return `cross join lateral (
          select s.span_id from spans_within_span(${spanId}) s
          where s.trace_id = ${traceId} and ${IS_STEP} limit ${MOST_OF_A_SPAN}) s`;
}

/**
 * Reads, of the spans that these batches brought, each call that names no answer and lies within one that names it, past
 * any number of steps. Nearly every call names its answer, and an index of all their spans would cost each of them a
 * tenth of its posting. So what lies around is found by the id that a span's event has, of one tenant and source; what
 * lies right within a call of these batches is found by its own mark. LIMIT and OFFSET 0 keep each a look-up, and what an
 * index of few or of responses holds is asked outside: else that index is read whole where the planner has no statistics.
 */
export async function readAnsweredAround(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly AnsweredAround[]> {
  const { rows } = await transaction.client.query<AroundRow>({
    name: 'read-answered',
    text: `with recursive below as (
        select s.trace_id, s.span_id as at, 0 as steps from spans_of_batches($1::bigint[]) s
        where ${IS_STEP} and s.trace_id is not null
        union
        select e.trace_id, s.span_id, 0
        from unnest($1::bigint[]) batch(batch_id)
        ${entriesOfBatch(IN_A_TRACE)} ${stepsWithin('e.span_id', 'e.trace_id')}
        where e.span_id is not null and e.response_id is not null and e.gateway_cache = 'none'
        union
        select b.trace_id, s.span_id, b.steps + 1 from below b ${stepsWithin('b.at', 'b.trace_id')}
        where b.steps < ${MOST_STEPS_DEEP}
      ), bare as materialized (
        select e.entry_id, e.tenant_id, e.source, e.trace_id, e.parent_span_id
        from unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch(IN_A_TRACE)}
        where e.parent_span_id is not null and (e.response_id is null or e.gateway_cache <> 'none')
        union
        select o.* from (select distinct trace_id, at from below) b cross join lateral (
          select o.entry_id, o.tenant_id, o.source, o.trace_id, o.parent_span_id from (
            select * from entries_within_span(b.at) o
            where o.trace_id = b.trace_id and ${STANDS_AS_REPORTED} offset 0) o
          where ${IS_BARE} limit ${MOST_OF_A_SPAN}) o
      ), risen as (
        select b.entry_id, b.tenant_id, b.source, b.trace_id, b.parent_span_id as at, 0 as steps from bare b
        union all
        select r.entry_id, r.tenant_id, r.source, r.trace_id, s.parent_span_id, r.steps + 1
        from risen r cross join lateral (
          select s.parent_span_id from spans_of_span(r.at) s
          where s.trace_id = r.trace_id and ${IS_STEP} limit 1) s
        where r.steps < ${MOST_STEPS_DEEP}
      )
      select distinct o.entry_id as outer_id, r.entry_id as inner_id, r.steps
      from risen r cross join unnest(array[r.tenant_id, '${UNATTRIBUTED}']) of_tenant(id) cross join lateral (
        select o.entry_id from (
          select * from entries_of_event(of_tenant.id, r.source, r.trace_id || ':' || r.at) offset 0) o
        where o.member_id = '' and o.trace_id = r.trace_id and o.span_id = r.at and not ${IS_BARE}
          and ${STANDS_AS_REPORTED} limit 1) o
      order by outer_id, inner_id`,
    values: [batchIds],
  });
  if (rows.length === 0) return [];
  const ids = rows.flatMap(({ outer_id, inner_id }) => [outer_id, inner_id]);
  const entryOf = await lookUpEntries(transaction, ids);
  const movedOf = await readMoved(
    transaction,
    rows.map(({ outer_id }) => entryOf(outer_id)),
  );
  return rows.map(({ outer_id, inner_id, steps }) => {
    const outer = entryOf(outer_id);
    return { outer: movedOf.get(outer_id) ?? outer, inner: entryOf(inner_id), steps };
  });
}

/** Reads what became of calls that were nobody's at first and are a tenant's by now, who is not looked for otherwise. */
async function readMoved(
  transaction: Transaction,
  outers: readonly StoredEntry[],
): Promise<ReadonlyMap<bigint, StoredEntry>> {
  const nobodys = outers.filter(({ tenantId }) => tenantId === UNATTRIBUTED);
  if (nobodys.length === 0) return new Map();
  const revisions = await readRevisionsOfEvents(transaction, nobodys);
  return new Map(
    revisions.flatMap((ofEvent, place): [bigint, StoredEntry][] => {
      const [outer, last] = [nobodys[place], ofEvent.at(-1)];
      if (outer === undefined || last === undefined || last.tenantId === UNATTRIBUTED) return [];
      return [[outer.entryId, last]];
    }),
  );
}

interface AroundRow {
  readonly outer_id: bigint;
  readonly inner_id: bigint;
  readonly steps: number;
}
