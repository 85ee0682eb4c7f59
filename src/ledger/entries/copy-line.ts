import { formatInstant } from '../../clock.ts';
import type { UsageCounts } from '../../events/event.ts';
import {
  HIDDEN_COLUMNS,
  hashEntry,
  LATER_HIDDEN_COLUMNS,
  LATER_SHOWN_COLUMNS,
  SHOWN_COLUMNS,
} from '../../seals/entry-hash.ts';
import type { FurtherUnits } from '../../units.ts';
import { FURTHER_UNITS } from '../../units.ts';
import type { NewEntry, RateReference } from './entry.ts';

/** All columns of an entry's facts. */
export const FACT_COLUMNS = [
  ...SHOWN_COLUMNS,
  ...HIDDEN_COLUMNS,
  ...LATER_SHOWN_COLUMNS,
  ...LATER_HIDDEN_COLUMNS,
].join(', ');

/** The columns in the order in which `copyLine` writes them. */
export const COPY_COLUMNS = [
  ...SHOWN_COLUMNS,
  ...HIDDEN_COLUMNS,
  'entry_hash',
  ...LATER_SHOWN_COLUMNS,
  ...LATER_HIDDEN_COLUMNS,
].join(', ');

/** What a line says beside the entry itself. */
export interface LineContext {
  readonly entryId: bigint;
  readonly recordedAt: string;
  /** The batch's, in hexadecimal. */
  readonly salt: string;
}

/**
 * One entry in the text format of Postgres's COPY: columns by tabs, `\N` for null. The text is what
 * the entry's hash is made over, so each value has one form, and it is Postgres's own.
 */
export function copyLine(entry: NewEntry, given: LineContext): string {
  const shown = shownColumns(entry, given).join('\t');
  const hidden = hiddenColumns(entry).join('\t');
  const { entryId, salt } = given;
  const units = entry.units === null ? null : unitColumn(entry.units);
  const later = hasLaterHidden(entry) ? laterHiddenColumns(entry).join('\t') : null;
  const entryHash = hashEntry({
    shown: units === null ? shown : `${shown}\t${units}`,
    hidden: later === null ? hidden : `${hidden}\t${later}`,
    entryId,
    salt,
  });
  return `${shown}\t${hidden}\t\\\\x${entryHash}\t${units ?? NULL}\t${later ?? NO_LATER_HIDDEN}\n`;
}

type Column = string | number | bigint;

function shownColumns(entry: NewEntry, given: LineContext): readonly Column[] {
  return [
    escapeText(entry.tenantId),
    escapeText(entry.source),
    escapeText(entry.eventId),
    escapeText(entry.memberId),
    entry.revision,
    given.entryId,
    entry.kind,
    entry.outcome,
    entry.status,
    formatInstant(entry.occurredAt),
    entry.startedAt === null ? NULL : formatInstant(entry.startedAt),
    given.recordedAt,
    entry.periodStart,
    entry.late ? 't' : 'f',
    escapeText(entry.operation),
    escapeText(entry.requestedModel),
    entry.serviceTier,
    entry.gatewayCache,
    entry.uncachedInputTokens,
    entry.cacheReadTokens,
    entry.cacheWriteTokens,
    entry.outputTokens,
    entry.reasoningTokens,
    entry.callShare,
    entry.usageSource,
    layerColumns(entry.layers),
    entry.charge ?? NULL,
    entry.currency,
    rateColumns(entry.chargeRate),
    text(entry.userId),
    text(entry.feature),
    text(entry.agentRunId),
    text(entry.promptVersion),
    text(entry.traceId),
    text(entry.spanId),
    text(entry.parentSpanId),
    entry.attempt,
    entry.correctsEntryId ?? NULL,
    entry.isReversal ? 't' : 'f',
  ];
}

function hiddenColumns(entry: NewEntry): readonly Column[] {
  return [
    text(entry.errorType),
    text(entry.provider),
    escapeText(entry.executedModel),
    text(entry.responseId),
    entry.contextTokens,
    entry.cost ?? NULL,
    entry.requestedCost ?? NULL,
    rateColumns(entry.costRate),
    tags(entry.furtherTags),
    text(entry.reason),
    text(entry.actor),
    `\\\\x${entry.eventDigest.toString('hex')}`,
  ];
}

function hasLaterHidden(entry: NewEntry): boolean {
  return entry.reportedCost !== null || entry.callId !== null || entry.callUsage !== null;
}

function laterHiddenColumns(entry: NewEntry): readonly Column[] {
  const { reportedCost } = entry;
  return [
    reportedCost?.amount ?? NULL,
    text(reportedCost?.currency ?? null),
    text(reportedCost?.source ?? null),
    text(entry.callId),
    entry.callUsage === null ? NULL : usageColumn(entry.callUsage),
  ];
}

const NULL = '\\N';
const NO_LATER_HIDDEN = LATER_HIDDEN_COLUMNS.map(() => NULL).join('\t');

/** Units in the order in which jsonb keeps keys: the shorter first, then by their bytes. */
const UNITS_IN_JSONB = [...FURTHER_UNITS.map(({ name }) => name)].sort(
  (a, b) => a.length - b.length || (a < b ? -1 : 1),
);

function unitColumn(units: FurtherUnits): string {
  const given = UNITS_IN_JSONB.filter((name) => units[name] !== undefined);
  return `{${given.map((name) => `"${name}": ${units[name]}`).join(', ')}}`;
}

/** The counts of a whole call, as jsonb writes them. */
function usageColumn({ units, ...usage }: UsageCounts): string {
  const text = {
    uncached_input_tokens: usage.uncachedInput,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    output_tokens: usage.output,
    reasoning_tokens: usage.reasoning,
  };
  return jsonb({ ...text, ...units });
}

/** Several columns as one text: an entry has sixty, and a list less for each group of them is felt. */
function rateColumns(rate: RateReference | null): string {
  if (rate === null) return `${NULL}\t${NULL}\t${NULL}`;
  return `${escapeText(rate.book)}\t${formatInstant(rate.version)}\t${rate.rateId}`;
}

function layerColumns(layers: NewEntry['layers']): string {
  if (layers === null) return `${NULL}\t${NULL}\t${NULL}\t${NULL}`;
  return `${layers.prompt}\t${layers.tool}\t${layers.memory}\t${layers.response}`;
}

function tags(furtherTags: Readonly<Record<string, string>>): string {
  return Object.keys(furtherTags).length === 0 ? NULL : escapeText(jsonb(furtherTags));
}

/** Writes an object as jsonb does: shorter keys first, and spaces after colons and commas. */
function jsonb(object: Readonly<Record<string, string | number>>): string {
  const members = Object.keys(object)
    .map((name) => ({ bytes: Buffer.from(name), name }))
    .sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => `${JSON.stringify(name)}: ${JSON.stringify(object[name])}`);
  return `{${members.join(', ')}}`;
}

function text(value: string | null): string {
  return value === null ? NULL : escapeText(value);
}

const SPECIAL = /[\\\t\n\r]/;

function escapeText(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}
