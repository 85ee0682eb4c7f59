import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { readEntries } from '../entries/entry-store.ts';
import { ENTRIES_OF_BATCH } from './posting-store.ts';
import type { CallReport, Tie } from './same-call.ts';

const ANSWER = `o.response_id is not null and o.revision = 0 and o.gateway_cache = 'none' and o.status = 'ok'`;
const TOKENS =
  'o.uncached_input_tokens + o.cache_read_tokens + o.cache_write_tokens + o.output_tokens';

/** More entries than this share a mark only where it marks no call. */
const MOST_REPORTS = 100;

/** A call's own time is a part of this. */
const NEARBY = `o.occurred_at >= w.occurred_at - interval '1 hour'
      and o.occurred_at <= w.occurred_at + interval '1 hour'`;

/**
 * Joins to each report `w` the entries that have a mark of it: its response, its call or a span next to it.
 * Every branch is a look-up in an index of its own, and LIMIT keeps it one whatever the planner believes.
 */
const WITH_MARK_OF = `cross join lateral (
  select o.entry_id from (
    select * from entries o where o.response_id = w.response_id and o.member_id = w.member_id
      and ${ANSWER} and (${TOKENS} > 0 or o.units is not null)
    union all
    select * from entries o where o.response_id = w.response_id and o.member_id = w.member_id
      and ${ANSWER} and ${TOKENS} = 0 and o.units is null
    union all
    select * from entries o where o.call_id collate "C" = w.call_id and o.call_id is not null
      and ${NEARBY} and o.revision = 0 and o.status = 'ok'
    union all
    select * from entries o where o.parent_span_id collate "C" = w.span_id and o.parent_span_id is not null
      and o.trace_id = w.trace_id and o.revision = 0 and o.status = 'ok'
    union all
    select * from entries o where o.span_id collate "C" = w.parent_span_id and o.span_id is not null
      and o.trace_id = w.trace_id and o.response_id is null and o.revision = 0 and o.status = 'ok'
  ) o
  where o.tenant_id = w.tenant_id or '${UNATTRIBUTED}' in (o.tenant_id, w.tenant_id)
  limit ${MOST_REPORTS}
) o`;

/** The entries that may be other reports of the same calls, in the order of their ids. */
export async function readOtherReports(
  transaction: Transaction,
  reports: readonly CallReport[],
): Promise<readonly StoredEntry[]> {
  if (reports.length === 0) return [];
  const { rows } = await transaction.client.query<{ entry_id: bigint }>({
    name: 'read-other-reports',
    text: `select distinct o.entry_id
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::timestamptz[])
        as w(tenant_id, member_id, response_id, call_id, trace_id, span_id, parent_span_id, occurred_at)
      ${WITH_MARK_OF}`,
    values: [
      reports.map(({ tenantId }) => tenantId),
      reports.map(({ memberId }) => memberId),
      reports.map(({ responseId, gatewayCache }) => (gatewayCache === 'none' ? responseId : null)),
      reports.map(({ callId }) => callId),
      reports.map(({ traceId }) => traceId),
      reports.map(({ spanId }) => spanId),
      reports.map(({ parentSpanId }) => parentSpanId),
      reports.map(({ occurredAt }) => formatInstant(occurredAt)),
    ],
  });
  return rows.length === 0
    ? []
    : readEntries(
        transaction,
        rows.map((row) => row.entry_id),
      );
}

/** Pairs of entries that share a mark, of which one at least is in these batches. */
export async function readPairedReports(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly (readonly [StoredEntry, StoredEntry])[]> {
  const { rows } = await transaction.client.query<{ one: bigint; other: bigint }>({
    name: 'read-paired-reports',
    text: `select distinct least(w.entry_id, o.entry_id) as one, greatest(w.entry_id, o.entry_id) as other
      from (
        select e.* from unnest($1::bigint[]) batch(batch_id) ${ENTRIES_OF_BATCH}
        where e.revision = 0 and e.status = 'ok'
          and num_nonnulls(e.response_id, e.call_id, e.span_id, e.parent_span_id) > 0
      ) w
      ${WITH_MARK_OF}
      where o.entry_id <> w.entry_id
      order by one, other`,
    values: [batchIds],
  });
  if (rows.length === 0) return [];
  const ids = new Set(rows.flatMap(({ one, other }) => [one, other]));
  const entries = await readEntries(transaction, [...ids]);
  const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
  return rows.flatMap(({ one, other }) => {
    const [first, second] = [byId.get(one), byId.get(other)];
    return first === undefined || second === undefined ? [] : [[first, second] as const];
  });
}

/** What stands of these parts of events, after whatever corrected them. */
export async function readStandingParts(
  transaction: Transaction,
  parts: readonly StoredEntry[],
): Promise<readonly StoredEntry[]> {
  if (parts.length === 0) return [];
  const { rows } = await transaction.client.query<{ entry_id: bigint }>(
    `select e.entry_id from unnest($1::text[], $2::text[], $3::text[], $4::text[]) p(t, s, v, m)
     join entries e on e.tenant_id = p.t and e.source = p.s and e.event_id = p.v and e.member_id = p.m
     where not e.is_reversal and not exists (select from entries c where c.corrects_entry_id = e.entry_id)`,
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

type EventOf = Pick<CallReport, 'tenantId' | 'source' | 'eventId'>;

export interface SecondReport {
  readonly report: EventOf;
  readonly repeats: EventOf;
  readonly tie: Tie;
}

/** Keeps which event repeats which; the first that was said of an event stays. */
export async function insertSecondReports(
  transaction: Transaction,
  reports: readonly SecondReport[],
  recordedAt: InstantMs,
): Promise<void> {
  if (reports.length === 0) return;
  await transaction.client.query(
    `insert into second_reports (tenant_id, source, event_id, because, repeats_tenant_id, repeats_source,
       repeats_event_id, recorded_at)
     select *, $8::timestamptz
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
     order by 1, 2, 3 on conflict do nothing`,
    [
      reports.map(({ report }) => report.tenantId),
      reports.map(({ report }) => report.source),
      reports.map(({ report }) => report.eventId),
      reports.map(({ tie }) => tie),
      reports.map(({ repeats }) => repeats.tenantId),
      reports.map(({ repeats }) => repeats.source),
      reports.map(({ repeats }) => repeats.eventId),
      formatInstant(recordedAt),
    ],
  );
}
