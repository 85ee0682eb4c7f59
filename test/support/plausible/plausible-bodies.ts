/** What one call of a body becomes, worked out by hand; what is left out is not looked at. */
export interface ExpectedCall {
  readonly model: string | null;
  readonly tenant: string | null;
  readonly units: Readonly<Record<string, number>>;
  readonly reasoning?: number;
  readonly outcome?: 'call' | 'unmeasured';
  readonly source?: 'reported' | 'estimated' | 'assumed';
  readonly tier?: string;
  readonly status?: string;
  readonly user?: string;
  readonly cost?: string;
  readonly cache?: string;
  readonly operation?: string;
}

export interface PlausibleBody {
  readonly name: string;
  /** The arithmetic by which the answer was found. */
  readonly because: string;
  readonly body: object;
  readonly calls: readonly ExpectedCall[];
}

const BEGAN = '1792065598000000000';
const ENDED = '1792065600000000000';

type Value = string | number | boolean;

/** An attribute as OTLP writes it: whole numbers travel as texts. */
function attribute([key, value]: readonly [string, Value]) {
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  if (typeof value === 'string') return { key, value: { stringValue: value } };
  return Number.isInteger(value)
    ? { key, value: { intValue: String(value) } }
    : { key, value: { doubleValue: value } };
}

export function spanOf(
  attributes: Readonly<Record<string, Value>>,
  more: Readonly<Record<string, unknown>> = {},
) {
  return {
    ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00000000000000a1', name: 'chat' },
    ...{ kind: 3, startTimeUnixNano: BEGAN, endTimeUnixNano: ENDED },
    attributes: Object.entries(attributes).map(attribute),
    status: {},
    ...more,
  };
}

export function tracesOf(scope: string, ...spans: readonly object[]) {
  const resource = { attributes: [attribute(['tenant_id', 'acme'])] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: scope }, spans }] }] };
}

export function logsOf(scope: string, attributes: Readonly<Record<string, Value>>) {
  const record = {
    ...{ timeUnixNano: ENDED, body: { stringValue: String(attributes['event.name']) } },
    attributes: Object.entries(attributes).map(attribute),
  };
  const resource = { attributes: [attribute(['tenant_id', 'acme'])] };
  return {
    resourceLogs: [{ resource, scopeLogs: [{ scope: { name: scope }, logRecords: [record] }] }],
  };
}

export function litellmOf(change: Readonly<Record<string, unknown>>) {
  return {
    ...{
      id: 'chatcmpl-9',
      trace_id: 't',
      call_type: 'acompletion',
      stream: false,
      status: 'success',
    },
    ...{ custom_llm_provider: 'openai', model: 'gpt-4o', model_group: 'gpt-4o', model_id: 'd1' },
    ...{ api_base: 'https://gw.example', prompt_tokens: 1000, completion_tokens: 100 },
    ...{ total_tokens: 1100, startTime: 1792065598.1, endTime: 1792065600.3 },
    ...{ completionStartTime: 1792065599, response_cost: 0, cache_hit: false, request_tags: [] },
    ...{ end_user: '', metadata: { user_api_key_team_id: 'acme' }, hidden_params: {} },
    ...{ model_map_information: {}, model_parameters: {} },
    ...change,
  };
}

export function nativeOf(change: Readonly<Record<string, unknown>>) {
  return {
    ...{ event_id: 'n1', tenant_id: 'acme', occurred_at: '2026-10-15T12:00:00Z', status: 'ok' },
    ...change,
  };
}
