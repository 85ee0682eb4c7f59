import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { present } from '../../present.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { readEntries } from '../entries/entry-store.ts';
import type { CallReport, Tie } from './same-call.ts';
import { isBare } from './same-call.ts';

export const STANDS_AS_REPORTED = `o.revision = 0 and o.status = 'ok'`;
export const IS_NOBODYS = `o.tenant_id = '${UNATTRIBUTED}'`;
/** It names no answer, or one that a gateway's cache gave once more. */
export const IS_BARE = `(o.response_id is null or o.gateway_cache <> 'none')`;

/** More entries than this share a mark only where it marks no call. */
export const MOST_REPORTS = 100;

/** The same response of the provider, under any tenant. */
const OF_RESPONSE = `select * from entries_of_response(w.response_id) o where w.asks_response
      and o.response_id is not null and o.member_id = w.member_id and o.gateway_cache = 'none'
      and ${STANDS_AS_REPORTED}`;

export const OF_RESPONSE_OF_NOBODY = `select * from entries_of_response(w.response_id) o
      where o.response_id is not null and ${IS_NOBODYS} and o.member_id = w.member_id
      and o.gateway_cache = 'none' and ${STANDS_AS_REPORTED}`;

/** The same call of a gateway; a call's own time is a part of two hours. */
const OF_CALL = `select * from entries_of_call(w.call_id) o
      where o.occurred_at >= w.occurred_at - interval '1 hour'
      and o.occurred_at <= w.occurred_at + interval '1 hour' and ${STANDS_AS_REPORTED}`;

/** Of two nested spans of one call one at least names no answer: two equal answers are found by those. */
export const WITHIN_SPAN = `select * from entries_within_span(w.span_id) o where o.trace_id = w.trace_id
      and (w.is_bare or ${IS_BARE}) and ${STANDS_AS_REPORTED}`;

export const AROUND_SPAN = `select * from entries_of_span(w.parent_span_id) o
      where o.span_id is not null and o.trace_id = w.trace_id and ${IS_BARE}
      and ${STANDS_AS_REPORTED}`;

export const EVERY_MARK = [OF_RESPONSE, OF_RESPONSE_OF_NOBODY, OF_CALL, WITHIN_SPAN, AROUND_SPAN];

/**
 * Joins to each report `w` the entries that have a mark of it. Every branch is a look-up in an index of its
 * own, and LIMIT keeps it one whatever the planner believes.
 */
export function withMarkOf(branches: readonly string[]): string {
  return `cross join lateral (
    select o.entry_id, o.source, o.event_id, o.member_id, o.event_digest, o.kind
    from (${branches.join('\n    union all\n    ')}) o
    where o.tenant_id = w.tenant_id or '${UNATTRIBUTED}' in (o.tenant_id, w.tenant_id)
    limit ${MOST_REPORTS}
  ) o`;
}

/** The entries that may be other reports of the same calls. */
export async function readOtherReports(
  transaction: Transaction,
  reports: readonly CallReport[],
): Promise<readonly StoredEntry[]> {
  if (reports.length === 0) return [];
  const { rows } = await transaction.client.query<{ entry_id: bigint }>({
    name: 'read-other-reports',
    text: `select distinct o.entry_id
      from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::timestamptz[], $10::boolean[])
        as w(tenant_id, member_id, response_id, asks_response, call_id, trace_id, span_id, parent_span_id,
          occurred_at, is_bare)
      ${withMarkOf(EVERY_MARK)}`,
    values: [
      reports.map(({ tenantId }) => tenantId),
      reports.map(({ memberId }) => memberId),
      reports.map(({ responseId }) => responseId),
      reports.map(({ gatewayCache }) => gatewayCache === 'none'),
      reports.map(({ callId }) => callId),
      reports.map(({ traceId }) => traceId),
      reports.map(({ spanId }) => spanId),
      reports.map(({ parentSpanId }) => parentSpanId),
      reports.map(({ occurredAt }) => formatInstant(occurredAt)),
      reports.map(isBare),
    ],
  });
  return rows.length === 0
    ? []
    : readEntries(
        transaction,
        rows.map((row) => row.entry_id),
      );
}

/**
 * Returns those of the reports whose response has the hash of another one, of an entry or of a report before it: the key of
 * responses is by their hash, and would refuse them.
 */
export async function readOfSameHash(
  transaction: Transaction,
  reports: readonly CallReport[],
): Promise<readonly CallReport[]> {
  const { rows } = await transaction.client.query<{ n: number }>({
    name: 'read-of-same-hash',
    text: `select k.n::int as n from (
        select *, first_value(response) over (
          partition by tenant, member, hashtextextended(response, 0) order by n) as first
        from unnest($1::text[], $2::text[], $3::text[]) with ordinality k(tenant, member, response, n)
        where response is not null
      ) k
      where k.first <> k.response or exists (
        select from entries_of_response_hash(k.response) o
        where o.response_id is not null and o.response_id <> k.response and o.tenant_id = k.tenant
          and o.member_id = k.member and o.gateway_cache = 'none' and ${STANDS_AS_REPORTED})`,
    values: [
      reports.map(({ tenantId }) => tenantId),
      reports.map(({ memberId }) => memberId),
      reports.map(({ responseId, gatewayCache }) => (gatewayCache === 'none' ? responseId : null)),
    ],
  });
  return rows.map(({ n }) => present(reports[n - 1], 'the report that was asked for'));
}

export type EventOf = Pick<CallReport, 'tenantId' | 'source' | 'eventId'>;

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
