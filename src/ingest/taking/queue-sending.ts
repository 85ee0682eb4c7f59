import { explainSqs } from '../../aws/sqs-refusal.ts';
import { encodeBodies } from '../../client/message-body.ts';
import { messageGroupOf } from '../../client/message-group.ts';
import { type Packable, Packer } from '../../client/packer.ts';
import { MESSAGES_PER_CALL, type SendClient } from '../../client/send-client.ts';
import { pause } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { Refusal } from '../../refusal.ts';

export interface SendingParts {
  readonly client: SendClient;
  readonly saying: QueueSaying;
}

/** Says once that the queue takes nothing and once that it does again, however many requests find it so. */
export class QueueSaying {
  readonly #log: Log;
  #isAway = false;

  constructor(log: Log) {
    this.#log = log;
  }

  away(reason: string): void {
    if (!this.#isAway) this.#log.warn({ reason }, 'the queue does not take events');
    this.#isAway = true;
  }

  back(): void {
    if (this.#isAway) this.#log.info('the queue takes events again');
    this.#isAway = false;
  }
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
      body,
      events: inIt,
      group: tenantId === null ? null : messageGroupOf(tenantId),
    })),
  );
}

/** Makes one call, and again for what did not arrive. */
async function sendSome<Event>(
  { client, saying }: SendingParts,
  messages: readonly Message<Event>[],
  until: AbortSignal,
): Promise<readonly Event[]> {
  const refused: Event[] = [];
  let left = messages;
  let reason = 'SQS did not take every message';
  while (!until.aborted) {
    try {
      const before = left.length;
      const unsent = await client.send(left, until);
      const final = unsent.filter(({ isFinal }) => isFinal);
      refused.push(...final.flatMap(({ index }) => left[index]?.events ?? []));
      left = unsent.flatMap(({ index, isFinal }) => (isFinal ? [] : (left[index] ?? [])));
      if (unsent.length < before) saying.back();
      if (left.length === 0) return refused;
      reason = unsent.map(({ code }) => code).join(', ');
    } catch (error) {
      reason = explainSqs(error)?.message ?? String(error);
    }
    saying.away(reason);
    await pause(PAUSE_MS, until);
  }
  throw new Refusal(
    'unavailable',
    `the queue does not take events now: ${reason}`,
    'send the same events again; those that did arrive are duplicates then',
  );
}
