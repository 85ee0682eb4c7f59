import { createHash } from 'node:crypto';
import { isRepeatingId, providerFamily } from '../provider-name.ts';
import { fastTier, serviceTier, tierIn } from './foreign-tier.ts';
import { timeFromAny } from './foreign-time.ts';
import { usageOfCall } from './foreign-usage.ts';
import {
  at,
  firstGiven,
  isObject,
  type JsonObject,
  parseJson,
  withoutAbsent,
} from './foreign-value.ts';
import { BATCH_NOT_DONE, type LitellmCall, litellmCall, plainCallType } from './litellm-calls.ts';
import { litellmFurtherTags, litellmTags } from './litellm-tags.ts';
import { hasUsage, litellmUsage } from './litellm-usage.ts';
import { reportedCost } from './reported-cost.ts';
import {
  emptyTranslation,
  type Translation,
  type Translator,
  translationOf,
  UNKNOWN_MODEL,
} from './translation.ts';

/**
 * LiteLLM's StandardLoggingPayload, as its SQS, S3 and HTTP loggers send it for every call of its proxy,
 * and the rows of its table SpendLogs. What includes what:
 *
 * | count             | holds                                                                            |
 * |-------------------|----------------------------------------------------------------------------------|
 * | prompt_tokens     | cache reads and writes, sound, pictures: for every provider, Anthropic too        |
 * | completion_tokens | reasoning, but for xAI and older Gemini, which the total or the counts prove      |
 * | total_tokens      | both; for Gemini also the prompts of its own tools, and what is then left         |
 * | zero in all three | nothing is known: LiteLLM found no usage in the answer                            |
 *
 * Identity: `litellm_call_id` (in metadata or hidden_params in some versions) names a call over its
 * attempts and reports; `trace_id` is a client's session, and names none.
 */
export const litellmTranslator: Translator = {
  format: 'litellm',
  recognizes: (value) =>
    typeof at(value, 'call_type') === 'string' &&
    OWN_FIELDS.some((name) => Object.hasOwn(value, name)),
  translate: (value) => [translatePayload(payloadOf(value))],
};

/** `call_type` alone could be anybody's; with one of these beside it, it is LiteLLM's. */
const OWN_FIELDS = [
  'model_map_information',
  'hidden_params',
  'litellm_call_id',
  'model_group',
  'spend',
];

const SOURCE = 'litellm';

/**
 * Returns a row of SpendLogs in the words of the payload: other names, and texts that hold JSON.
 */
function payloadOf(value: object): object {
  if (!Object.hasOwn(value, 'spend') || !Object.hasOwn(value, 'request_id')) return value;
  const row: JsonObject = { ...value };
  const parsed = (name: string) => parseJson(row[name]) ?? row[name];
  const metadata = parsed('metadata');
  return {
    ...row,
    id: row['request_id'],
    trace_id: row['session_id'],
    status: firstGiven(row['status'], at(metadata, 'status'), 'success'),
    response_cost: row['spend'],
    response: parsed('response'),
    request_tags: parsed('request_tags'),
    metadata: {
      user_api_key_team_id: row['team_id'],
      user_api_key_org_id: row['organization_id'],
      user_api_key_user_id: row['user'],
      ...(isObject(metadata) ? metadata : {}),
    },
  };
}

function translatePayload(payload: object): Translation {
  const call = litellmCall(String(at(payload, 'call_type')));
  const isEmpty = call.kind === 'nothing' || call.kind === 'batch';
  if (isEmpty && !hasUsage(payload)) {
    return emptyTranslation(SOURCE, call.kind === 'nothing' ? call.reason : BATCH_NOT_DONE);
  }
  if (call.kind === 'structure') return structure(payload, call.operation);
  return modelCall(payload, call);
}

/**
 * A span that is not a call keeps neither usage nor a model: both repeat those of a call, or have none
 * (R1).
 */
function structure(payload: object, operation: string): Translation {
  const event = withoutAbsent({
    ...commonFields(payload),
    operation,
    tags: litellmFurtherTags(payload),
  });
  return { event, usageAssumed: false };
}

function modelCall(payload: object, call: LitellmCall): Translation {
  const fields = commonFields(payload);
  const used = litellmUsage(payload);
  const requested = requestedModel(payload);
  const isBatch = call.kind === 'batch';
  const event = withoutAbsent({
    ...fields,
    operation: operationOf(payload, call),
    provider: firstGiven(at(payload, 'custom_llm_provider')),
    requested_model: requested?.model ?? (fields['status'] === 'error' ? UNKNOWN_MODEL : undefined),
    executed_model: firstGiven(
      at(payload, 'model'),
      ...(isBatch ? [modelsOfBatch(payload), requested?.model] : []),
    ),
    response_id: fields['status'] === 'error' ? undefined : responseId(payload),
    service_tier: isBatch ? 'batch' : tier(payload),
    gateway_cache: isCacheHit(payload) ? 'exact' : undefined,
    usage: usageOfCall(used, fields['status']),
    reported_cost: costOf(payload),
    tags: { ...litellmFurtherTags(payload), ...requested?.tags },
  });
  return translationOf(event, used);
}

/** Some versions write it as Python does. */
function isCacheHit(payload: object): boolean {
  const hit = at(payload, 'cache_hit');
  return hit === true || hit === 'True' || hit === 'true';
}

/** SpendLogs has an empty type for what failed before the proxy knew its route. */
const UNNAMED = 'unknown';

/** Upkeep that has usage all the same is a call of a kind that nobody listed. */
function operationOf(payload: object, call: LitellmCall): unknown {
  if (call.kind === 'call') return firstGiven(call.operation, UNNAMED);
  return call.kind === 'batch' ? 'chat' : at(payload, 'call_type');
}

function commonFields(payload: object): JsonObject {
  const failed = at(payload, 'status') === 'failure';
  return {
    event_id: eventId(payload),
    source: SOURCE,
    occurred_at: timeFromAny(firstGiven(at(payload, 'endTime'))),
    started_at: timeFromAny(firstGiven(at(payload, 'startTime'))),
    status: STATUSES.get(at(payload, 'status')) ?? at(payload, 'status'),
    error_type: failed ? errorType(payload) : undefined,
    call_id: callId(payload),
    ...litellmTags(payload),
    trace_id: firstGiven(callId(payload), at(payload, 'trace_id')),
  };
}

const STATUSES: ReadonlyMap<unknown, string> = new Map([
  ['success', 'ok'],
  ['failure', 'error'],
]);

/** Zero is what LiteLLM writes where it has no price, too. */
function costOf(payload: object): JsonObject | undefined {
  const cost = firstGiven(at(payload, 'response_cost'));
  return cost === 0 ? undefined : reportedCost(SOURCE, cost);
}

/** The payload itself lacks the call id in many versions; metadata or hidden parameters then have it. */
function callId(payload: object): unknown {
  return firstGiven(
    at(payload, 'litellm_call_id'),
    at(payload, 'metadata', 'litellm_call_id'),
    at(payload, 'hidden_params', 'litellm_call_id'),
    at(payload, 'metadata', 'hidden_params', 'litellm_call_id'),
    at(payload, 'hidden_params', 'additional_headers', 'x-litellm-call-id'),
  );
}

/**
 * The attempts of one request share the call id, and a failure takes the call id as its id, so that the
 * three together name one attempt. Where the id repeats from call to call, or is new for each report of
 * one call, the instants and counts of the call stand in for it; and what is retrieved has the id of what
 * it retrieves, so that its type and instants are added.
 */
function eventId(payload: object): unknown {
  const call = callId(payload);
  const id = firstGiven(at(payload, 'id'));
  if (call === undefined && id === undefined) return undefined;
  const status = firstGiven(at(payload, 'status'));
  const parts = [call, status, isBridged(payload) ? 'bridge' : id];
  const type = plainCallType(String(at(payload, 'call_type')));
  if (type === 'retrieve_batch' || litellmCall(type).kind === 'structure') parts.push(type);
  if (parts.length > 3 || isBridged(payload) || isRepeated(id)) parts.push(fingerprint(payload));
  const whole = parts.map((part) => (isName(part) ? String(part) : '')).join(':');
  if (whole.length <= EVENT_ID_LIMIT) return whole;
  return `sha256:${createHash('sha256').update(whole).digest('hex')}`;
}

/** The native event's limit, which LiteLLM's own encoded response ids exceed. */
const EVENT_ID_LIMIT = 200;

function isName(part: unknown): boolean {
  return typeof part === 'string' || typeof part === 'number';
}

function isRepeated(id: unknown): boolean {
  return typeof id !== 'string' || isRepeatingId(id);
}

/** What is the same in two reports of one call, and in no two calls. */
function fingerprint(payload: object): string {
  const names = ['trace_id', 'model', 'startTime', 'endTime', 'prompt_tokens', 'completion_tokens'];
  const told = names.map((name) => at(payload, name) ?? null);
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 32);
}

/**
 * Calls of one interface that LiteLLM answers by another: each is logged twice, with a response id made
 * anew each time, which is then no id of the provider's.
 */
function isBridged(payload: object): boolean {
  const provider = at(payload, 'custom_llm_provider');
  if (typeof provider !== 'string' || provider === '' || at(payload, 'status') !== 'success')
    return false;
  const type = plainCallType(String(at(payload, 'call_type')));
  if (type === 'anthropic_messages') return !NATIVE_MESSAGES.has(providerFamily(provider));
  return type === 'responses' && !NATIVE_RESPONSES.has(providerFamily(provider));
}

const NATIVE_MESSAGES: ReadonlySet<string> = new Set([
  'anthropic',
  'aws.bedrock',
  'google',
  'openrouter',
]);
const NATIVE_RESPONSES: ReadonlySet<string> = new Set(['openai', 'x_ai', 'openrouter']);

/** An answer out of the gateway's cache has the first answer's id, with the time of the hit behind it. */
function responseId(payload: object): unknown {
  if (isBridged(payload)) return undefined;
  const id = firstGiven(at(payload, 'id'));
  return typeof id === 'string' ? firstGiven(id.replace(/_cache_hit.*$/s, '')) : id;
}

/**
 * Returns the model that was first asked for. After a fallback the payload names only the group
 * that served, so the entry records which field the model came from. A batch names its models
 * apart.
 */
function requestedModel(payload: object): { model: unknown; tags: JsonObject } | undefined {
  const sources: readonly [string, unknown][] = [
    ['original_model_group', at(payload, 'metadata', 'original_model_group')],
    ['requester_metadata', at(payload, 'metadata', 'requester_metadata', 'requested_model')],
    ['model_group', at(payload, 'model_group')],
    ['model', at(payload, 'model')],
    ['batch_models', modelsOfBatch(payload)],
    ['response', at(payload, 'response', 'model')],
  ];
  const found = sources.find(([, model]) => firstGiven(model) !== undefined);
  return found && { model: found[1], tags: { requested_model_source: found[0] } };
}

/** Returns what ran in a batch, of which a group of the proxy is only a name. */
function modelsOfBatch(payload: object): string | undefined {
  const models = at(payload, 'hidden_params', 'batch_models');
  return Array.isArray(models) ? [...new Set(models)].join(',') : undefined;
}

function errorType(payload: object): unknown {
  return firstGiven(
    at(payload, 'error_information', 'error_class'),
    at(payload, 'error_information', 'error_code'),
    at(payload, 'metadata', 'error_information', 'error_class'),
  );
}

function tier(payload: object): unknown {
  const batch = at(payload, 'hidden_params', 'batch_models');
  const usages = [at(payload, 'metadata', 'usage_object'), at(payload, 'response', 'usage')];
  return serviceTier(
    Array.isArray(batch) && batch.length > 0 ? 'batch' : undefined,
    fastTier(...usages),
    at(payload, 'response', 'service_tier'),
    tierIn(...usages),
    tierIn(at(payload, 'response', 'usageMetadata')),
    at(payload, 'model_parameters', 'service_tier'),
  );
}
