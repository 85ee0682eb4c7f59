import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import { isWaiting } from '../../ledger/entries/waiting.ts';
import { formatPico } from '../../money.ts';
import { cutPage, readCursor } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { refuseUnknownTenant } from '../../tenants/asked-tenant.ts';
import type {
  ListedTrace,
  TraceMetadata,
  TraceSpan,
  TracesAnswer,
  TracesRequest,
} from './trace-answer.ts';
import type { SpanRow, TraceKey, Walk } from './trace-store.ts';
import { findTraces, isTagged, keyOf, readNewestEntry, readSpans } from './trace-store.ts';

/**
 * Lists traces with their spans, the newest first: what each used, was charged and cost, and its
 * metadata.
 */
export async function listTraces(
  parts: Pick<Parts, 'database' | 'view'>,
  request: TracesRequest,
): Promise<TracesAnswer> {
  const { database, view = database } = parts;
  await refuseUnknownTenant(parts, request.tenant_id);
  const walk = walkOf(request) ?? walkFrom(await readNewestEntry(view));
  const found = await findTraces(view, request, walk);
  const { rows: keys, next } = cutPage(found, request.limit, ({ newest }) => [
    String(newest),
    String(walk.begun),
  ]);
  const spans = Map.groupBy(await readSpans(view, keys, request.as_of), keyOf);
  const traces = keys
    // A trace that had newer entries stood on the page of those.
    .filter((key) => {
      const all = (spans.get(keyOfTrace(key)) ?? []).filter((row) => isOfWalk(row, walk));
      const findable = isTagged(request) ? withoutReversed(all) : all;
      const rows = findable.filter((row) => isAskedFor(row, request));
      return rows.every(({ entry_id: id }) => id === null || id < walk.before);
    })
    .map((key) => toTrace(key, spans.get(keyOfTrace(key)) ?? []));
  return { traces, next_cursor: next };
}

/** Leaves out reversals and what they reverse, which come to nothing together. */
function withoutReversed(rows: readonly SpanRow[]): readonly SpanRow[] {
  const ids = new Set(rows.map(({ entry_id }) => entry_id));
  const reversed = new Set(rows.flatMap((row) => (row.is_reversal ? [row.corrects_entry_id] : [])));
  return rows.filter(
    ({ entry_id, is_reversal, corrects_entry_id }) =>
      !(is_reversal && ids.has(corrects_entry_id)) && !reversed.has(entry_id),
  );
}

/** Whether a trace is found by this entry of it, as the store asks. */
function isAskedFor(row: SpanRow, { from, to, ...asked }: TracesRequest): boolean {
  return (
    (asked.user_id === null || row.user_id === asked.user_id) &&
    (asked.feature === null || row.feature === asked.feature) &&
    (asked.agent_run_id === null || row.agent_run_id === asked.agent_run_id) &&
    (from === null || row.occurred_at >= from) &&
    (to === null || row.occurred_at < to)
  );
}

const walkFrom = (begun: bigint): Walk => ({ before: begun + 1n, begun });

function walkOf({ cursor }: TracesRequest): Walk | null {
  const [before, begun] = readCursor(cursor, ['number', 'number']) ?? [];
  if (before === undefined || begun === undefined) return null;
  return { before: BigInt(before), begun: BigInt(begun) };
}

function isOfWalk({ entry_id: id }: SpanRow, { begun }: Walk): boolean {
  return id === null || id <= begun;
}

function keyOfTrace({ tenantId, traceId, source, eventId }: TraceKey): string {
  return keyOf({ tenant_id: tenantId, trace_id: traceId, source, event_id: eventId });
}

function toTrace(key: TraceKey, rows: readonly SpanRow[]): ListedTrace {
  const calls = [...Map.groupBy(rows.filter(isEntry), callOf).values()].map(toCall);
  const structure = rows.filter((row) => !isEntry(row)).map(toStructure);
  const spans = [...calls, ...structure].sort((a, b) => a.begins - b.begins);
  const ends = Math.max(...rows.map(({ occurred_at }) => occurred_at));
  const currencies = new Set(calls.map(({ span }) => span.currency));
  const [currency = null] = currencies;
  // What was taken back is seen among the spans, and is no call of the trace any more.
  const standing = calls.map(({ span }) => span).filter(({ entry_id: id }) => id !== null);
  return {
    created_at: formatInstant(spans[0]?.begins ?? ends),
    completed_at: formatInstant(ends),
    trace_id: key.traceId,
    tenant_id: key.tenantId,
    status: statusOf(standing),
    calls: standing.length,
    failed: standing.filter(({ status }) => status === 'error').length,
    calls_without_price: standing.filter(isWaiting).length,
    ...amountsOf(rows.filter(isEntry)),
    currency: currencies.size === 1 ? currency : null,
    metadata: agreed(spans.map(({ span }) => span.metadata)),
    spans: spans.map(({ span }) => span),
  };
}

function isEntry({ entry_id }: SpanRow): boolean {
  return entry_id !== null;
}

/** Returns the entries of one call: its usage, and every correction of it. */
function callOf({ source, event_id, member_id }: SpanRow): string {
  return JSON.stringify([source, event_id, member_id]);
}

interface PlacedSpan {
  readonly begins: number;
  readonly span: TraceSpan;
}

/** Makes a call as it stands: the facts of its last entry that is no reversal, the sums of all. */
function toCall(entries: readonly SpanRow[]): PlacedSpan {
  const inOrder = entries.toSorted((a, b) => a.revision - b.revision);
  const replaced = new Set(inOrder.map(({ corrects_entry_id }) => corrects_entry_id));
  const facts = inOrder.findLast(({ is_reversal }) => !is_reversal) ?? inOrder[0];
  if (facts === undefined) throw new Error('a call without entries');
  const stands = !inOrder.some(
    ({ is_reversal, corrects_entry_id }) => is_reversal && corrects_entry_id === facts.entry_id,
  );
  const isCurrent = stands && !replaced.has(facts.entry_id);
  return {
    begins: facts.started_at ?? facts.occurred_at,
    span: {
      ...factsOf(facts),
      kind: 'call',
      ...amountsOf(entries),
      entry_id: isCurrent ? `ent_${facts.entry_id}` : null,
    },
  };
}

function toStructure(row: SpanRow): PlacedSpan {
  return {
    begins: row.started_at ?? row.occurred_at,
    span: { ...factsOf(row), kind: 'structure', ...amountsOf([]), cost: null, entry_id: null },
  };
}

function factsOf(row: SpanRow) {
  return {
    span_id: row.span_id,
    parent_span_id: row.parent_span_id,
    operation: row.operation,
    status: row.status,
    error_type: row.error_type,
    started_at: formatInstantOrNull(row.started_at),
    completed_at: formatInstant(row.occurred_at),
    provider: row.provider,
    requested_model: row.requested_model,
    executed_model: row.executed_model,
    attempt: row.attempt,
    outcome: row.outcome,
    currency: row.currency,
    source: row.source,
    event_id: row.event_id,
    metadata: {
      user_id: row.user_id,
      feature: row.feature,
      agent_run_id: row.agent_run_id,
      prompt_version: row.prompt_version,
      tags: row.further_tags ?? {},
    },
  };
}

/** Reversals take away what they reverse, so the sum of all entries is what stands. */
function amountsOf(rows: readonly SpanRow[]) {
  const input = rows.reduce((sum, row) => sum + row.input_tokens, 0n);
  const output = rows.reduce((sum, row) => sum + row.output_tokens, 0n);
  const known = withoutReversed(rows).every(({ cost }) => cost !== null);
  return {
    input_tokens: String(input),
    output_tokens: String(output),
    total_tokens: String(input + output),
    charge: formatPico(rows.reduce((sum, row) => sum + (row.charge ?? 0n), 0n)),
    cost: known ? formatPico(rows.reduce((sum, row) => sum + (row.cost ?? 0n), 0n)) : null,
  };
}

/** The last call that was made tells how a trace ended. */
function statusOf(calls: readonly TraceSpan[]): ListedTrace['status'] {
  return (
    calls.toSorted((a, b) => (a.completed_at < b.completed_at ? -1 : 1)).at(-1)?.status ?? 'ok'
  );
}

const NAMED = ['user_id', 'feature', 'agent_run_id', 'prompt_version'] as const;

/** Returns what the spans that say it agree on. */
function agreed(all: readonly TraceMetadata[]): TraceMetadata {
  const oneOf = (name: (typeof NAMED)[number]) => {
    const said = new Set(all.flatMap((of) => of[name] ?? []));
    const [only = null] = said;
    return said.size === 1 ? only : null;
  };
  const named = Object.fromEntries(NAMED.map((name) => [name, oneOf(name)]));
  const tags = Object.assign({}, ...all.map((of) => of.tags));
  return { ...(named as Pick<TraceMetadata, (typeof NAMED)[number]>), tags };
}
