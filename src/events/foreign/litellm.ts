import { createHash } from 'node:crypto';
import { serviceTier } from './foreign-tier.ts';
import { timeFromSeconds } from './foreign-time.ts';
import { type NativeUsage, nativeUsage, withoutOutput } from './foreign-usage.ts';
import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  type JsonObject,
  withoutAbsent,
} from './foreign-value.ts';
import type { Translation, Translator } from './translation.ts';

/** A StandardLoggingPayload, as LiteLLM's SQS and HTTP loggers send it for every call of its proxy. */
export const litellmTranslator: Translator = {
  format: 'litellm',
  recognizes: (value) =>
    typeof at(value, 'call_type') === 'string' &&
    OWN_FIELDS.some((name) => Object.hasOwn(value, name)),
  translate: (value) => [translatePayload(value)],
};

/** `call_type` alone could be anybody's; with one of these beside it, it is LiteLLM's. */
const OWN_FIELDS = ['model_map_information', 'hidden_params', 'litellm_call_id', 'model_group'];

function translatePayload(payload: object): Translation {
  const failed = at(payload, 'status') === 'failure';
  const operation = operationOf(at(payload, 'call_type'));
  const mayLackOutput = failed || operation === 'embeddings';
  const { usage, assumed } = MODEL_CALLS.has(operation) ? usageOf(payload) : NO_USAGE;
  const requested = requestedModel(payload);
  const event = withoutAbsent({
    event_id: eventId(payload),
    source: 'litellm',
    occurred_at: timeFromSeconds(firstGiven(at(payload, 'endTime'))),
    started_at: timeFromSeconds(firstGiven(at(payload, 'startTime'))),
    status: STATUSES.get(at(payload, 'status')) ?? at(payload, 'status'),
    error_type: failed ? errorType(payload) : undefined,
    operation,
    provider: firstGiven(at(payload, 'custom_llm_provider')),
    requested_model: requested?.model,
    executed_model: firstGiven(at(payload, 'model')),
    response_id: failed ? undefined : responseId(payload),
    service_tier: tier(payload),
    gateway_cache: at(payload, 'cache_hit') === true ? 'exact' : undefined,
    usage: mayLackOutput ? withoutOutput(usage) : usage,
    ...tagsOf(payload),
    tags: { ...furtherTagsOf(payload), ...requested?.tags },
    trace_id: firstGiven(at(payload, 'litellm_call_id'), at(payload, 'trace_id')),
  });
  return { event, usageAssumed: assumed };
}

const STATUSES: ReadonlyMap<unknown, string> = new Map([
  ['success', 'ok'],
  ['failure', 'error'],
]);

const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['completion', 'chat'],
  ['responses', 'chat'],
  ['anthropic_messages', 'chat'],
  ['text_completion', 'text_completion'],
  ['embedding', 'embeddings'],
  ['generate_content', 'generate_content'],
  ['generate_content_stream', 'generate_content'],
]);

const MODEL_CALLS: ReadonlySet<unknown> = new Set(OPERATIONS.values());

/** A leading `a` marks the asynchronous form. A call type that is no model call stays structure (R1). */
function operationOf(callType: unknown): unknown {
  if (typeof callType !== 'string') return callType;
  if (callType === 'call_mcp_tool') return 'execute_tool';
  return OPERATIONS.get(callType) ?? OPERATIONS.get(callType.replace(/^a/, '')) ?? callType;
}

/** The native event's limit, which LiteLLM's own encoded response ids exceed. */
const EVENT_ID_LIMIT = 200;

/**
 * The attempts of one request share the call id, and a failure takes the call id as its id, so that only
 * the three together name one attempt.
 */
function eventId(payload: object): unknown {
  const parts = ['litellm_call_id', 'status', 'id'].map((name) => firstGiven(at(payload, name)));
  if (parts[0] === undefined && parts[2] === undefined) return undefined;
  const whole = parts.map((part) => (typeof part === 'string' ? part : '')).join(':');
  if (whole.length <= EVENT_ID_LIMIT) return whole;
  return `sha256:${createHash('sha256').update(whole).digest('hex')}`;
}

/** An answer out of the gateway's cache has the first answer's id, with the time of the hit behind it. */
function responseId(payload: object): unknown {
  const id = firstGiven(at(payload, 'id'));
  return typeof id === 'string' ? firstGiven(id.replace(/_cache_hit.*$/s, '')) : id;
}

/**
 * The model that was first asked for. After a fallback the payload names only the group that served, so
 * the entry records which field the model came from.
 */
function requestedModel(payload: object): { model: unknown; tags: JsonObject } | undefined {
  const sources: readonly [string, unknown][] = [
    ['original_model_group', at(payload, 'metadata', 'original_model_group')],
    ['requester_metadata', at(payload, 'metadata', 'requester_metadata', 'requested_model')],
    ['model_group', at(payload, 'model_group')],
    ['model', at(payload, 'model')],
  ];
  const found = sources.find(([, model]) => firstGiven(model) !== undefined);
  return found && { model: found[1], tags: { requested_model_source: found[0] } };
}

function errorType(payload: object): unknown {
  return firstGiven(
    at(payload, 'error_information', 'error_class'),
    at(payload, 'error_information', 'error_code'),
  );
}

function tier(payload: object): unknown {
  const batch = at(payload, 'hidden_params', 'batch_models');
  return serviceTier(
    Array.isArray(batch) && batch.length > 0 ? 'batch' : undefined,
    at(payload, 'response', 'service_tier'),
    at(payload, 'model_parameters', 'service_tier'),
  );
}

/** What is no model call repeats the usage of one, or has none (R1). */
const NO_USAGE: NativeUsage = { usage: undefined, assumed: false };

/** LiteLLM counts cache into the prompt for every provider, also for those that count it apart. */
function usageOf(payload: object): NativeUsage {
  const reported = at(payload, 'metadata', 'usage_object') ?? at(payload, 'response', 'usage');
  const inPrompt = at(reported, 'prompt_tokens_details');
  return nativeUsage(
    {
      input: firstGiven(at(payload, 'prompt_tokens')),
      output: firstGiven(at(payload, 'completion_tokens')),
      total: firstGiven(at(payload, 'total_tokens')),
      cacheRead: firstGiven(
        at(inPrompt, 'cached_tokens'),
        at(reported, 'cache_read_input_tokens'),
        at(reported, 'input_tokens_details', 'cached_tokens'),
      ),
      cacheWrite: firstGiven(
        at(reported, 'cache_creation_input_tokens'),
        at(inPrompt, 'cache_creation_tokens'),
        at(inPrompt, 'cache_write_tokens'),
      ),
      reasoning: firstGiven(
        at(reported, 'completion_tokens_details', 'reasoning_tokens'),
        at(reported, 'output_tokens_details', 'reasoning_tokens'),
      ),
    },
    'inclusive',
  );
}

/** What the caller attached comes before what the proxy knows of the caller's key. */
function tagsOf(payload: object): JsonObject {
  const metadata = at(payload, 'metadata');
  const tags = attributionTags((name) =>
    firstGiven(at(metadata, 'spend_logs_metadata', name), at(metadata, 'requester_metadata', name)),
  );
  return {
    tenant_id: firstGiven(
      tags['tenant_id'],
      at(metadata, 'user_api_key_org_id'),
      at(metadata, 'user_api_key_team_id'),
    ),
    user_id: firstGiven(
      at(payload, 'end_user'),
      tags['user_id'],
      at(metadata, 'user_api_key_end_user_id'),
      at(metadata, 'user_api_key_user_id'),
    ),
    feature: firstGiven(tags['feature'], firstRequestTag(at(payload, 'request_tags'))),
    agent_run_id: firstGiven(tags['agent_run_id'], at(payload, 'trace_id')),
    prompt_version: tags['prompt_version'],
  };
}

/** The first tag that a person chose; LiteLLM adds one of its own for the client's user agent. */
function firstRequestTag(requestTags: unknown): unknown {
  if (!Array.isArray(requestTags)) return undefined;
  return requestTags.find((tag) => typeof tag === 'string' && !/^(?:user-agent:.*)?$/i.test(tag));
}

/** The metadata that was sent for spend logs is meant to be kept; the rest of a request's is not. */
function furtherTagsOf(payload: object): JsonObject {
  return furtherTags(at(payload, 'metadata', 'spend_logs_metadata'));
}
