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
    const request = guarded(meter, () => callOf(input, init));
    if (request === null) return inner(input, init);
    const given = guarded(meter, () => bodyOf(request, init));
    // Whoever hands over a text or bytes waits for nothing here.
    const body: unknown = given instanceof Promise ? await given.catch(() => null) : given;
    const watch = guarded(meter, () => begin({ meter, options, background }, { ...request, body }));
    if (watch === null) return inner(input, init);
    try {
      const { asking } = watch.sent;
      const response = await inner(
        input,
        asking === null ? init : askingFor(asking, request, init),
      );
      const watching = guarded(meter, () => watch.answered(response));
      return watching === null ? response : watchResponse(response, watching);
    } catch (error) {
      guarded(meter, () => watch.failed(error));
      throw error;
    }
  };
}

/** A request that is a call of a model, or tells of one. */
interface CallRequest {
  readonly endpoint: Endpoint;
  readonly url: URL;
  readonly headers: Headers;
  /** The request itself, where it was handed over whole. */
  readonly whole: Request | null;
}

/** Answers null where the request is no call of a model. */
function callOf(input: string | URL | Request, init: RequestInit | undefined): CallRequest | null {
  const whole = input instanceof Request ? input : null;
  const url = new URL(whole?.url ?? String(input));
  const method = (init?.method ?? whole?.method ?? 'GET').toUpperCase();
  const endpoint = endpointOf(method, url);
  if (endpoint === null) return null;
  return { endpoint, url, headers: new Headers(init?.headers ?? whole?.headers), whole };
}

/** Returns the body to look into, of a whole request that of a copy; a stream is left to whoever reads it. */
function bodyOf({ endpoint, headers, whole }: CallRequest, init: RequestInit | undefined): unknown {
  if (endpoint.kind !== 'answer') return null;
  const body = init?.body ?? null;
  if (body instanceof Blob) return body.text();
  if (body !== null || whole === null || whole.body === null || whole.bodyUsed) return body;
  const copy = whole.clone();
  const isForm = /^multipart\/form-data/i.test(headers.get('content-type') ?? '');
  return isForm ? copy.formData() : copy.text();
}

/** Returns the request that asks for the usage, which is longer than what was said of its length. */
function askingFor(
  asking: string,
  { headers }: CallRequest,
  init: RequestInit | undefined,
): RequestInit {
  const body = inFormOf(init?.body, asking);
  if (!headers.has('content-length')) return { ...init, body };
  const others = [...headers].filter(([name]) => name !== 'content-length');
  return { ...init, headers: Object.fromEntries(others), body };
}

/** Returns the text in the form of what was handed over, of which a request has its type where its headers name none. */
function inFormOf(handed: unknown, asking: string): NonNullable<RequestInit['body']> {
  if (typeof handed === 'string') return asking;
  return handed instanceof Blob ? new Blob([asking], { type: handed.type }) : Buffer.from(asking);
}

function begin(parts: MeterParts, call: CallRequest & { readonly body: unknown }): ResponseWatch {
  const { options, meter } = parts;
  const { endpoint, url, headers, body } = call;
  const sent = readSent(body, asFarAs(endpoint, options));
  const provider = options.provider ?? providerOfHost(url);
  const tries = headers.get('x-stainless-retry-count');
  return new ResponseWatch(parts, {
    endpoint,
    url,
    sent,
    headers,
    provider,
    hold: currentHold(),
    attempt: 1 + (Number(tries) || 0),
    startedAt: meter.clock(),
    inScope: AsyncLocalStorage.snapshot(),
  });
}

function asFarAs(endpoint: Endpoint, { asksForUsage = true }: MeterOptions): Endpoint {
  return asksForUsage ? endpoint : { ...endpoint, asksForUsage: false };
}

/** Errors of the metering are reported, and never reach the application. */
function guarded<Value>(meter: CallMeter, step: () => Value): Value | null {
  try {
    return step();
  } catch (error) {
    meter.unmetered({ reason: `the metering failed: ${wordsOf(error)}`, event: null });
    return null;
  }
}
