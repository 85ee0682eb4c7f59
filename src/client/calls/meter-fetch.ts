import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallMeter } from '../client-contract.ts';
import { currentHold } from '../usage-scope.ts';
import { wordsOf } from '../words-of.ts';
import { BackgroundCalls } from './background-calls.ts';
import type { MeterOptions, MeterParts } from './meter-options.ts';
import type { Endpoint } from './provider-request.ts';
import { endpointOf, providerOfHost, readSent } from './provider-request.ts';
import { ResponseWatch } from './response-watch.ts';
import { watchResponse } from './watch-body.ts';

export type FetchFunction = (
  input: string | URL | Request,
  init?: RequestInit,
) => Promise<Response>;

/**
 * Makes a `fetch` that records what model calls use, for every SDK that takes one: whatever helper
 * of the SDK makes a call, each try of it passes here, as it is sent and as it is answered. What
 * fails in the metering fails no call: the call goes on, and `onUnmetered` is told.
 */
export function meterFetch(
  meter: CallMeter,
  options: MeterOptions = {},
  inner: FetchFunction = fetch,
): FetchFunction {
  const background = new BackgroundCalls();
  return async (input, init) => {
    const watch = guarded(meter, () => begin({ meter, options, background }, input, init));
    if (watch === null) return inner(input, init);
    try {
      const { asking } = watch.sent;
      const response = await inner(input, asking === null ? init : { ...init, body: asking });
      const watching = guarded(meter, () => watch.answered(response));
      return watching === null ? response : watchResponse(response, watching);
    } catch (error) {
      guarded(meter, () => watch.failed(error));
      throw error;
    }
  };
}

/** Answers null where the request is no call of a model. */
function begin(
  parts: MeterParts,
  input: string | URL | Request,
  init: RequestInit | undefined,
): ResponseWatch | null {
  const request = input instanceof Request ? input : null;
  const url = new URL(request?.url ?? String(input));
  const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
  const endpoint = endpointOf(method, url);
  if (endpoint === null) return null;
  const { options, meter } = parts;
  const sent = readSent(init?.body, asFarAs(endpoint, options));
  const provider = options.provider ?? providerOfHost(url);
  const tries = new Headers(init?.headers ?? request?.headers).get('x-stainless-retry-count');
  return new ResponseWatch(parts, {
    ...{ endpoint, url, sent, provider, hold: currentHold() },
    attempt: 1 + (Number(tries) || 0),
    startedAt: meter.clock(),
    inScope: AsyncLocalStorage.snapshot(),
  });
}

function asFarAs(endpoint: Endpoint, { asksForUsage = true }: MeterOptions): Endpoint {
  return asksForUsage ? endpoint : { ...endpoint, asksForUsage: false };
}

/** What of the metering throws is told, and hurts nobody. */
function guarded<Value>(meter: CallMeter, step: () => Value): Value | null {
  try {
    return step();
  } catch (error) {
    meter.unmetered({ reason: `the metering failed: ${wordsOf(error)}`, event: null });
    return null;
  }
}
