import { formatInstant } from '../../clock.ts';
import { HIDDEN_COLUMNS, hashEntry, SHOWN_COLUMNS } from '../../seals/entry-hash.ts';
import type { NewEntry, RateReference } from './entry.ts';

/** The columns of an entry's facts, in the order in which `copyLine` writes them. */
export const FACT_COLUMNS = [...SHOWN_COLUMNS, ...HIDDEN_COLUMNS].join(', ');

/** The same with the hash over them, which is the last column of the line. */
export const COPY_COLUMNS = `${FACT_COLUMNS}, entry_hash`;

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
  return `${shown}\t${hidden}\t\\\\x${hashEntry({ shown, hidden, entryId, salt })}\n`;
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

const NULL = '\\N';

/** Several columns as one text: an entry has sixty, and a list less for each group of them is felt. */
function rateColumns(rate: RateReference | null): string {
  if (rate === null) return `${NULL}\t${NULL}\t${NULL}`;
  return `${escapeText(rate.book)}\t${formatInstant(rate.version)}\t${rate.rateId}`;
}

function layerColumns(layers: NewEntry['layers']): string {
  if (layers === null) return `${NULL}\t${NULL}\t${NULL}\t${NULL}`;
  return `${layers.prompt}\t${layers.tool}\t${layers.memory}\t${layers.response}`;
}

/** As jsonb writes an object: shorter keys first, and spaces after colons and commas. */
function tags(furtherTags: Readonly<Record<string, string>>): string {
  const names = Object.keys(furtherTags);
  if (names.length === 0) return NULL;
  const members = names
    .map((name) => ({ bytes: Buffer.from(name), name }))
    .sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => `${JSON.stringify(name)}: ${JSON.stringify(furtherTags[name])}`);
  return escapeText(`{${members.join(', ')}}`);
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
