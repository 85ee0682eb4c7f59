import { providerCounts } from '../provider-usage.ts';
import { countOf, isCount } from './foreign-count.ts';
import { timeFromAny, timeFromMilliseconds } from './foreign-time.ts';
import { type NativeUsage, NO_USAGE, nativeUsage, usageOfCall } from './foreign-usage.ts';
import { at, firstGiven, isObject, withoutAbsent } from './foreign-value.ts';
import { reportedCost } from './reported-cost.ts';
import { type Translation, type Translator, translationOf } from './translation.ts';

/**
 * A line of Kong's http-log plugin for a route with the AI gateway. What includes what:
 *
 * | version     | where                       | counts                                      | cache in the input   |
 * |-------------|-----------------------------|---------------------------------------------|----------------------|
 * | 3.6         | ai.usage                    | prompt_token, completion_token              | not told: assumed    |
 * | 3.7 to 3.10 | ai.proxy, ai.ai-proxy       | prompt_tokens, completion_tokens            | not told: assumed    |
 * | 3.11        | ai.proxy                    | for what is not text input_, output_tokens  | as OpenAI counts it  |
 *
 * A hit of its semantic cache has no part of the proxy, and no usage.
 */
export const kongTranslator: Translator = {
  format: 'kong',
  recognizes: (value) => isObject(proxyOf(value)) || isCacheHit(cacheStatus(value)),
  translate: (value) => [translateLog(value)],
};

/**
 * Returns the part of the AI proxy; earlier releases named it after the plugin, or had no part of
 * it.
 */
function proxyOf(log: object): unknown {
  const ai = at(log, 'ai');
  const named = ['proxy', 'ai-proxy', 'ai-proxy-advanced'].map((name) => at(ai, name));
  return named.find(isObject) ?? (isObject(at(ai, 'meta')) ? ai : undefined);
}

function translateLog(log: object): Translation {
  const proxy = proxyOf(log);
  const used = usageOf(proxy);
  const httpStatus = at(log, 'response', 'status');
  const status = typeof httpStatus === 'number' && httpStatus >= 400 ? 'error' : 'ok';
  const usage = at(proxy, 'usage');
  const event = withoutAbsent({
    event_id: firstGiven(at(log, 'request', 'id')),
    source: 'kong',
    occurred_at: completedAt(log),
    started_at: timeFromAny(at(log, 'started_at')),
    status,
    error_type: status === 'error' ? `http_${String(httpStatus)}` : undefined,
    operation: operationOf(at(log, 'request', 'uri')),
    provider: firstGiven(at(proxy, 'meta', 'provider_name')),
    requested_model: firstGiven(
      at(proxy, 'meta', 'request_model'),
      at(proxy, 'meta', 'response_model'),
    ),
    executed_model: firstGiven(at(proxy, 'meta', 'response_model')),
    gateway_cache: isCacheHit(cacheStatus(log)) ? 'semantic' : undefined,
    usage: usageOfCall(used, status),
    // Kong writes zero where it was given no price.
    reported_cost: at(usage, 'cost') === 0 ? undefined : reportedCost('kong', at(usage, 'cost')),
    tenant_id: consumerOf(log),
  });
  return translationOf(event, used);
}

/** The kind of a call by its route; chat where nothing else is told. */
const ROUTES: readonly (readonly [RegExp, string])[] = [
  [/\/embeddings/, 'embeddings'],
  [/\/images/, 'image'],
  [/\/audio\/speech/, 'speech'],
  [/\/audio\/transcriptions/, 'transcription'],
  [/\/audio\/translations/, 'translation'],
  [/\/rerank/, 'rerank'],
  [/\/videos/, 'video'],
  [/\/realtime/, 'realtime'],
];

function operationOf(uri: unknown): string {
  if (typeof uri !== 'string') return 'chat';
  return ROUTES.find(([route]) => route.test(uri))?.[1] ?? 'chat';
}

/** The log has the start and how long it took; usage counts from when the call completed (R2). */
function completedAt(log: object): unknown {
  const startedAt = countOf(at(log, 'started_at'));
  const took = countOf(at(log, 'latencies', 'request'));
  if (!isCount(startedAt) || !isCount(took)) return timeFromAny(at(log, 'started_at'));
  return timeFromMilliseconds(startedAt + took);
}

function cacheStatus(log: object): unknown {
  return firstGiven(
    at(log, 'ai', 'proxy', 'cache', 'cache_status'),
    at(log, 'ai', 'cache', 'cache_status'),
    at(log, 'ai', 'ai-semantic-cache', 'cache_status'),
    at(proxyOf(log), 'cache', 'cache_status'),
  );
}

function isCacheHit(status: unknown): boolean {
  return typeof status === 'string' && status.toLowerCase() === 'hit';
}

function usageOf(proxy: unknown): NativeUsage {
  const usage = at(proxy, 'usage');
  const meta = at(proxy, 'meta');
  const call = { provider: at(meta, 'provider_name'), model: at(meta, 'response_model') };
  const reading = providerCounts({ usage: oldNames(usage), ...call, api: 'responses' });
  if (reading === null) return NO_USAGE;
  const isText =
    Object.hasOwn(reading.counts, 'cacheRead') && at(usage, 'input_tokens') === undefined;
  return nativeUsage(reading.counts, { cache: isText ? 'unknown' : 'inside' }, call);
}

/** Kong 3.6 wrote its counts in the singular. */
function oldNames(usage: unknown): unknown {
  if (!isObject(usage) || !Object.hasOwn(usage, 'prompt_token')) return usage;
  return {
    prompt_tokens: usage['prompt_token'],
    completion_tokens: usage['completion_token'],
    ...usage,
  };
}

/** Kong's consumer is who called the gateway; its own id last, since nobody can read it. */
function consumerOf(log: object): unknown {
  return firstGiven(
    at(log, 'consumer', 'custom_id'),
    at(log, 'consumer', 'username'),
    at(log, 'consumer', 'id'),
  );
}
