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

/** Answers null where the server has all of it. */
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
      signal: AbortSignal.any([stop, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const text = await response.text();
    const refused = response.status === 202 ? null : refusedIn(text);
    if (refused !== null) {
      return refused.length === 0
        ? null
        : { index, isFinal: true, code: NOT_LET_IN, only: refused };
    }
    if (response.ok) return null;
    const isFinal = FINAL_STATUSES.has(response.status);
    return { index, isFinal, code: `${response.status} ${detailIn(text)}` };
  } catch (error) {
    return { index, isFinal: false, code: String(error) };
  }
}

const NOT_LET_IN = 'the key may not name its tenant';

/** The places of the events that were not let in, where the answer has an outcome for each; else null. */
function refusedIn(text: string): readonly number[] | null {
  const events = at(parse(text), 'events');
  if (!Array.isArray(events)) return null;
  return events.flatMap((event, place) => (at(event, 'outcome') === 'refused' ? [place] : []));
}

function detailIn(text: string): string {
  const detail = at(parse(text), 'detail');
  return typeof detail === 'string' ? detail : text.slice(0, 200);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
