import { AsyncLocalStorage } from 'node:async_hooks';
import { addAbortSignal, Readable } from 'node:stream';
import type Stripe from 'stripe';
import type { Clock, InstantMs } from '../clock.ts';
import { formatInstant } from '../clock.ts';

/** The instant from which a request may no longer leave this machine, by this clock. */
export interface Deadline {
  readonly until: InstantMs;
  readonly clock: Clock;
}

interface Permit extends Deadline {
  isSpent: boolean;
}

const permits = new AsyncLocalStorage<Permit>();

/**
 * Makes one call of the client library send at the most once, and not from its deadline on. The HTTP
 * client asks just before the bytes leave, so that a process which was suspended anywhere on the way
 * there sends nothing when it wakes up too late.
 */
export function sendOnce<Answer>(deadline: Deadline, call: () => Promise<Answer>): Promise<Answer> {
  return permits.run({ ...deadline, isSpent: false }, call);
}

/** Codes after which the client library repeats a request by itself, even with its retries off. */
const REPEATED_BY_LIBRARY: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Makes an HTTP client by which nothing is repeated behind our back, nothing leaves after its deadline, and no
 * answer is waited for without end.
 */
export function unrepeatedHttpClient(client: Stripe.HttpClient): Stripe.HttpClient {
  const send = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    takePermit();
    const [, , , , , , , timeoutMs] = request;
    const late = AbortSignal.timeout(timeoutMs);
    try {
      return listenedTo(await send(...request), late);
    } catch (error) {
      throw isRepeatedByLibrary(error) ? new Error(error.message, { cause: error }) : error;
    }
  };
  return client;
}

/**
 * Reads the body from the moment its head is here. A body that is cut while nobody listens ends without a word, and
 * whoever listens then waits for ever; so does, byte by byte, whoever has a body that trickles, since the library's
 * own limit is on silence.
 */
function listenedTo(
  response: Stripe.HttpClientResponse,
  late: AbortSignal,
): Stripe.HttpClientResponse {
  const raw: unknown = response.getRawResponse();
  if (raw instanceof Readable) addAbortSignal(late, raw);
  const body = response.toJSON().then(whatStripeSays);
  // The library asks for it in a moment, and is told what became of it.
  body.catch(() => {});
  response.toJSON = () => body;
  return response;
}

/**
 * Lets through what Stripe would say: an error, a list with its members (those of its second API name no kind), or an
 * object that names its kind. What a proxy says in its place decides nothing, though the library takes any JSON
 * without an error for success.
 */
function whatStripeSays<Body>(body: Body): Body {
  if (hasField(body, 'error') || hasList(body)) return body;
  if (hasField(body, 'object') && typeof body.object === 'string' && body.object !== 'list') {
    return body;
  }
  throw new Error('an answer that is no object of Stripe and no error of it');
}

function hasField<Name extends string>(value: unknown, name: Name): value is Record<Name, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
}

function hasList(value: unknown): boolean {
  return hasField(value, 'data') && Array.isArray(value.data);
}

function takePermit(): void {
  const permit = permits.getStore();
  if (permit === undefined) return;
  if (permit.isSpent) throw new Error('a second request in one call is not sent');
  if (permit.clock() >= permit.until) {
    throw new Error(`not sent: it might be sent until ${formatInstant(permit.until)}`);
  }
  permit.isSpent = true;
}

function isRepeatedByLibrary(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && REPEATED_BY_LIBRARY.has(error.code);
}
