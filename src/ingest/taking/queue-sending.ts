import { encodeBodies } from '../../client/message-body.ts';
import { messageGroupOf } from '../../client/message-group.ts';
import { type Packable, Packer } from '../../client/packer.ts';
import { MESSAGES_PER_CALL, type SendClient } from '../../client/send-client.ts';
import { pause } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { Refusal } from '../../refusal.ts';
import { explainSqs } from '../../sqs-refusal.ts';

export interface SendingParts {
  readonly client: SendClient;
  readonly log: Log;
}

const PAUSE_MS = 200;

interface Message<Event> {
  readonly body: string;
  readonly group: string | null;
  readonly events: readonly Event[];
}

/**
 * Brings events into the queue until a signal, packed and compressed. Answers those that the queue will never
 * take, and throws a `Refusal` where it does not have all others by then: some of them may be there.
 */
export async function sendEvents<Event extends Packable>(
  parts: SendingParts,
  events: readonly Event[],
  until: AbortSignal,
): Promise<readonly Event[]> {
  const messages = messagesOf(events);
  const calls: Promise<readonly Event[]>[] = [];
  for (let at = 0; at < messages.length; at += MESSAGES_PER_CALL) {
    calls.push(sendSome(parts, messages.slice(at, at + MESSAGES_PER_CALL), until));
  }
  return (await Promise.all(calls)).flat();
}

function messagesOf<Event extends Packable>(events: readonly Event[]): readonly Message<Event>[] {
  const packer = new Packer<Event>('zstd');
  const packs = events.flatMap((event) => packer.add(event) ?? []);
  return [...packs, ...packer.takeAll()].flatMap(({ tenantId, events: packed }) =>
    encodeBodies(packed, 'zstd').map(({ body, events: inIt }) => ({
      ...{ body, events: inIt },
      group: tenantId === null ? null : messageGroupOf(tenantId),
    })),
  );
}

/** Makes one call, and again for what did not arrive. */
async function sendSome<Event>(
  { client, log }: SendingParts,
  messages: readonly Message<Event>[],
  until: AbortSignal,
): Promise<readonly Event[]> {
  const refused: Event[] = [];
  let left = messages;
  let reason = 'SQS did not take every message';
  while (!until.aborted) {
    try {
      const unsent = await client.send(left, until);
      const final = unsent.filter(({ isFinal }) => isFinal);
      refused.push(...final.flatMap(({ index }) => left[index]?.events ?? []));
      left = unsent.flatMap(({ index, isFinal }) => (isFinal ? [] : (left[index] ?? [])));
      if (left.length === 0) return refused;
      reason = unsent.map(({ code }) => code).join(', ');
    } catch (error) {
      reason = explainSqs(error)?.message ?? String(error);
    }
    log.warn({ reason, messages: left.length }, 'the queue does not take events');
    await pause(PAUSE_MS, until);
  }
  throw new Refusal(
    'unavailable',
    `the queue does not take events now: ${reason}`,
    'send the same events again; those that did arrive are duplicates then',
  );
}
