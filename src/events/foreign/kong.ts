import { timeFromMilliseconds } from './foreign-time.ts';
import { type NativeUsage, nativeUsage, withoutOutput } from './foreign-usage.ts';
import { at, firstGiven, isObject, withoutAbsent } from './foreign-value.ts';
import type { Translation, Translator } from './translation.ts';

/** A line of Kong's http-log plugin for a route with the AI gateway. */
export const kongTranslator: Translator = {
  format: 'kong',
  recognizes: (value) => isObject(proxyOf(value)),
  translate: (value) => [translateLog(value)],
};

/** The part of the AI proxy; earlier releases named it after the plugin. */
function proxyOf(log: object): unknown {
  return at(log, 'ai', 'proxy') ?? at(log, 'ai', 'ai-proxy');
}

function translateLog(log: object): Translation {
  const proxy = proxyOf(log);
  const { usage, assumed } = usageOf(at(proxy, 'usage'));
  const failed = hasFailed(at(log, 'response', 'status'));
  const event = withoutAbsent({
    event_id: firstGiven(at(log, 'request', 'id')),
    source: 'kong',
    occurred_at: completedAt(log),
    started_at: timeFromMilliseconds(at(log, 'started_at')),
    status: failed ? 'error' : 'ok',
    error_type: failed ? `http_${String(at(log, 'response', 'status'))}` : undefined,
    operation: 'chat',
    provider: firstGiven(at(proxy, 'meta', 'provider_name')),
    requested_model: firstGiven(at(proxy, 'meta', 'request_model')),
    executed_model: firstGiven(at(proxy, 'meta', 'response_model')),
    gateway_cache: isCacheHit(at(proxy, 'cache', 'cache_status')) ? 'semantic' : undefined,
    usage: failed ? withoutOutput(usage) : usage,
    tenant_id: consumerOf(log),
  });
  return { event, usageAssumed: assumed };
}

function hasFailed(httpStatus: unknown): boolean {
  return typeof httpStatus === 'number' && httpStatus >= 400;
}

/** The log has the start and how long it took; usage counts from when the call completed (R2). */
function completedAt(log: object): unknown {
  const startedAt = at(log, 'started_at');
  const took = at(log, 'latencies', 'request');
  if (typeof startedAt !== 'number' || typeof took !== 'number')
    return timeFromMilliseconds(startedAt);
  return timeFromMilliseconds(startedAt + took);
}

function isCacheHit(cacheStatus: unknown): boolean {
  return typeof cacheStatus === 'string' && cacheStatus.toLowerCase() === 'hit';
}

function usageOf(usage: unknown): NativeUsage {
  return nativeUsage(
    {
      input: at(usage, 'prompt_tokens'),
      output: at(usage, 'completion_tokens'),
      total: at(usage, 'total_tokens'),
      cacheRead: at(usage, 'prompt_tokens_details', 'cached_tokens'),
      reasoning: at(usage, 'completion_tokens_details', 'reasoning_tokens'),
    },
    'unknown',
  );
}

/** Kong's consumer is who called the gateway; its own id last, since nobody can read it. */
function consumerOf(log: object): unknown {
  return firstGiven(
    at(log, 'consumer', 'custom_id'),
    at(log, 'consumer', 'username'),
    at(log, 'consumer', 'id'),
  );
}
