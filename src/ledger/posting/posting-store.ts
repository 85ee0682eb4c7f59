import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { formatInstant, formatInstantOrNull, type InstantMs, utcDay } from '../../clock.ts';
import type { Queryable, Transaction } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import { POSTING_LOCK } from '../../database/posting-lock.ts';
import type { UsageEvent } from '../../events/event.ts';
import type { Period } from '../../periods/calendar.ts';
import { present } from '../../present.ts';
import { COPY_COLUMNS, copyLine } from '../entries/copy-line.ts';
import type { NewEntry } from '../entries/entry.ts';
import type { EventKey, ResponseKey } from '../entries/event-keys.ts';
import { eventText } from '../entries/event-keys.ts';

/**
 * Takes the posting lock, shared, until commit. What is read afterwards about periods stays true:
 * a close cannot shut one between that read and the commit. Posting looks up by keys alone, and a plan
 * made while a ledger was young would read all of it later, so no plan made here reads a whole table.
 */
export async function lockForPosting(transaction: Transaction): Promise<void> {
  await transaction.client.query(
    `select pg_advisory_xact_lock_shared($1), set_config('enable_seqscan', 'off', true)`,
    [POSTING_LOCK],
  );
}

interface CatalogRevisions {
  readonly prices: bigint;
  readonly tenants: bigint;
  /** Whether the ledger holds a batch, known by its salt; true where none is asked for. */
  readonly holds: boolean;
}

export async function readCatalogRevisions(
  client: Queryable,
  batch: Batch | null,
): Promise<CatalogRevisions> {
  const { rows } = await client.query<CatalogRevisions>({
    name: 'read-revisions',
    text: `select max(revision) filter (where catalog = 'prices') as prices,
      max(revision) filter (where catalog = 'tenants') as tenants,
      $1::bigint is null or exists (
        select from batches where batch_id = $1 and salt = decode($2, 'hex')) as holds
      from catalog_revisions`,
    values: [batch?.batchId ?? null, batch?.salt ?? null],
  });
  return present(rows[0], 'the revisions of the catalogs');
}

/**
 * Answers those of the keys that the ledger holds, as `eventText`, with the digests of the contents that
 * were taken for the event's, the one that stands first. They are asked for a tenant and a source at a time: the ids of a pack lie near one
 * another, and one descent of the index then serves many, at a third of the cost of a look-up for
 * each.
 */
export async function probeEvents(
  transaction: Transaction,
  keys: readonly EventKey[],
): Promise<Map<string, readonly Buffer[]>> {
  const groups = groupBy(keys, ({ tenantId, source }) => `${tenantId}\u0000${source}`);
  const { rows } = await transaction.client.query<ProbedRow>({
    name: 'probe-events',
    text: `select n::int as n, event_id, digests from known_events($1::text[], $2::text[], $3::text[])`,
    values: [
      textArray(groups, ([first]) => first.tenantId),
      textArray(groups, ([first]) => first.source),
      textArray(groups, (group) => textArray(group, (key) => key.eventId)),
    ],
  });
  const held = new Map<string, readonly Buffer[]>();
  for (const row of rows) {
    const [first] = groups[row.n - 1] ?? [];
    if (first !== undefined) held.set(eventText({ ...first, eventId: row.event_id }), row.digests);
  }
  return held;
}

interface ProbedRow {
  readonly n: number;
  readonly event_id: string;
  readonly digests: readonly Buffer[];
}

/**
 * Returns those of a tenant's providers' responses that it has already, or one of their hash, so that the ledger's key
 * would refuse them (R8), as `responseText`.
 */
export async function readHeldResponses(
  transaction: Transaction,
  tenantId: string,
  keys: readonly Omit<ResponseKey, 'tenantId'>[],
): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const { rows } = await transaction.client.query<{ response: string; member: string }>({
    name: 'read-held-responses',
    text: `select k.response, k.member from unnest($2::text[], $3::text[]) k(response, member)
      where exists (select 1 from entries_of_response_hash(k.response)
        where tenant_id = $1 and member_id = k.member
          and response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok')`,
    values: [
      tenantId,
      keys.map(({ responseId }) => responseId),
      keys.map(({ memberId }) => memberId),
    ],
  });
  return new Set(
    rows.map(({ response, member }) => responseText({ responseId: response, memberId: member })),
  );
}

/** Returns a key of a set or a map of one tenant's responses. */
export function responseText(key: Omit<ResponseKey, 'tenantId'>): string {
  return `${key.responseId}\u0000${key.memberId}`;
}

type Group<Item> = [Item, ...Item[]];

function groupBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): readonly Group<Item>[] {
  const groups = new Map<string, Group<Item>>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

const TO_ESCAPE = /["\\]/;

/**
 * Returns the literal of a Postgres text[]. The driver makes the same of an array, with two
 * replacements an element; thousands of keys a batch make that a twentieth of the worker's time.
 */
function textArray<Item>(items: readonly Item[], textOf: (item: Item) => string): string {
  const elements = items.map((item) => {
    const text = textOf(item);
    return TO_ESCAPE.test(text) ? text.replace(/["\\]/g, '\\$&') : text;
  });
  return elements.length === 0 ? '{}' : `{"${elements.join('","')}"}`;
}

/** Makes the rows of periods into which an entry falls for the first time. */
export async function insertPeriods(
  transaction: Transaction,
  periods: readonly { readonly tenantId: string; readonly period: Period }[],
): Promise<void> {
  if (periods.length === 0) return;
  await transaction.client.query(
    `insert into periods (tenant_id, period_start, starts_at, ends_at, time_zone)
     select * from unnest($1::text[], $2::date[], $3::timestamptz[], $4::timestamptz[], $5::text[])
       as p(tenant_id, period_start, starts_at, ends_at, time_zone)
     order by tenant_id, period_start on conflict do nothing`,
    [
      periods.map(({ tenantId }) => tenantId),
      periods.map(({ period }) => period.startDate),
      periods.map(({ period }) => formatInstant(period.startsAt)),
      periods.map(({ period }) => formatInstant(period.endsAt)),
      periods.map(({ period }) => period.timeZone),
    ],
  );
}

export interface BatchHead {
  readonly kind: 'ingest' | 'replay' | 'correction' | 'allocation' | 'adjustment';
  readonly recordedAt: InstantMs;
  readonly entries: readonly NewEntry[];
  /** Whether its fold has something to do although it may have no entry. */
  readonly hasMoreToFold?: boolean;
}

/** What the entries of a batch need to know of it. */
export interface Batch {
  readonly batchId: bigint;
  readonly recordedAt: InstantMs;
  /** The salt is in hexadecimal, made by the database, and part of the hash of each entry. */
  readonly salt: string;
}

/** Makes the batch's own row, and queues the batch for the rollups and for its seal. */
export async function insertBatch(transaction: Transaction, head: BatchHead): Promise<Batch> {
  const sum = (amount: (entry: NewEntry) => bigint | null) =>
    head.entries.reduce((total, entry) => total + (amount(entry) ?? 0n), 0n).toString();
  const { rows } = await transaction.client.query<{ batch_id: bigint; salt: string }>({
    name: 'insert-batch',
    text: `with batch as (
        insert into batches (kind, recorded_at, entries, charge, cost) values ($1, $2, $3, $4, $5)
        returning batch_id, encode(salt, 'hex') as salt
      ), queued as (
        insert into fold_queue select batch_id from batch where $3::int > 0 or $6
      ), unsealed as (
        insert into seal_queue select batch_id from batch
      )
      select batch_id, salt from batch`,
    values: [
      head.kind,
      formatInstant(head.recordedAt),
      head.entries.length,
      sum((entry) => entry.charge),
      sum((entry) => entry.cost),
      head.hasMoreToFold ?? false,
    ],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('the batch got no id');
  return { batchId: row.batch_id, recordedAt: head.recordedAt, salt: row.salt };
}

/**
 * Copies entries into the ledger, sorted by key so that concurrent batches wait for one another in
 * one order; returns them in that order, in which they got their ids. A key that another transaction committed since the
 * probe raises SQLSTATE 23505.
 */
export async function copyEntries(
  transaction: Transaction,
  entries: readonly NewEntry[],
  batch: Batch,
): Promise<readonly NewEntry[]> {
  // Whoever posts so many isolates them by halves, and then each half fits.
  if (entries.length > ENTRIES_PER_BATCH) {
    throw new Error(`a batch of ${entries.length} entries has ids for ${ENTRIES_PER_BATCH} only`);
  }
  if (entries.length === 0) return entries;
  const sorted = [...entries].sort(compareKeys);
  const recordedAt = formatInstant(batch.recordedAt);
  const { batchId, salt } = batch;
  const lines = sorted.map((entry, place) =>
    copyLine(entry, { entryId: entryId(batchId, place), recordedAt, salt }),
  );
  const copy = transaction.client.query(copyFrom(`copy entries (${COPY_COLUMNS}) from stdin`));
  await pipeline(Readable.from([Buffer.from(lines.join(''))]), copy);
  return sorted;
}

/** Returns the ids that the entries of a batch got, which come in the order of their keys. */
export function idsOfSorted(
  batchId: bigint,
  sorted: readonly NewEntry[],
): ReadonlyMap<NewEntry, bigint> {
  return new Map(sorted.map((entry, place) => [entry, entryId(batchId, place)]));
}

function entryId(batchId: bigint, place: number): bigint {
  return batchId * BigInt(ENTRIES_PER_BATCH) + BigInt(place);
}

/** Tells whether an entry was taken back; only what stands can be corrected. */
export async function isSuperseded(transaction: Transaction, entryId: bigint): Promise<boolean> {
  const { rows } = await transaction.client.query('select 1 from corrections_of($1) limit 1', [
    entryId,
  ]);
  return rows.length > 0;
}

function compareKeys(a: NewEntry, b: NewEntry): number {
  return (
    compare(a.tenantId, b.tenantId) ||
    compare(a.source, b.source) ||
    compare(a.eventId, b.eventId) ||
    compare(a.memberId, b.memberId) ||
    a.revision - b.revision
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export interface StructureSpan {
  readonly tenantId: string;
  readonly event: UsageEvent;
  readonly digest: Buffer;
}

/** Keeps spans that are not model calls, for the run tree (R1). */
export async function insertStructureSpans(
  transaction: Transaction,
  spans: readonly StructureSpan[],
  batchId: bigint,
): Promise<void> {
  if (spans.length === 0) return;
  const column = (value: (span: StructureSpan) => unknown) => spans.map(value);
  await transaction.client.query(
    `insert into structure_spans (tenant_id, source, event_id, batch_id, operation, status, error_type,
       occurred_at, started_at, user_id, feature, agent_run_id, prompt_version, trace_id, span_id,
       parent_span_id, event_digest)
     select t, s, e, $1, o, st, et, oa, sa, u, f, r, pv, ti, si, pi, d
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
       $14::text[], $15::text[], $16::text[], $17::bytea[])
       as x(t, s, e, o, st, et, oa, sa, u, f, r, pv, ti, si, pi, d)
     order by t, s, e`,
    [
      batchId,
      column((span) => span.tenantId),
      column((span) => span.event.source),
      column((span) => span.event.eventId),
      column((span) => span.event.operation),
      column((span) => span.event.status),
      column((span) => span.event.errorType),
      column((span) => formatInstant(span.event.occurredAt)),
      column(({ event }) => formatInstantOrNull(event.startedAt)),
      column((span) => span.event.tags.userId),
      column((span) => span.event.tags.feature),
      column((span) => span.event.tags.agentRunId),
      column((span) => span.event.tags.promptVersion),
      column((span) => span.event.traceId),
      column((span) => span.event.spanId),
      column((span) => span.event.parentSpanId),
      column((span) => span.digest),
    ],
  );
}

/** What became of the events of one source in this batch (law 1). */
export interface Receipt {
  readonly source: string;
  readonly received: number;
  readonly posted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
  /** Messages, and parts of them, in which nothing was used: how many for each reason. */
  readonly empty: Readonly<Record<string, number>>;
}

export async function insertReceipts(
  transaction: Transaction,
  receipts: readonly Receipt[],
  batch: { readonly batchId: bigint; readonly recordedAt: InstantMs },
): Promise<void> {
  if (receipts.length === 0) return;
  await transaction.client.query({
    name: 'insert-receipts',
    text: `insert into receipts (batch_id, source, day, received, posted, duplicates, conflicts, quarantined,
        empty, empty_reasons)
      select $1, s, $2::date, r, p, d, c, q, e, er
      from unnest($3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::jsonb[])
        as x(s, r, p, d, c, q, e, er)`,
    values: [
      batch.batchId,
      utcDay(batch.recordedAt),
      receipts.map((receipt) => receipt.source),
      receipts.map((receipt) => receipt.received),
      receipts.map((receipt) => receipt.posted),
      receipts.map((receipt) => receipt.duplicates),
      receipts.map((receipt) => receipt.conflicts),
      receipts.map((receipt) => receipt.quarantined),
      receipts.map(({ empty }) => Object.values(empty).reduce((sum, count) => sum + count, 0)),
      receipts.map(({ empty }) => (Object.keys(empty).length === 0 ? null : JSON.stringify(empty))),
    ],
  });
}
