import { timeFromAny } from './foreign-time.ts';
import { type NativeUsage, nativeUsage, withoutOutput } from './foreign-usage.ts';
import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  isObject,
  withoutAbsent,
} from './foreign-value.ts';
import type { Translation, Translator } from './translation.ts';

/** The billing events of the LangWatch gateway: one message with many envelopes. */
export const langwatchTranslator: Translator = {
  format: 'langwatch',
  recognizes: (value) => {
    const batch = at(value, 'batch');
    return Array.isArray(batch) && batch.some((item) => typeof at(item, 'type') === 'string');
  },
  translate: (value) => {
    const batch = at(value, 'batch');
    return Array.isArray(batch) ? batch.flatMap(translateEnvelope) : [];
  },
};

const COMPLETED = 'gateway.request.completed';

/** `settled` stands for a cost not yet known and is superseded by `completed`: only the latter counts. */
function translateEnvelope(envelope: unknown): readonly Translation[] {
  const type = at(envelope, 'type');
  if (typeof type === 'string' && type !== COMPLETED) return [];
  const data = at(envelope, 'data');
  const metadata = at(data, 'metadata');
  const { usage, assumed } = usageOf(at(data, 'usage'));
  const tags = attributionTags((name) => at(metadata, name));
  const status = statusOf(at(data, 'status'));
  const event = withoutAbsent({
    event_id: firstGiven(at(envelope, 'id')),
    source: 'langwatch',
    occurred_at: timeFromAny(firstGiven(at(envelope, 'created'))),
    status,
    error_type: status === 'error' ? firstGiven(at(data, 'error_type')) : undefined,
    operation: 'chat',
    requested_model: firstGiven(at(data, 'model')),
    usage: status === 'ok' ? usage : withoutOutput(usage),
    ...tags,
    user_id: firstGiven(at(data, 'end_user_id'), tags['user_id']),
    tags: gatewayTags(data),
  });
  return [{ event, usageAssumed: assumed }];
}

const STATUSES: ReadonlyMap<unknown, string> = new Map([
  ['ok', 'ok'],
  ['success', 'ok'],
  ['completed', 'ok'],
  ['error', 'error'],
  ['failed', 'error'],
  ['failure', 'error'],
  ['cancelled', 'cancelled'],
  ['canceled', 'cancelled'],
]);

/** A status may also be that of HTTP. Any other is handed on, for the schema to refuse by name. */
function statusOf(status: unknown): unknown {
  if (typeof status === 'number') return status < 400 ? 'ok' : 'error';
  return STATUSES.get(status) ?? status;
}

/** Whether the input includes cache is not documented, so only the counts themselves can prove it. */
function usageOf(usage: unknown): NativeUsage {
  return nativeUsage(
    {
      input: at(usage, 'input'),
      output: at(usage, 'output'),
      cacheRead: at(usage, 'cache_read_input'),
      cacheWrite: at(usage, 'cache_creation_input'),
      reasoning: at(usage, 'reasoning'),
    },
    'unknown',
  );
}

function gatewayTags(data: unknown) {
  if (!isObject(data)) return undefined;
  return withoutAbsent({
    ...furtherTags(at(data, 'metadata')),
    gateway_request_id: firstGiven(at(data, 'gateway_request_id')),
    virtual_key_id: firstGiven(at(data, 'virtual_key_id')),
  });
}
