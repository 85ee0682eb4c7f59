import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type {
  EventStatus,
  ReportedCost,
  TokenLayers,
  UsageCounts,
  UsageSource,
} from '../../events/event.ts';
import type { Outcome } from '../../rating/rate-event.ts';
import type { FurtherUnits } from '../../units.ts';
import { FURTHER_UNITS } from '../../units.ts';
import { ENTRIES_OF_BATCH } from '../posting/posting-store.ts';
import { FACT_COLUMNS } from './copy-line.ts';
import type { NewEntry, RateReference } from './entry.ts';

/** Neither a reversal nor reversed by one. */
export const STANDS =
  'not e.is_reversal and not exists (select 1 from entries c where c.corrects_entry_id = e.entry_id)';

/**
 * The actor who corrects an answer whose first attempt was not known when it was posted; no
 * person's name.
 */
export const JOINER = 'spanledger:attempts';

/** An entry as the ledger holds it. */
export interface StoredEntry extends NewEntry {
  readonly entryId: bigint;
}

/** Entries by id, in the order of their ids; an id without an entry is left out. */
export function readEntries(
  transaction: Transaction,
  entryIds: readonly bigint[],
): Promise<readonly StoredEntry[]> {
  return select(transaction, 'entry_id = any($1::bigint[]) order by entry_id', [entryIds]);
}

/** All entries of one batch, in the order of their ids. */
export function readBatch(
  transaction: Transaction,
  batchId: bigint,
): Promise<readonly StoredEntry[]> {
  return selectFrom(transaction, `(values ($1::bigint)) batch(batch_id) ${ENTRIES_OF_BATCH}`, {
    condition: 'true order by e.entry_id',
    values: [batchId],
  });
}

/** What a tenant has of one event's part: the first revision that is free, and whether one stands. */
export async function readRevisions(
  transaction: Transaction,
  key: Pick<NewEntry, 'tenantId' | 'source' | 'eventId' | 'memberId'>,
): Promise<{ readonly next: number; readonly stands: boolean }> {
  const { rows } = await transaction.client.query<{ next: number; stands: boolean }>(
    `select coalesce(max(revision) + 1, 0)::int as next, coalesce(bool_or(${STANDS}), false) as stands
     from entries e where tenant_id = $1 and source = $2 and event_id = $3 and member_id = $4`,
    [key.tenantId, key.source, key.eventId, key.memberId],
  );
  return rows[0] ?? { next: 0, stands: false };
}

/** The entries that are asked for; what is absent does not narrow. */
export interface EntryFilter {
  readonly tenantId?: string;
  readonly userId?: string;
  readonly feature?: string;
  readonly agentRunId?: string;
  /** The entries after this id. */
  readonly after: bigint;
  readonly limit: number;
}

/**
 * Entries that count as they stand: neither a reversal nor reversed by one. In the order of their
 * ids, from `after` on.
 */
export function readCurrentEntries(
  transaction: Transaction,
  filter: EntryFilter,
): Promise<readonly StoredEntry[]> {
  return select(
    transaction,
    `entry_id > $1 and kind not in ('allocation', 'adjustment') and ${STANDS}
       and ($2::text is null or tenant_id = $2)
       and ($3::text is null or user_id = $3)
       and ($4::text is null or feature = $4)
       and ($5::text is null or agent_run_id = $5)
     order by entry_id limit $6`,
    [
      filter.after,
      filter.tenantId ?? null,
      filter.userId ?? null,
      filter.feature ?? null,
      filter.agentRunId ?? null,
      filter.limit,
    ],
  );
}

/**
 * The entries of a batch whose attempts may belong to a call of several (R8). A reversal counts too: when
 * a failed attempt is taken back, another one may be the first.
 */
export function readAttemptsOf(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly StoredEntry[]> {
  return selectFrom(transaction, `unnest($1::bigint[]) batch(batch_id) ${ENTRIES_OF_BATCH}`, {
    condition: `e.trace_id is not null
      and (e.status <> 'ok' or e.attempt > 1 or e.further_tags ? 'requested_model_source')
      order by e.entry_id`,
    values: [batchIds],
  });
}

/** Failed attempts of calls in these traces (R8). */
export function readFailedAttempts(
  transaction: Transaction,
  traces: readonly TraceKey[],
): Promise<readonly StoredEntry[]> {
  return selectByTrace(transaction, traces, `e.status <> 'ok' and ${STANDS}`);
}

/**
 * Answers in these traces that may have followed a failed attempt, as they count now. Where a person
 * changed the model that an answer requested, in the story that ends in the entry, it stays changed.
 */
export function readLaterAttempts(
  transaction: Transaction,
  traces: readonly TraceKey[],
): Promise<readonly StoredEntry[]> {
  return selectByTrace(
    transaction,
    traces,
    `e.status = 'ok' and (e.attempt > 1 or e.further_tags ? 'requested_model_source') and ${STANDS}
       and (e.kind = 'usage' or not exists (
         with recursive story as (
           select e.corrects_entry_id, e.requested_model, e.actor
           union all
           select p.corrects_entry_id, p.requested_model, p.actor
           from story s join entries p on p.entry_id = s.corrects_entry_id
         )
         select 1 from story s join entries p on p.entry_id = s.corrects_entry_id
         where s.actor <> '${JOINER}' and s.requested_model <> p.requested_model))`,
  );
}

export interface TraceKey {
  readonly tenantId: string;
  readonly traceId: string;
}

function selectByTrace(
  transaction: Transaction,
  traces: readonly TraceKey[],
  condition: string,
): Promise<readonly StoredEntry[]> {
  if (traces.length === 0) return Promise.resolve([]);
  const keys = '(e.tenant_id, e.trace_id) in (select * from unnest($1::text[], $2::text[]))';
  const tenants = traces.map(({ tenantId }) => tenantId);
  const ids = traces.map(({ traceId }) => traceId);
  return select(
    transaction,
    `${keys} and e.trace_id is not null and ${condition} order by e.entry_id`,
    [tenants, ids],
  );
}

function select(
  transaction: Transaction,
  condition: string,
  values: readonly unknown[],
): Promise<readonly StoredEntry[]> {
  return selectFrom(transaction, 'entries e', { condition, values });
}

async function selectFrom(
  transaction: Transaction,
  from: string,
  where: { readonly condition: string; readonly values: readonly unknown[] },
): Promise<readonly StoredEntry[]> {
  const { rows } = await transaction.client.query<EntryRow>(
    `select ${FACT_COLUMNS} from ${from} where ${where.condition}`,
    [...where.values],
  );
  return rows.map(toEntry);
}

export interface EntryRow {
  readonly tenant_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly member_id: string;
  readonly revision: number;
  readonly entry_id: bigint;
  readonly kind: NewEntry['kind'];
  readonly outcome: Outcome;
  readonly status: EventStatus;
  readonly error_type: string | null;
  readonly occurred_at: InstantMs;
  readonly started_at: InstantMs | null;
  readonly period_start: string;
  readonly late: boolean;
  readonly operation: string;
  readonly provider: string | null;
  readonly requested_model: string;
  readonly executed_model: string;
  readonly response_id: string | null;
  readonly service_tier: NewEntry['serviceTier'];
  readonly gateway_cache: NewEntry['gatewayCache'];
  readonly uncached_input_tokens: bigint;
  readonly cache_read_tokens: bigint;
  readonly cache_write_tokens: bigint;
  readonly output_tokens: bigint;
  readonly reasoning_tokens: bigint;
  readonly context_tokens: bigint;
  readonly call_share: number;
  readonly usage_source: UsageSource;
  readonly layer_prompt_tokens: bigint | null;
  readonly layer_tool_tokens: bigint | null;
  readonly layer_memory_tokens: bigint | null;
  readonly layer_response_tokens: bigint | null;
  readonly charge: bigint | null;
  readonly cost: bigint | null;
  readonly requested_cost: bigint | null;
  readonly currency: string;
  readonly charge_book: string | null;
  readonly charge_version: InstantMs | null;
  readonly charge_rate_id: bigint | null;
  readonly cost_book: string | null;
  readonly cost_version: InstantMs | null;
  readonly cost_rate_id: bigint | null;
  readonly user_id: string | null;
  readonly feature: string | null;
  readonly agent_run_id: string | null;
  readonly prompt_version: string | null;
  readonly further_tags: Readonly<Record<string, string>> | null;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly parent_span_id: string | null;
  readonly attempt: number;
  readonly corrects_entry_id: bigint | null;
  readonly is_reversal: boolean;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly event_digest: Buffer;
  readonly units: FurtherUnits | null;
  readonly reported_cost: bigint | null;
  readonly reported_cost_currency: string | null;
  readonly reported_cost_source: string | null;
  readonly call_id: string | null;
  readonly call_usage: Readonly<Record<string, number>> | null;
}

export function toEntry(row: EntryRow): StoredEntry {
  return {
    entryId: row.entry_id,
    tenantId: row.tenant_id,
    source: row.source,
    eventId: row.event_id,
    memberId: row.member_id,
    revision: row.revision,
    kind: row.kind,
    outcome: row.outcome,
    status: row.status,
    errorType: row.error_type,
    occurredAt: row.occurred_at,
    startedAt: row.started_at,
    periodStart: row.period_start,
    late: row.late,
    operation: row.operation,
    provider: row.provider,
    requestedModel: row.requested_model,
    executedModel: row.executed_model,
    responseId: row.response_id,
    serviceTier: row.service_tier,
    gatewayCache: row.gateway_cache,
    uncachedInputTokens: Number(row.uncached_input_tokens),
    cacheReadTokens: Number(row.cache_read_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    outputTokens: Number(row.output_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    units: row.units,
    contextTokens: Number(row.context_tokens),
    callShare: row.call_share,
    callUsage: row.call_usage === null ? null : usageOf(row.call_usage),
    usageSource: row.usage_source,
    layers: layersOf(row),
    charge: row.charge,
    cost: row.cost,
    requestedCost: row.requested_cost,
    reportedCost: reportedCostOf(row),
    currency: row.currency,
    chargeRate: rateOf(row.charge_book, row.charge_version, row.charge_rate_id),
    costRate: rateOf(row.cost_book, row.cost_version, row.cost_rate_id),
    userId: row.user_id,
    feature: row.feature,
    agentRunId: row.agent_run_id,
    promptVersion: row.prompt_version,
    furtherTags: row.further_tags ?? {},
    traceId: row.trace_id,
    spanId: row.span_id,
    parentSpanId: row.parent_span_id,
    attempt: row.attempt,
    callId: row.call_id,
    correctsEntryId: row.corrects_entry_id,
    isReversal: row.is_reversal,
    reason: row.reason,
    actor: row.actor,
    eventDigest: row.event_digest,
  };
}

function usageOf(counts: Readonly<Record<string, number>>): UsageCounts {
  const of = (name: string) => counts[name] ?? 0;
  const further = FURTHER_UNITS.filter(({ name }) => counts[name] !== undefined);
  return {
    uncachedInput: of('uncached_input_tokens'),
    cacheRead: of('cache_read_tokens'),
    cacheWrite: of('cache_write_tokens'),
    output: of('output_tokens'),
    reasoning: of('reasoning_tokens'),
    units:
      further.length === 0 ? null : Object.fromEntries(further.map(({ name }) => [name, of(name)])),
  };
}

function reportedCostOf(row: EntryRow): ReportedCost | null {
  const { reported_cost: amount, reported_cost_currency, reported_cost_source } = row;
  if (amount === null || reported_cost_currency === null || reported_cost_source === null) {
    return null;
  }
  return { amount, currency: reported_cost_currency, source: reported_cost_source };
}

function layersOf(row: EntryRow): TokenLayers | null {
  if (row.layer_prompt_tokens === null) return null;
  return {
    prompt: Number(row.layer_prompt_tokens),
    tool: Number(row.layer_tool_tokens),
    memory: Number(row.layer_memory_tokens),
    response: Number(row.layer_response_tokens),
  };
}

function rateOf(
  book: string | null,
  version: InstantMs | null,
  rateId: bigint | null,
): RateReference | null {
  return book === null || version === null || rateId === null ? null : { book, version, rateId };
}
