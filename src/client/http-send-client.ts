import { at } from '../events/foreign/foreign-value.ts';
import type { ServerAddress } from './client-contract.ts';
import type { SendClient, UnsentMessage } from './send-client.ts';

const REQUEST_TIMEOUT_MS = 10_000;

/** Bodies that the server will never take, however often they come. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/**
 * Sends messages to a server's door for events, one request each, as if it were the queue: it takes the same
 * bodies. A key that is not known is no fault of an event, which waits until the key is mended.
 */
export function openHttpSendClient(server: ServerAddress): SendClient {
  return {
    async send(messages, stop) {
      const unsent: UnsentMessage[] = [];
      for (const [index, { body }] of messages.entries()) {
        const fate = await post(server, { body, stop }, index);
        if (fate === null) continue;
        unsent.push(fate);
        // What the server does not take now, it does not take from the next one either.
        if (!fate.isFinal) return [...unsent, ...notTried(index + 1, messages.length, fate.code)];
      }
      return unsent;
    },
    close: () => {},
  };
}

function notTried(from: number, to: number, code: string): readonly UnsentMessage[] {
  return Array.from({ length: to - from }, (_, place) => ({
    index: from + place,
    isFinal: false,
    code,
  }));
}

/**
 * Answers null where the server has all of it, which only its own answers say: a page of whatever stands before it, such
 * as a login behind a redirect, comes with a status of success, too, and has taken nothing.
 */
async function post(
  { url, key }: ServerAddress,
  { body, stop }: { readonly body: string; readonly stop: AbortSignal },
  index: number,
): Promise<UnsentMessage | null> {
  try {
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const text = await response.text();
    const { status } = response;
    const refused = SAYS_OF_EACH.has(status) ? refusedIn(text) : null;
    if (refused !== null && refused.length > 0) {
      return { index, isFinal: true, code: NOT_LET_IN, only: refused };
    }
    if (refused !== null && status !== FORBIDDEN) return null;
    return { index, isFinal: FINAL_STATUSES.has(status), code: codeOf(status, text) };
  } catch (error) {
    return { index, isFinal: false, code: String(error) };
  }
}

const FORBIDDEN = 403;

/**
 * Answers of these statuses have an outcome for each event: all are taken, some were not let in, or none was. A gateway may make 200 of any
 * success; what tells is the answer itself.
 */
const SAYS_OF_EACH: ReadonlySet<number> = new Set([200, 202, 207, FORBIDDEN]);

const NOT_LET_IN = 'the key may not name its tenant';

/** The places of the events that were not let in, where the answer has an outcome for each; else null. */
function refusedIn(text: string): readonly number[] | null {
  const events = at(parse(text), 'events');
  if (!Array.isArray(events)) return null;
  return events.flatMap((event, place) => (at(event, 'outcome') === 'refused' ? [place] : []));
}

function codeOf(status: number, text: string): string {
  const detail = at(parse(text), 'detail');
  if (typeof detail === 'string') return `${status} ${detail}`;
  if (status >= 400) return `${status} ${text.slice(0, 200)}`;
  return `${status} is no answer of a Spanledger server that takes events; server.url has to be its own address, past logins and redirects`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
