import { explainSqs } from '../aws/sqs-refusal.ts';
import type { NewEvent, RecordAnswer, UsageClient } from '../client/client.ts';
import { openClient } from '../client/client.ts';
import type { Parts } from '../parts.ts';
import { jsonIn } from '../text/json.ts';
import type { RefusedLine, SendAnswer, SendRequest } from './send-answer.ts';

/** What sending needs: where the queue is, and a log for what it does not take. */
export interface SendParts extends Pick<Parts, 'log'> {
  readonly queue: {
    readonly queueUrl: string;
    readonly endpoint: string | null;
    readonly region: string | null;
  };
}

/** A file of another format is wrong in every line; the first ones say enough. */
const MOST_REFUSED_SHOWN = 100;

/**
 * Sends native events, one a line, packed as the client of applications packs them. A queue that is away is waited for; one
 * that refuses for good, such as one that does not exist, ends it at once with what to correct.
 */
export async function sendLines(
  { queue, log }: SendParts,
  { lines, encoding, wait_seconds }: SendRequest & { readonly lines: AsyncIterable<string> },
): Promise<SendAnswer> {
  const refusal = Promise.withResolvers<never>();
  const client = openClient({
    ...queue,
    // The lines stand in the file: a run that was cut short is run again.
    folder: null,
    encoding,
    onLost: ({ events, reason }) => log.error({ events: events.length, reason }, 'not sent'),
    onTrouble: ({ error }) => {
      const explained = explainSqs(error);
      if (explained === null) return log.warn({ error: String(error) }, 'queue away; waiting');
      refusal.reject(explained);
    },
  });
  const sending = async () => {
    const refused = await recordLines(client, lines);
    for (let left = wait_seconds; left > 0; left -= 1) {
      if (await client.flush({ deadlineMs: 1_000 })) break;
    }
    return refused;
  };
  const refused = await Promise.race([refusal.promise, sending()]).finally(() =>
    client.close({ deadlineMs: 0 }),
  );
  const { sent, lost } = await client.close();
  return {
    sent,
    refused: refused.length,
    not_sent: lost,
    refusals: refused.slice(0, MOST_REFUSED_SHOWN),
  };
}

/** Answers the lines that the client did not take. */
async function recordLines(
  client: UsageClient,
  lines: AsyncIterable<string>,
): Promise<readonly RefusedLine[]> {
  const refused: RefusedLine[] = [];
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    await client.room();
    const recorded = recordLine(client, text);
    if (recorded.kind === 'refused') {
      refused.push({ line, reason: recorded.reason, detail: recorded.detail });
    }
  }
  return refused;
}

type Recorded =
  | RecordAnswer
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string };

function recordLine(client: UsageClient, text: string): Recorded {
  const event = jsonIn(text);
  if (event === undefined) {
    const detail = `it is not JSON: ${JSON.stringify(text.slice(0, 60))}`;
    return { kind: 'refused', reason: 'not_json', detail };
  }
  const hasId = (event as NewEvent | null)?.event_id !== undefined;
  if (hasId || typeof event !== 'object') return client.record(event as NewEvent);
  // The client would make an id, and another one for the same line when the file is sent again.
  const detail = 'event_id: is missing; without one, a file that is sent again bills twice';
  return { kind: 'refused', reason: 'invalid_field', detail };
}
