import { createHash } from 'node:crypto';
import { timeFromAny, timeFromNanos } from '../foreign/foreign-time.ts';
import {
  type Inclusion,
  type NativeUsage,
  nativeUsage,
  type ReportedCounts,
  usageOfCall,
} from '../foreign/foreign-usage.ts';
import {
  at,
  firstGiven,
  type JsonObject,
  unlessEmpty,
  withoutAbsent,
} from '../foreign/foreign-value.ts';
import {
  emptyTranslation,
  type Translation,
  type Translator,
  translationOf,
} from '../foreign/translation.ts';
import { MOST_ITEMS, tooManyItems } from '../json-bounds.ts';
import { type Attributes, firstAttribute, plainValue, readAttributes } from './otlp-attributes.ts';
import { executedModel, payeeOfClaude, providerOf, requestedModel, tierOf } from './otlp-call.ts';
import { spanCost } from './otlp-cost.ts';
import { camelRequest, isSnakeCase } from './otlp-names.ts';
import { listAt, readSpanId } from './otlp-spans.ts';
import { spanFurtherTags, spanTags } from './otlp-tags.ts';
import { spanUsage } from './otlp-usage.ts';
import { unreadUsage } from './unread-usage.ts';

/**
 * An ExportLogsServiceRequest: command-line agents report each request as a log event. What includes what:
 *
 * | producer    | event                              | cache                  | thoughts          | total              |
 * |-------------|------------------------------------|------------------------|-------------------|--------------------|
 * | Claude Code | claude_code.api_request            | beside input_tokens    | in output_tokens  | -                  |
 * | Codex       | codex.sse_event, .websocket_event  | in input_token_count   | in the output     | tool_token_count   |
 * | Gemini CLI  | gemini_cli.api_response            | in input_token_count   | beside the output | with tool prompts  |
 *
 * Each of them writes the same again, as metrics or as `gen_ai.client.inference.operation.details`.
 */
export const otlpLogsTranslator: Translator = {
  format: 'otlp-logs',
  recognizes: (value) =>
    Array.isArray(at(value, 'resourceLogs')) ||
    (isSnakeCase(value) && Array.isArray(at(value, 'resource_logs'))),
  translate: (value) => {
    const unreadable: unknown[] = [];
    const records = readRecords(camelRequest(value), unreadable);
    return [
      ...records.flatMap(translateRecord),
      ...unreadable.map((item) => ({
        event: withoutAbsent({ source: 'otlp', event_id: item ?? undefined }),
        usageAssumed: false,
      })),
    ];
  },
};

interface LogRecord {
  readonly fields: JsonObject;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly scope: string;
  readonly name: string;
}

function readRecords(value: object, unreadable: unknown[]): readonly LogRecord[] {
  let count = 0;
  return listAt(value, 'resourceLogs', unreadable).flatMap((ofResource) => {
    const resource = readAttributes(at(ofResource, 'resource', 'attributes'));
    return listAt(ofResource, 'scopeLogs', unreadable).flatMap((ofScope) => {
      const scope = String(at(ofScope, 'scope', 'name') ?? '');
      const records = listAt(ofScope, 'logRecords', unreadable);
      count += records.length;
      if (count > MOST_ITEMS) throw tooManyItems(count);
      return records.map((fields) => {
        const attributes = readAttributes(at(fields, 'attributes'));
        return { fields, attributes, resource, scope, name: nameOf(fields, attributes) };
      });
    });
  });
}

/** An event is named by its field, by an attribute, or by a body that says no more than the name. */
function nameOf(fields: JsonObject, attributes: Attributes): string {
  const body = plainValue(at(fields, 'body'));
  const named = [at(fields, 'eventName'), attributes.get('event.name'), body].filter(isName);
  // The attribute often leaves out the producer, which the body names.
  return named.find((name) => name.includes('.')) ?? named[0] ?? '';
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,100}$/.test(value);
}

const REPEATED = 'a log event that repeats what its span or another event reports';

function translateRecord(record: LogRecord): readonly Translation[] {
  const { name, attributes } = record;
  const dialect = DIALECTS.find((each) => each.isCall(name, attributes));
  if (dialect !== undefined) return [callOf(record, dialect)];
  if (name === 'gen_ai.client.inference.operation.details') return [operationDetails(record)];
  const unread = isFailureOrMetric(name) ? [] : unreadUsage(attributes);
  return unread.length === 0 ? [] : [notUnderstood(record, unread)];
}

function isFailureOrMetric(name: string): boolean {
  return /\.(?:error|metric|tool_call|tool_result|tool_decision|turn_cost|chat_compression)$/.test(
    name,
  );
}

interface Dialect {
  readonly isCall: (name: string, attributes: Attributes) => boolean;
  readonly hasFailed: (name: string, attributes: Attributes) => boolean;
  readonly provider: string | ((model: unknown) => string);
  readonly counts: Readonly<Partial<Record<keyof ReportedCounts, string>>>;
  readonly inclusion: Inclusion;
}

const GEMINI_COUNTS = {
  input: 'input_token_count',
  output: 'output_token_count',
  cacheRead: 'cached_content_token_count',
  reasoning: 'thoughts_token_count',
  total: 'total_token_count',
} as const;

const DIALECTS: readonly Dialect[] = [
  {
    isCall: (name) =>
      /(?:^|\.)claude_code\.api_(?:request|error)$|^api_request$|^api_error$/.test(name),
    hasFailed: (name) => name.endsWith('api_error'),
    provider: payeeOfClaude,
    counts: {
      input: 'input_tokens',
      output: 'output_tokens',
      cacheRead: 'cache_read_tokens',
      cacheWrite: 'cache_creation_tokens',
    },
    inclusion: { cache: 'beside' },
  },
  {
    isCall: (name, attributes) =>
      /^codex\.(?:sse_event|websocket_event)$/.test(name) &&
      /^response\.(?:completed|failed)$/.test(String(attributes.get('event.kind'))),
    hasFailed: (_, attributes) => attributes.get('event.kind') === 'response.failed',
    provider: 'openai',
    counts: {
      input: 'input_token_count',
      output: 'output_token_count',
      cacheRead: 'cached_token_count',
      cacheWrite: 'cache_write_token_count',
      reasoning: 'reasoning_token_count',
      total: 'tool_token_count',
    },
    inclusion: { cache: 'inside' },
  },
  {
    isCall: (name) => /^gemini_cli\.api[._](?:response|error)$/.test(name),
    hasFailed: (name) => name.endsWith('error'),
    provider: 'gcp.gemini',
    counts: GEMINI_COUNTS,
    inclusion: { cache: 'inside', reasoning: 'beside' },
  },
  {
    isCall: (name) => /^qwen-code\.api_(?:response|error)$/.test(name),
    hasFailed: (name) => name.endsWith('error'),
    provider: 'alibaba',
    counts: GEMINI_COUNTS,
    inclusion: { cache: 'inside' },
  },
];

function callOf(record: LogRecord, dialect: Dialect): Translation {
  const { attributes, name } = record;
  const model = firstAttribute(attributes, ['model', 'gen_ai.request.model', 'model_name']);
  const usual = typeof dialect.provider === 'string' ? dialect.provider : dialect.provider(model);
  const provider = firstGiven(providerOf(attributes), usual);
  const used = dialectUsage(attributes, dialect, { provider, model });
  const failed = dialect.hasFailed(name, attributes);
  const status = failed ? 'error' : 'ok';
  const event = withoutAbsent({
    ...recordFields(record),
    status,
    error_type: failed ? errorType(attributes) : undefined,
    operation: 'chat',
    provider,
    requested_model: model,
    response_id: firstAttribute(attributes, [
      'response_id',
      'response.id',
      'request_id',
      'gen_ai.response.id',
    ]),
    attempt: failed ? undefined : firstGiven(attributes.get('spanledger.attempt')),
    usage: usageOfCall(used, status),
    reported_cost: spanCost(attributes),
  });
  return translationOf(event, used);
}

function dialectUsage(
  attributes: Attributes,
  { counts, inclusion }: Dialect,
  call: { readonly provider: unknown; readonly model: unknown },
): NativeUsage {
  const given = Object.entries(counts).map(([count, name]) => [count, attributes.get(name)]);
  const found: ReportedCounts = withoutAbsent(Object.fromEntries(given));
  // Gemini's own tools have prompts beside the input; Codex counts its total under that name.
  const tools =
    counts.total === 'tool_token_count' ? 0 : Number(attributes.get('tool_token_count') ?? 0);
  const input = Number(found.input);
  const whole =
    tools > 0 && Number.isSafeInteger(input + tools) ? { ...found, input: input + tools } : found;
  return nativeUsage(whole, inclusion, call);
}

function errorType(attributes: Attributes): unknown {
  const code = firstAttribute(attributes, [
    'status_code',
    'http.status_code',
    'http.response.status_code',
  ]);
  return firstGiven(
    firstAttribute(attributes, ['error_type', 'error.type']),
    code === undefined ? undefined : `http_${String(code)}`,
  );
}

/**
 * Returns what every event of a record has. A record has no id, so that all that it says identifies
 * it.
 */
function recordFields({ fields, attributes, resource, name }: LogRecord): JsonObject {
  const nanos = firstGiven(
    unlessZero(at(fields, 'timeUnixNano')),
    unlessZero(at(fields, 'observedTimeUnixNano')),
  );
  const tags = spanTags(attributes, resource);
  return {
    event_id: eventId(fields, attributes, name),
    source: firstGiven(
      attributes.get('spanledger.source'),
      resource.get('spanledger.source'),
      'otlp',
    ),
    occurred_at: firstGiven(timeFromNanos(nanos), timeFromAny(attributes.get('event.timestamp'))),
    started_at: startedAt(nanos, attributes.get('duration_ms')),
    ...tags,
    user_id: firstGiven(tags['user_id'], firstAttribute(attributes, USERS)),
    agent_run_id: firstGiven(tags['agent_run_id'], firstAttribute(attributes, RUNS)),
    tags: unlessEmpty(spanFurtherTags(attributes)),
    trace_id: readSpanId(at(fields, 'traceId')),
    span_id: readSpanId(at(fields, 'spanId')),
  };
}

const USERS = ['user.account_uuid', 'user.account_id', 'user.email'];
const RUNS = ['prompt.id', 'prompt_id', 'session.id', 'conversation.id'];

function unlessZero(nanos: unknown): unknown {
  return nanos === 0 || nanos === '0' ? undefined : nanos;
}

function startedAt(endNanos: unknown, durationMs: unknown): unknown {
  const took = Number(durationMs ?? Number.NaN);
  if (!/^\d{1,20}$/.test(String(endNanos)) || !(took >= 0 && took < 1e12)) return undefined;
  const start = BigInt(String(endNanos)) - BigInt(Math.round(took)) * 1_000_000n;
  return start > 0n ? timeFromNanos(String(start)) : undefined;
}

function eventId(fields: JsonObject, attributes: Attributes, name: string): string {
  const told = [
    name,
    at(fields, 'timeUnixNano') ?? null,
    at(fields, 'spanId') ?? null,
    ...attributes,
  ];
  return `log:${createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 40)}`;
}

/** The convention's own event stands beside a span; without one it is the only report of its call. */
function operationDetails(record: LogRecord): Translation {
  const { attributes, scope, resource } = record;
  const service = String(resource.get('service.name') ?? '');
  const isBesideSpan = readSpanId(at(record.fields, 'spanId')) !== undefined;
  if (isBesideSpan || /gemini[-_]cli/.test(`${service} ${scope}`)) {
    return emptyTranslation('otlp', REPEATED);
  }
  const used = spanUsage(attributes, { name: scope, version: null });
  const errorType_ = firstAttribute(attributes, ['error.type']);
  const status = errorType_ === undefined ? 'ok' : 'error';
  const event = withoutAbsent({
    ...recordFields(record),
    status,
    error_type: errorType_,
    operation: firstGiven(attributes.get('gen_ai.operation.name'), 'chat'),
    provider: providerOf(attributes),
    requested_model: requestedModel(attributes),
    executed_model: executedModel(attributes),
    response_id: firstAttribute(attributes, ['gen_ai.response.id']),
    service_tier: tierOf(attributes),
    usage: usageOfCall(used, status),
    reported_cost: spanCost(attributes),
  });
  return translationOf(event, used);
}

function notUnderstood(record: LogRecord, names: readonly string[]): Translation {
  const said = names.slice(0, 5).join(', ').slice(0, 300);
  const detail = `the log event ${JSON.stringify(record.name)} has counts that are not read (${said}); send it as a span with the OpenTelemetry GenAI conventions`;
  const { source, event_id } = recordFields(record);
  const kept = [...record.attributes].filter(([, value]) => String(value).length <= 200);
  const { attributes: _, body: __, ...fields } = record.fields;
  const body = {
    resourceLogs: [
      {
        resource: { attributes: Object.fromEntries(record.resource) },
        scopeLogs: [
          {
            scope: { name: record.scope },
            logRecords: [
              { ...fields, eventName: record.name, attributes: Object.fromEntries(kept) },
            ],
          },
        ],
      },
    ],
  };
  const event = withoutAbsent({ source, event_id });
  return { event, usageAssumed: false, instead: { kind: 'not_understood', detail, body } };
}
