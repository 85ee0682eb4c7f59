import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { lookUpEntries, readEntries, STANDS } from '../entries/entry-store.ts';
import type { EventOf } from '../posting/other-reports-store.ts';
import {
  AROUND_SPAN,
  EVERY_MARK,
  IS_BARE,
  MOST_REPORTS,
  OF_RESPONSE_OF_NOBODY,
  STANDS_AS_REPORTED,
  WITHIN_SPAN,
  withMarkOf,
} from '../posting/other-reports-store.ts';
import type { Held } from './held-store.ts';
import { IS_ONE_OF_FEW } from './held-store.ts';
import { IS_STEP, MOST_STEPS_DEEP } from './nesting.ts';

/**
 * What may be other reports of the calls of these batches. One of every pair is one of few: a report of a gateway's
 * call, without a tenant, without a response, or that posting found to share its response. So the others are
 * looked at only where the ledger holds such reports at all.
 */
export async function readReportsBeside(
  transaction: Transaction,
  batchIds: readonly bigint[],
  held: Held,
): Promise<ReportsBeside> {
  const marked = await readMarked(transaction, batchIds, held);
  const nested = held.bareSpans ? await readNested(transaction, batchIds) : [];
  const ids = [...marked, ...nested].flatMap(({ one, other }) => [one, other]);
  if (ids.length === 0) return { pairs: [], within: [] };
  const entryOf = await lookUpEntries(transaction, ids);
  const inners = Map.groupBy(nested, ({ one }) => one);
  return {
    pairs: marked.map(({ one, other }) => [entryOf(one), entryOf(other)]),
    within: [...inners].map(([outer, spans]) => ({
      outer: entryOf(outer),
      inner: spans.map(({ other, steps }) => ({ entry: entryOf(other), steps })),
    })),
  };
}

export interface ReportsBeside {
  /** Two entries that share a mark, the earlier first. */
  readonly pairs: readonly (readonly [StoredEntry, StoredEntry])[];
  readonly within: readonly SpansWithin[];
}

/** A span that names no answer, and the calls within it, with how many steps lie between. */
export interface SpansWithin {
  readonly outer: StoredEntry;
  readonly inner: readonly { readonly entry: StoredEntry; readonly steps: number }[];
}

interface Pair {
  readonly one: bigint;
  readonly other: bigint;
}

async function readMarked(
  transaction: Transaction,
  batchIds: readonly bigint[],
  { few, nobodysAnswers, bareSpans }: Held,
): Promise<readonly Pair[]> {
  const read = (name: string, of: string, by: readonly string[]) =>
    readPairs(transaction, batchIds, { name, of, by });
  const others = `${STANDS_AS_REPORTED} and o.response_id is not null`;
  return [
    ...(few ? await read('few', IS_ONE_OF_FEW, EVERY_MARK) : []),
    ...(nobodysAnswers ? await read('nobodys', others, [OF_RESPONSE_OF_NOBODY]) : []),
    ...(bareSpans ? await read('spans', others, [WITHIN_SPAN, AROUND_SPAN]) : []),
  ];
}

async function readPairs(
  transaction: Transaction,
  batchIds: readonly bigint[],
  which: { readonly name: string; readonly of: string; readonly by: readonly string[] },
): Promise<readonly Pair[]> {
  const { rows } = await transaction.client.query<Pair>({
    name: `read-pairs-${which.name}`,
    text: `select distinct least(w.entry_id, o.entry_id) as one, greatest(w.entry_id, o.entry_id) as other
      from (
        select e.*, e.response_id is null or e.gateway_cache <> 'none' as is_bare,
          e.gateway_cache = 'none' and (e.shares_response or e.tenant_id = '${UNATTRIBUTED}') as asks_response
        from unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch(which.of)}
      ) w
      ${withMarkOf(which.by)}
      where o.entry_id <> w.entry_id and not (${IS_MOVE})
      order by one, other`,
    values: [batchIds],
  });
  return rows;
}

/** One is the other after it was moved to another tenant: the two are one report. One that was sent anew has its own digest. */
const IS_MOVE = `'correction' in (w.kind, o.kind) and o.source = w.source and o.event_id = w.event_id
        and o.member_id = w.member_id and o.event_digest = w.event_digest`;

/** Real nesting is a handful of spans deep; the limits keep hostile traces from costing more than they are worth. */
const MOST_STEPS_WITHIN = 1_000;

/**
 * Pairs of an outer span that names no answer (`one`) and one that lies within it (`other`), directly or with any
 * number of steps of the structure between. Whatever of them is folded last finds the others: an inner span and
 * a step rise to those around them, and everything within those is found by going down again.
 */
async function readNested(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly (Pair & { readonly steps: number })[]> {
  const { rows } = await transaction.client.query<Pair & { steps: number }>({
    name: 'read-nested',
    text: `with recursive w as materialized (
        select e.entry_id, e.tenant_id, e.trace_id, e.span_id, e.parent_span_id,
          e.response_id is null or e.gateway_cache <> 'none' as is_bare
        from unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch(`${STANDS_AS_REPORTED} and o.trace_id is not null`)}
      ), risen as (
        select w.trace_id, w.parent_span_id as at, 0 as steps from w where w.parent_span_id is not null
        union
        select s.trace_id, s.parent_span_id, 0 from spans_of_batches($1::bigint[]) s
        where ${IS_STEP} and s.trace_id is not null
        union
        select r.trace_id, s.parent_span_id, r.steps + 1 from risen r cross join lateral (
          select s.parent_span_id from spans_of_span(r.at) s
          where s.trace_id = r.trace_id and ${IS_STEP} limit 1) s
        where r.steps < ${MOST_STEPS_DEEP}
      ), around as (
        select w.entry_id, w.tenant_id, w.trace_id, w.span_id from w where w.is_bare and w.span_id is not null
        union
        select o.* from (select distinct trace_id, at from risen) r cross join lateral (
          select o.entry_id, o.tenant_id, o.trace_id, o.span_id from entries_of_span(r.at) o
          where o.span_id is not null and o.trace_id = r.trace_id
            and ${IS_BARE} and ${STANDS_AS_REPORTED} limit ${MOST_REPORTS}) o
      )
      select u.entry_id as one, i.entry_id as other, i.steps
      from around u cross join lateral (
        with recursive below as (
          select u.span_id as at, 0 as steps
          union
          select s.span_id, b.steps + 1 from below b cross join lateral (
            select s.span_id from spans_within_span(b.at) s
            where s.trace_id = u.trace_id and ${IS_STEP}
            limit ${MOST_REPORTS}) s
          where b.steps < ${MOST_STEPS_DEEP}
        )
        select o.entry_id, b.steps from (select * from below limit ${MOST_STEPS_WITHIN}) b cross join lateral (
          select o.entry_id, o.tenant_id from entries_within_span(b.at) o
          where o.trace_id = u.trace_id
            and ${STANDS_AS_REPORTED} limit ${MOST_REPORTS}) o
        where o.tenant_id = u.tenant_id or '${UNATTRIBUTED}' in (o.tenant_id, u.tenant_id)
        limit ${MOST_STEPS_WITHIN}) i
      where i.entry_id <> u.entry_id
      order by one, other`,
    values: [batchIds],
  });
  return rows;
}

/** Reads what stands of these parts of events, after whatever corrected them. */
export async function readStandingParts(
  transaction: Transaction,
  parts: readonly StoredEntry[],
): Promise<readonly StoredEntry[]> {
  if (parts.length === 0) return [];
  const { rows } = await transaction.client.query<{ entry_id: bigint }>(
    `select e.entry_id from unnest($1::text[], $2::text[], $3::text[], $4::text[]) p(t, s, v, m)
     join entries e on e.tenant_id = p.t and e.source = p.s and e.event_id = p.v and e.member_id = p.m
     where ${STANDS}`,
    [
      parts.map((part) => part.tenantId),
      parts.map((part) => part.source),
      parts.map((part) => part.eventId),
      parts.map((part) => part.memberId),
    ],
  );
  return readEntries(
    transaction,
    rows.map((row) => row.entry_id),
  );
}

/** More reports than these repeat one another in a row nowhere. */
const MOST_IN_A_ROW = 32;

/** Reads which event is kept in the end in the place of each of these, which may be second reports themselves. */
export async function readKeptOf(
  transaction: Transaction,
  events: readonly EventOf[],
): Promise<readonly EventOf[]> {
  let kept = events;
  for (let step = 0; step < MOST_IN_A_ROW; step++) {
    const { rows } = await transaction.client.query<EventOf & { readonly n: number }>({
      name: 'read-kept-of',
      text: `select k.n::int as n, r.repeats_tenant_id as "tenantId", r.repeats_source as source,
          r.repeats_event_id as "eventId"
        from unnest($1::text[], $2::text[], $3::text[]) with ordinality k(t, s, v, n)
        join second_reports r on r.tenant_id = k.t and r.source = k.s and r.event_id = k.v`,
      values: [
        kept.map(({ tenantId }) => tenantId),
        kept.map(({ source }) => source),
        kept.map(({ eventId }) => eventId),
      ],
    });
    if (rows.length === 0) break;
    const repeated = new Map(rows.map(({ n, ...event }) => [n, event]));
    kept = kept.map((event, place) => repeated.get(place + 1) ?? event);
  }
  return kept;
}

/**
 * Reads each event that has no members as it was posted and as it was corrected since, the last of all what stands,
 * whoever's it is by then; nothing of one of which nothing stands.
 */
export async function readRevisionsOfEvents(
  transaction: Transaction,
  events: readonly EventOf[],
): Promise<readonly (readonly StoredEntry[])[]> {
  const { rows } = await transaction.client.query<RevisionRow>({
    name: 'read-revisions-of-events',
    text: `select k.n::int as n, c.entry_id, exists (select from corrections_of(c.entry_id)) as is_corrected
      from unnest($1::text[], $2::text[], $3::text[]) with ordinality k(t, s, v, n) cross join lateral (
        with recursive chain as (
          select e.entry_id, 0 as steps from entries_of_event(k.t, k.s, k.v) e
          where e.member_id = '' and e.revision = 0
          union all
          select r.entry_id, c.steps + 1 from chain c cross join lateral (
            select * from corrections_of(c.entry_id) where not is_reversal) r
        )
        select * from chain) c
      order by k.n, c.steps`,
    values: [
      events.map(({ tenantId }) => tenantId),
      events.map(({ source }) => source),
      events.map(({ eventId }) => eventId),
    ],
  });
  const entryOf = await lookUpEntries(
    transaction,
    rows.map(({ entry_id }) => entry_id),
  );
  const ofEvent = Map.groupBy(rows, ({ n }) => n);
  return events.map((_, place) => {
    const revisions = ofEvent.get(place + 1) ?? [];
    if (revisions.at(-1)?.is_corrected !== false) return [];
    return revisions.map(({ entry_id: id }) => entryOf(id));
  });
}

interface RevisionRow {
  readonly n: number;
  readonly entry_id: bigint;
  readonly is_corrected: boolean;
}
