import { providerCounts } from '../provider-usage.ts';
import { countOf, isCount } from './foreign-count.ts';
import { timeFromAny, timeFromMilliseconds } from './foreign-time.ts';
import { type NativeUsage, NO_USAGE, nativeUsage, usageOfCall } from './foreign-usage.ts';
import { at, firstGiven, isObject, type JsonObject, withoutAbsent } from './foreign-value.ts';
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
 * A hit of its semantic cache has no part of the proxy, and no usage. Plugins that change a request or an answer by a
 * call of their own (`ai-request-transformer`, `ai-response-transformer`) have a part each, with a meta and a usage.
 */
export const kongTranslator: Translator = {
  format: 'kong',
  recognizes: (value) =>
    isObject(proxyOf(value)) || isCacheHit(cacheStatus(value)) || pluginCalls(value).length > 0,
  translate: (value) => {
    const own = pluginCalls(value).map(([plugin, part]) => translatePlugin(value, plugin, part));
    const isProxied = isObject(proxyOf(value)) || isCacheHit(cacheStatus(value));
    return isProxied ? [translateLog(value), ...own] : own;
  },
};

const PROXIES = ['proxy', 'ai-proxy', 'ai-proxy-advanced'];
/** What stands in the part of the AI gateway where that is the proxy's itself. */
const PARTS_OF_PROXY: ReadonlySet<string> = new Set(['meta', 'usage', 'cache', 'payload']);

/** Returns the parts of plugins that made a call of their own. */
function pluginCalls(log: object): readonly (readonly [plugin: string, part: object])[] {
  const ai = at(log, 'ai');
  if (!isObject(ai)) return [];
  return Object.entries(ai).flatMap(([plugin, part]) => {
    const isPlugin = !PROXIES.includes(plugin) && !PARTS_OF_PROXY.has(plugin);
    const isCall = isObject(part) && isObject(part['meta']) && isObject(part['usage']);
    return isPlugin && isCall ? [[plugin, part] as const] : [];
  });
}

/**
 * Returns the part of the AI proxy; earlier releases named it after the plugin, or had no part of
 * it.
 */
function proxyOf(log: object): unknown {
  const ai = at(log, 'ai');
  const named = PROXIES.map((name) => at(ai, name));
  return named.find(isObject) ?? (isObject(at(ai, 'meta')) ? ai : undefined);
}

function translateLog(log: object): Translation {
  return translatePart(log, proxyOf(log), {
    event_id: firstGiven(at(log, 'request', 'id')),
    ...outcomeOf(log),
    operation: operationOf(at(log, 'request', 'uri')),
    gateway_cache: isCacheHit(cacheStatus(log)) ? 'semantic' : undefined,
  });
}

/** A plugin's own call is another one than the request's, and succeeded where it was counted, whatever became of that. */
function translatePlugin(log: object, plugin: string, part: object): Translation {
  const { usage = {} } = usageOf(part);
  const isCounted = Object.values(usage).some((count) => count !== 0);
  const outcome = isCounted ? { status: 'ok' } : outcomeOf(log);
  const id = firstGiven(at(log, 'request', 'id'));
  const event_id = id === undefined ? undefined : `${String(id)}:${plugin}`;
  return translatePart(log, part, { event_id, ...outcome, operation: 'chat' });
}

function outcomeOf(log: object): JsonObject {
  const httpStatus = at(log, 'response', 'status');
  return typeof httpStatus === 'number' && httpStatus >= 400
    ? { status: 'error', error_type: `http_${String(httpStatus)}` }
    : { status: 'ok' };
}

function translatePart(log: object, part: unknown, of: JsonObject): Translation {
  const used = usageOf(part);
  const usage = at(part, 'usage');
  const event = withoutAbsent({
    event_id: of['event_id'],
    source: 'kong',
    occurred_at: completedAt(log),
    started_at: timeFromAny(at(log, 'started_at')),
    status: of['status'],
    error_type: of['error_type'],
    operation: of['operation'],
    provider: firstGiven(at(part, 'meta', 'provider_name')),
    requested_model: firstGiven(
      at(part, 'meta', 'request_model'),
      at(part, 'meta', 'response_model'),
    ),
    executed_model: firstGiven(at(part, 'meta', 'response_model')),
    gateway_cache: of['gateway_cache'],
    usage: usageOfCall(used, of['status']),
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
