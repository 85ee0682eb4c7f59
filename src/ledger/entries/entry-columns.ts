import { formatInstant, type InstantMs } from '../../clock.ts';
import type { ReportedCost, TokenLayers, UsageCounts } from '../../events/event.ts';
import type { FurtherUnits } from '../../units.ts';
import { FURTHER_UNITS } from '../../units.ts';
import {
  booleanText,
  type CopyText,
  escapeText,
  instantText,
  jsonText,
  NULL,
  nullableText,
  numberText,
} from './copy-text.ts';
import type { NewEntry, RateReference, StoredEntry } from './entry.ts';

/** What a line says beside the entry itself. */
export interface LineContext {
  readonly entryId: bigint;
  readonly recordedAt: string;
  /** The batch's, in hexadecimal. */
  readonly salt: string;
}

/**
 * A row of the table as it was read; its values are what the database's types become.
 */
export type EntryRow = Readonly<Record<string, unknown>>;

/** One field of an entry: its columns, their text for COPY and for the hash, and the value of a row. */
interface Field<Value> {
  readonly columns: readonly string[];
  readonly text: (entry: NewEntry, given: LineContext) => CopyText;
  readonly value: (row: EntryRow) => Value;
}

type Fields = { readonly [Name in keyof StoredEntry]: Field<StoredEntry[Name]> };

/**
 * The fields that a proof shows: what was done, and what is paid for it. The columns stand and are hashed
 * in this order, as `entry_shown` of the migrations writes them too; a tenant may read them.
 */
const SHOWN = {
  tenantId: field('tenant_id', (e) => escapeText(e.tenantId)),
  source: field('source', (e) => escapeText(e.source)),
  eventId: field('event_id', (e) => escapeText(e.eventId)),
  memberId: field('member_id', (e) => escapeText(e.memberId)),
  revision: field('revision', (e) => e.revision),
  entryId: field('entry_id', (_, given) => given.entryId),
  kind: field('kind', (e) => e.kind),
  outcome: field('outcome', (e) => e.outcome),
  status: field('status', (e) => e.status),
  occurredAt: field('occurred_at', (e) => formatInstant(e.occurredAt)),
  startedAt: field('started_at', (e) => instantText(e.startedAt)),
  recordedAt: field('recorded_at', (_, given) => given.recordedAt),
  periodStart: field('period_start', (e) => e.periodStart),
  late: field('late', (e) => booleanText(e.late)),
  operation: field('operation', (e) => escapeText(e.operation)),
  requestedModel: field('requested_model', (e) => escapeText(e.requestedModel)),
  serviceTier: field('service_tier', (e) => e.serviceTier),
  gatewayCache: field('gateway_cache', (e) => e.gatewayCache),
  uncachedInputTokens: count('uncached_input_tokens', (e) => e.uncachedInputTokens),
  cacheReadTokens: count('cache_read_tokens', (e) => e.cacheReadTokens),
  cacheWriteTokens: count('cache_write_tokens', (e) => e.cacheWriteTokens),
  outputTokens: count('output_tokens', (e) => e.outputTokens),
  reasoningTokens: count('reasoning_tokens', (e) => e.reasoningTokens),
  callShare: field('call_share', (e) => e.callShare),
  usageSource: field('usage_source', (e) => e.usageSource),
  layers: {
    columns: [
      'layer_prompt_tokens',
      'layer_tool_tokens',
      'layer_memory_tokens',
      'layer_response_tokens',
    ],
    text: (e) => layersText(e.layers),
    value: layersOf,
  },
  charge: field('charge', (e) => numberText(e.charge)),
  currency: field('currency', (e) => e.currency),
  chargeRate: rate('charge', (e) => e.chargeRate),
  userId: field('user_id', (e) => nullableText(e.userId)),
  feature: field('feature', (e) => nullableText(e.feature)),
  agentRunId: field('agent_run_id', (e) => nullableText(e.agentRunId)),
  promptVersion: field('prompt_version', (e) => nullableText(e.promptVersion)),
  traceId: field('trace_id', (e) => nullableText(e.traceId)),
  spanId: field('span_id', (e) => nullableText(e.spanId)),
  parentSpanId: field('parent_span_id', (e) => nullableText(e.parentSpanId)),
  attempt: field('attempt', (e) => e.attempt),
  correctsEntryId: field('corrects_entry_id', (e) => numberText(e.correctsEntryId)),
  isReversal: field('is_reversal', (e) => booleanText(e.isReversal)),
} as const satisfies Partial<Fields> & { readonly recordedAt: Field<unknown> };

/** The fields that a proof hides behind a salted hash: how the call was served, and what that cost us. */
const HIDDEN = {
  errorType: field('error_type', (e) => nullableText(e.errorType)),
  provider: field('provider', (e) => nullableText(e.provider)),
  executedModel: field('executed_model', (e) => escapeText(e.executedModel)),
  responseId: field('response_id', (e) => nullableText(e.responseId)),
  contextTokens: count('context_tokens', (e) => e.contextTokens),
  cost: field('cost', (e) => numberText(e.cost)),
  requestedCost: field('requested_cost', (e) => numberText(e.requestedCost)),
  costRate: rate('cost', (e) => e.costRate),
  furtherTags: {
    columns: ['further_tags'],
    text: (e) => tagsText(e.furtherTags),
    value: (row) => (row['further_tags'] ?? {}) as NewEntry['furtherTags'],
  },
  reason: field('reason', (e) => nullableText(e.reason)),
  actor: field('actor', (e) => nullableText(e.actor)),
  eventDigest: field('event_digest', (e) => `\\\\x${e.eventDigest.toString('hex')}`),
} as const satisfies Partial<Fields>;

/**
 * Fields that came later stand at the end of the text that is hashed. What is null leaves no trace there, so that
 * an entry sealed before keeps its hash: of what is shown, the last ones that are null; of what is hidden, all of
 * them where all are.
 */
const LATER_SHOWN = {
  units: field('units', (e) => (e.units === null ? NULL : unitsText(e.units))),
  due: {
    columns: ['not_due'],
    text: (e) => (e.due ? NULL : booleanText(true)),
    value: (row) => row['not_due'] !== true,
  },
} as const satisfies Partial<Fields>;

const LATER_HIDDEN = {
  reportedCost: {
    columns: ['reported_cost', 'reported_cost_currency', 'reported_cost_source'],
    text: (e) => reportedText(e.reportedCost),
    value: reportedCostOf,
  },
  callId: field('call_id', (e) => nullableText(e.callId)),
  callUsage: {
    columns: ['call_usage'],
    text: (e) => (e.callUsage === null ? NULL : usageText(e.callUsage)),
    value: usageOf,
  },
} as const satisfies Partial<Fields>;

/** Fields that say nothing which the entries themselves do not, and that no hash covers. */
const UNHASHED = {
  sharesResponse: {
    columns: ['shares_response'],
    text: (e) => (e.sharesResponse ? 't' : NULL),
    value: (row) => row['shares_response'] === true,
  },
} as const satisfies Partial<Fields>;

const FIELDS: Fields = { ...SHOWN, ...HIDDEN, ...LATER_SHOWN, ...LATER_HIDDEN, ...UNHASHED };

/** The columns of each group in their order, and the text of each field of it. */
export const SHOWN_COLUMNS = columnsOf(SHOWN);
export const HIDDEN_COLUMNS = columnsOf(HIDDEN);
export const LATER_SHOWN_COLUMNS = columnsOf(LATER_SHOWN);
export const LATER_HIDDEN_COLUMNS = columnsOf(LATER_HIDDEN);
export const UNHASHED_COLUMNS = columnsOf(UNHASHED);

export const shownTexts = textsOf(SHOWN);
export const hiddenTexts = textsOf(HIDDEN);
export const laterShownTexts = textsOf(LATER_SHOWN);
export const laterHiddenTexts = textsOf(LATER_HIDDEN);
export const unhashedTexts = textsOf(UNHASHED);

/** All columns of an entry's facts. */
export const FACT_COLUMNS = [
  ...SHOWN_COLUMNS,
  ...HIDDEN_COLUMNS,
  ...LATER_SHOWN_COLUMNS,
  ...LATER_HIDDEN_COLUMNS,
  ...UNHASHED_COLUMNS,
].join(', ');

const READERS = Object.entries(FIELDS)
  .map(([name, { value }]) => ({ name, value }))
  .filter(({ name }) => name !== 'recordedAt');

/**
 * An entry with all of its fields and nothing in them. A copy of it has the shape of every other entry, which
 * one that is built field by field has not: that made reading an entry five times as dear, and using it twice.
 */
const BLANK = { ...Object.fromEntries(READERS.map(({ name }) => [name, null as unknown])) };

/** Makes an entry from a row that has all fact columns. */
export function toEntry(row: EntryRow): StoredEntry {
  const entry = { ...BLANK };
  for (const { name, value } of READERS) entry[name] = value(row);
  return entry as unknown as StoredEntry;
}

/** Makes a field of one column, which the database's own type becomes. */
function field<Value>(column: string, text: Field<Value>['text']): Field<Value> {
  return { columns: [column], text, value: (row) => row[column] as Value };
}

/** A count is far below 2⁵³, which the event's own bounds see to. */
function count(column: string, text: Field<number>['text']): Field<number> {
  return { columns: [column], text, value: (row) => Number(row[column]) };
}

function rate(
  of: 'charge' | 'cost',
  reference: (entry: NewEntry) => RateReference | null,
): Field<RateReference | null> {
  const [book, version, rateId] = [`${of}_book`, `${of}_version`, `${of}_rate_id`];
  return {
    columns: [book, version, rateId],
    text: (entry) => rateText(reference(entry)),
    value: (row) =>
      row[rateId] === null
        ? null
        : ({ book: row[book], version: row[version], rateId: row[rateId] } as RateReference),
  };
}

function columnsOf(fields: Readonly<Record<string, Field<unknown>>>): readonly string[] {
  return Object.values(fields).flatMap(({ columns }) => columns);
}

function textsOf(fields: Readonly<Record<string, Field<unknown>>>) {
  return Object.values(fields).map(({ text }) => text);
}

/** Several columns as one text: a list less for each group of them is felt. */
function rateText(reference: RateReference | null): string {
  if (reference === null) return `${NULL}\t${NULL}\t${NULL}`;
  const { book, version, rateId } = reference;
  return `${escapeText(book)}\t${versionText(version)}\t${rateId}`;
}

/** An entry names two versions, and there are few in all. */
const versionTexts = new Map<InstantMs, string>();
const MOST_VERSIONS = 1000;

function versionText(version: InstantMs): string {
  const known = versionTexts.get(version);
  if (known !== undefined) return known;
  if (versionTexts.size >= MOST_VERSIONS) versionTexts.clear();
  const text = formatInstant(version);
  versionTexts.set(version, text);
  return text;
}

function layersText(layers: TokenLayers | null): string {
  if (layers === null) return `${NULL}\t${NULL}\t${NULL}\t${NULL}`;
  return `${layers.prompt}\t${layers.tool}\t${layers.memory}\t${layers.response}`;
}

function layersOf(row: EntryRow): TokenLayers | null {
  if (row['layer_prompt_tokens'] === null) return null;
  return {
    prompt: Number(row['layer_prompt_tokens']),
    tool: Number(row['layer_tool_tokens']),
    memory: Number(row['layer_memory_tokens']),
    response: Number(row['layer_response_tokens']),
  };
}

function tagsText(tags: NewEntry['furtherTags']): string {
  return Object.keys(tags).length === 0 ? NULL : escapeText(jsonText(tags));
}

function reportedText(reported: ReportedCost | null): string {
  if (reported === null) return `${NULL}\t${NULL}\t${NULL}`;
  const { amount, currency, source } = reported;
  return `${amount}\t${escapeText(currency)}\t${escapeText(source)}`;
}

function reportedCostOf(row: EntryRow): ReportedCost | null {
  if (row['reported_cost'] === null) return null;
  return {
    amount: row['reported_cost'],
    currency: row['reported_cost_currency'],
    source: row['reported_cost_source'],
  } as ReportedCost;
}

/** Units in the order in which jsonb keeps keys: the shorter first, then by their bytes. */
const UNITS_IN_JSONB = [...FURTHER_UNITS.map(({ name }) => name)].sort(
  (a, b) => a.length - b.length || (a < b ? -1 : 1),
);

function unitsText(units: FurtherUnits): string {
  const given = UNITS_IN_JSONB.filter((name) => units[name] !== undefined);
  return `{${given.map((name) => `"${name}": ${units[name]}`).join(', ')}}`;
}

/** The counts of a whole call, as jsonb writes them. */
function usageText({ units, ...usage }: UsageCounts): string {
  const text = {
    uncached_input_tokens: usage.uncachedInput,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    output_tokens: usage.output,
    reasoning_tokens: usage.reasoning,
  };
  return jsonText({ ...text, ...units });
}

function usageOf(row: EntryRow): UsageCounts | null {
  const counts = row['call_usage'] as Readonly<Record<string, number>> | null;
  if (counts === null) return null;
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
