import { TOKENS } from '../unknown-tokens.ts';
import { countOf, isCount } from './foreign-count.ts';
import { timeFromAny } from './foreign-time.ts';
import { type NativeUsage, nativeUsage, usageOfCall } from './foreign-usage.ts';
import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  isObject,
  withoutAbsent,
} from './foreign-value.ts';
import { plainDecimal } from './plain-decimal.ts';
import { reportedCost } from './reported-cost.ts';
import {
  emptyTranslation,
  type Translation,
  type Translator,
  translationOf,
} from './translation.ts';

/**
 * The billing events of the LangWatch gateway, alone or as `{"batch": […]}`. What includes what:
 *
 * | count                                                   | holds                                 |
 * |---------------------------------------------------------|---------------------------------------|
 * | input_tokens                                            | neither cache nor audio nor images    |
 * | cache_read_input_tokens, cache_creation_input_tokens    | all that was read and written         |
 * | cache_creation_1h_tokens                                | a part of what was written            |
 * | output_tokens                                           | reasoning; audio, images stand beside |
 * | image_count                                             | pictures, which tokens only describe  |
 * | input, output, cache_read_input, … (a draft's names)    | not told: assumed, unless they prove it |
 */
export const langwatchTranslator: Translator = {
  format: 'langwatch',
  recognizes: (value) => {
    const batch = at(value, 'batch');
    if (Array.isArray(batch)) return batch.some((item) => isOfGateway(at(item, 'type')));
    return isOfGateway(at(value, 'type')) && isObject(at(value, 'data'));
  },
  translate: (value) => {
    const batch = at(value, 'batch');
    return (Array.isArray(batch) ? batch : [value]).map(translateEnvelope);
  },
};

/** Others send batches of events with types, too. */
function isOfGateway(type: unknown): boolean {
  return typeof type === 'string' && type.startsWith('gateway.');
}

const SOURCE = 'langwatch';
const COMPLETED = 'gateway.request.completed';
const FAILED = 'gateway.request.failed';
const NOT_COMPLETED =
  'a request that is under way or settled; its completion is an event of its own';

/** `settled` stands for a cost not yet known and is superseded by `completed`: only the latter counts. */
function translateEnvelope(envelope: unknown): Translation {
  const type = at(envelope, 'type');
  if (typeof type === 'string' && type !== COMPLETED && type !== FAILED) {
    return emptyTranslation(SOURCE, NOT_COMPLETED);
  }
  const data = at(envelope, 'data');
  const metadata = at(data, 'metadata');
  const [provider, model] = modelOf(at(data, 'model'));
  const used = usageOf(at(data, 'usage'), { provider, model });
  const tags = attributionTags((name) => at(metadata, name));
  const status = type === FAILED ? 'error' : statusOf(data);
  const event = withoutAbsent({
    event_id: firstGiven(at(envelope, 'id'), at(data, 'event_id')),
    source: SOURCE,
    occurred_at: timeFromAny(firstGiven(at(data, 'occurred_at'), at(envelope, 'created'))),
    status,
    error_type: status === 'error' ? errorType(data) : undefined,
    operation:
      OPERATIONS.get(at(data, 'request_type')) ?? firstGiven(at(data, 'request_type')) ?? 'chat',
    provider,
    requested_model: model,
    call_id: firstGiven(at(data, 'gateway_request_id')),
    usage: usageOfCall(used, status),
    reported_cost: costOf(at(data, 'cost')),
    ...tags,
    user_id: firstGiven(at(data, 'end_user_id'), tags['user_id'], at(data, 'principal_user_id')),
    trace_id: firstGiven(at(data, 'trace_id')),
    tags: gatewayTags(data),
  });
  return translationOf(event, used);
}

const OPERATIONS: ReadonlyMap<unknown, string> = new Map([
  ['chat_completions', 'chat'],
  ['messages', 'chat'],
  ['responses', 'chat'],
  ['generate_content', 'generate_content'],
  ['embeddings', 'embeddings'],
  ['completions', 'text_completion'],
  ['images', 'image'],
  ['image_generations', 'image'],
  ['audio_speech', 'speech'],
  ['audio_transcriptions', 'transcription'],
]);

/** A model may carry its provider, as in `anthropic/claude-sonnet-4-5`. */
function modelOf(model: unknown): readonly [provider: unknown, model: unknown] {
  const given = firstGiven(model);
  if (typeof given !== 'string') return [undefined, given];
  const match = /^([a-z][a-z0-9_.-]*)\/(.+)$/s.exec(given);
  return match === null ? [undefined, given] : [match[1], match[2]];
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

/** A status may also be that of HTTP; without one the error tells. Any other is handed on, to be refused. */
function statusOf(data: unknown): unknown {
  const status = firstGiven(at(data, 'status'));
  if (status === undefined) return isObject(at(data, 'error')) ? 'error' : 'ok';
  if (typeof status === 'number') return status < 400 ? 'ok' : 'error';
  return STATUSES.get(status) ?? status;
}

function errorType(data: unknown): unknown {
  const httpStatus = firstGiven(at(data, 'error', 'http_status'));
  return firstGiven(
    at(data, 'error', 'class'),
    at(data, 'error_type'),
    httpStatus === undefined ? undefined : `http_${String(httpStatus)}`,
  );
}

function costOf(cost: unknown) {
  return reportedCost(SOURCE, at(cost, 'total_usd') ?? plainDecimal(at(cost, 'nano_usd'), -9));
}

function usageOf(usage: unknown, call: { provider: unknown; model: unknown }): NativeUsage {
  if (at(usage, 'input') !== undefined) {
    const draft = {
      input: at(usage, 'input'),
      output: at(usage, 'output'),
      cacheRead: at(usage, 'cache_read_input'),
      cacheWrite: at(usage, 'cache_creation_input'),
      reasoning: at(usage, 'reasoning'),
    };
    return nativeUsage(draft, { cache: 'unknown' }, call);
  }
  const counts = {
    input: at(usage, 'input_tokens'),
    output: at(usage, 'output_tokens'),
    cacheRead: at(usage, 'cache_read_input_tokens'),
    cacheWrite: at(usage, 'cache_creation_input_tokens'),
    cacheWrite1h: at(usage, 'cache_creation_1h_tokens'),
    reasoning: at(usage, 'reasoning_tokens'),
    inputAudio: at(usage, 'input_audio_tokens'),
    outputAudio: at(usage, 'output_audio_tokens'),
    inputImage: at(usage, 'input_image_tokens'),
    outputImage: at(usage, 'output_image_tokens'),
    characters: at(usage, 'input_chars'),
    audioMs: at(usage, 'audio_ms'),
  };
  const isCounted = Object.values(counts).some((count) => (countOf(count) ?? 0) !== 0);
  const whole = isCounted ? counts : { ...counts, images: at(usage, 'image_count') };
  const apart = unknownTokensIn(usage);
  return nativeUsage(
    whole,
    { cache: 'beside', media: 'beside', ...(apart === 0 ? {} : { apart }) },
    call,
  );
}

/** Tokens under a name that nobody knows are in none of the counts, since each count stands apart from the others. */
function unknownTokensIn(usage: unknown): number {
  return Object.entries(isObject(usage) ? usage : {})
    .filter(([name]) => TOKENS.test(name) && !KNOWN.has(name))
    .map(([, value]) => countOf(value))
    .filter(isCount)
    .reduce((sum, count) => sum + count, 0);
}

const KNOWN: ReadonlySet<string> = new Set([
  ...['input_tokens', 'output_tokens', 'total_tokens', 'reasoning_tokens'],
  ...['cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_creation_1h_tokens'],
  ...['cache_creation_5m_tokens', 'input_audio_tokens', 'output_audio_tokens'],
  ...['input_image_tokens', 'output_image_tokens'],
]);

function gatewayTags(data: unknown) {
  if (!isObject(data)) return undefined;
  return withoutAbsent({
    ...furtherTags(at(data, 'metadata')),
    gateway_request_id: firstGiven(at(data, 'gateway_request_id')),
    virtual_key_id: firstGiven(at(data, 'virtual_key_id')),
    project_id: firstGiven(at(data, 'project_id')),
  });
}
