import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { type Database, inTransaction } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import type { EventStatus } from '../../events/event.ts';
import { entryOrder } from '../../ledger/rollups/tenant-size-store.ts';
import type { Pico } from '../../money.ts';
import type { TraceMetadata, TracesRequest } from './trace-answer.ts';

/** The name of a trace within one tenant: its id or, for a call without one, the event itself. */
export interface TraceKey {
  readonly tenantId: string;
  readonly traceId: string | null;
  readonly source: string;
  readonly eventId: string;
  /** The newest entry of it, by which traces are ordered. */
  readonly newest: bigint;
}

interface KeyRow {
  readonly tenant_id: string;
  readonly trace_id: string | null;
  readonly source: string;
  readonly event_id: string;
  readonly entry_id: bigint;
}

/** Entries are looked through from the newest on: at first so many for each trace, then more and more of them at a time. */
const ENTRIES_A_TRACE = 10;
const MORE_EACH_TIME = 4;
const MOST_AT_ONCE = 5_000;

/** Returns the highest id that an entry may have which is posted by now: the last one of the newest batch. */
export async function readNewestEntry(database: Database): Promise<bigint> {
  const { rows } = await sql<{ newest: bigint }>`
    select coalesce(max(batch_id), 0) as newest from batches`.execute(database.kysely);
  return ((rows[0]?.newest ?? 0n) + 1n) * BigInt(ENTRIES_PER_BATCH) - 1n;
}

/** Where a list goes on. */
export interface Walk {
  /** What comes now is older than this: the newest entry of the last trace of the page before. */
  readonly before: bigint;
  /** The newest entry when the first page was asked for; what came in since puts no trace on a page, and takes none away. */
  readonly begun: bigint;
}

/**
 * Finds the traces whose newest entry is older than where the walk is, the newest first; fewer only
 * where there are no more.
 */
export async function findTraces(
  database: Database,
  request: TracesRequest,
  { before, begun }: Walk,
): Promise<readonly TraceKey[]> {
  const found = new Map<string, TraceKey>();
  const order = await entryOrder(database, request.tenant_id);
  let below: bigint | null = before;
  for (let most = request.limit * ENTRIES_A_TRACE; ; most *= MORE_EACH_TIME) {
    const atOnce = Math.min(most, MOST_AT_ONCE);
    const rows = await readNewest(database, request, { below, begun, atOnce, order });
    for (const row of rows) {
      const key = keyOf(row);
      if (!found.has(key)) found.set(key, toKey(row));
    }
    const isEnd = rows.length < atOnce;
    // One more than asked for tells that more follow.
    if (found.size > request.limit || isEnd) return [...found.values()].slice(0, request.limit + 1);
    below = rows.at(-1)?.entry_id ?? null;
  }
}

interface Newest {
  readonly below: bigint | null;
  readonly begun: bigint;
  readonly atOnce: number;
  readonly order: Awaited<ReturnType<typeof entryOrder>>;
}

async function readNewest(
  database: Database,
  request: TracesRequest,
  { below, begun, atOnce, order }: Newest,
): Promise<readonly KeyRow[]> {
  const { from, to } = request;
  const { rows } = await sql<KeyRow>`
    select tenant_id, trace_id, source, event_id, entry_id from entries e
    where kind not in ('allocation', 'adjustment')
      ${equal('tenant_id', request.tenant_id)} ${equal('user_id', request.user_id)}
      ${equal('feature', request.feature)} ${equal('agent_run_id', request.agent_run_id)}
      ${equal('trace_id', request.trace_id)} ${isTagged(request) ? standing(request.as_of, begun) : sql``}
      ${from === null ? sql`` : sql`and occurred_at >= ${formatInstant(from)}::timestamptz`}
      ${to === null ? sql`` : sql`and occurred_at < ${formatInstant(to)}::timestamptz`}
      ${request.as_of === null ? sql`` : sql`and recorded_at <= ${formatInstant(request.as_of)}::timestamptz`}
      ${below === null ? sql`` : sql`and entry_id < ${below}::bigint`}
    order by ${order} desc limit ${atOnce}`.execute(database.kysely);
  return rows;
}

/** Whether a trace is looked for by what its calls are tagged with, which a correction may change. */
export function isTagged({ user_id, feature, agent_run_id }: TracesRequest): boolean {
  return user_id !== null || feature !== null || agent_run_id !== null;
}

/**
 * A trace is found by the tags of a call as it stands, and not by those that it had before a correction; as it stood
 * when the walk began, since a correction that comes meanwhile would take it from a page that is still to be read.
 */
function standing(asOf: InstantMs | null, begun: bigint) {
  return sql`and not is_reversal and not exists (
    select from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id
      and c.entry_id <= ${begun}::bigint
      ${asOf === null ? sql`` : sql`and c.recorded_at <= ${formatInstant(asOf)}::timestamptz`})`;
}

function equal(column: string, value: string | null) {
  return value === null ? sql`` : sql`and ${sql.ref(column)} = ${value}`;
}

function toKey(row: KeyRow): TraceKey {
  return {
    tenantId: row.tenant_id,
    traceId: row.trace_id,
    source: row.source,
    eventId: row.event_id,
    newest: row.entry_id,
  };
}

/** Returns the key of a trace in a map. */
export function keyOf(of: Pick<KeyRow, 'tenant_id' | 'trace_id' | 'source' | 'event_id'>): string {
  const own = of.trace_id === null ? ['event', of.source, of.event_id] : ['trace', of.trace_id];
  return JSON.stringify([of.tenant_id, ...own]);
}

export interface SpanRow {
  readonly tenant_id: string;
  readonly trace_id: string | null;
  readonly source: string;
  readonly event_id: string;
  readonly member_id: string;
  /** It is null for structure. */
  readonly entry_id: bigint | null;
  readonly revision: number;
  readonly is_reversal: boolean;
  readonly corrects_entry_id: bigint | null;
  readonly operation: string;
  readonly status: EventStatus;
  readonly error_type: string | null;
  readonly started_at: InstantMs | null;
  readonly occurred_at: InstantMs;
  readonly span_id: string | null;
  readonly parent_span_id: string | null;
  readonly provider: string | null;
  readonly requested_model: string | null;
  readonly executed_model: string | null;
  readonly attempt: number | null;
  readonly outcome: string | null;
  readonly input_tokens: bigint;
  readonly output_tokens: bigint;
  readonly charge: Pico | null;
  readonly cost: Pico | null;
  readonly currency: string | null;
  readonly user_id: string | null;
  readonly feature: string | null;
  readonly agent_run_id: string | null;
  readonly prompt_version: string | null;
  readonly further_tags: TraceMetadata['tags'] | null;
}

const SHARED = `tenant_id, trace_id, source, event_id, operation, status, error_type, started_at, occurred_at, span_id,
  parent_span_id, user_id, feature, agent_run_id, prompt_version`;
const ENTRIES = `select ${SHARED}, member_id, entry_id, revision, is_reversal, corrects_entry_id, provider,
    requested_model, executed_model, attempt, outcome,
    uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input_tokens,
    output_tokens + units_within(units, 'output') as output_tokens, charge, cost, currency, further_tags
  from entries where kind not in ('allocation', 'adjustment') and ($6::timestamptz is null or recorded_at <= $6)`;
const STRUCTURE = `select ${SHARED}, '', null::bigint, 0, false, null::bigint, null, null, null, null::integer, null,
    0::bigint, 0::bigint, null::numeric, null::numeric, null, null::jsonb
  from structure_spans where ($6::timestamptz is null
    or batch_id in (select b.batch_id from batches b where b.recorded_at <= $6))`;

/**
 * Every span of the traces, of calls and of structure, as far as it was recorded at an instant, or at all;
 * corrections stand beside what they correct.
 */
export function readSpans(
  database: Database,
  keys: readonly TraceKey[],
  asOf: InstantMs | null,
): Promise<readonly SpanRow[]> {
  const traced = keys.filter(({ traceId }) => traceId !== null);
  const alone = keys.filter(({ traceId }) => traceId === null);
  return inTransaction(database, async ({ client }) => {
    // The index that knows traces tells blocks, not rows, and the planner thinks too little of it.
    await client.query('set local enable_seqscan = off');
    const { rows } = await client.query<SpanRow>(
      `${ENTRIES} and trace_id = any($1) and tenant_id = any($2)
       union all ${STRUCTURE} and trace_id = any($1) and tenant_id = any($2)
       union all ${ENTRIES} and trace_id is null
         and (tenant_id, source, event_id) in (select * from unnest($3::text[], $4::text[], $5::text[]))`,
      [
        traced.map(({ traceId }) => traceId),
        [...new Set(traced.map(({ tenantId }) => tenantId))],
        alone.map(({ tenantId }) => tenantId),
        alone.map(({ source }) => source),
        alone.map(({ eventId }) => eventId),
        asOf === null ? null : formatInstant(asOf),
      ],
    );
    return rows;
  });
}
