import { encodeBodies, fitsMessage } from '../../client/message-body.ts';
import { messageGroupOf } from '../../client/message-group.ts';
import { Packer } from '../../client/packer.ts';
import { MESSAGES_PER_CALL, openSendClient } from '../../client/send-client.ts';
import { pause } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { Refusal } from '../../refusal.ts';
import type { SqsAddress } from '../../sqs-client.ts';
import { explainSqs } from '../../sqs-refusal.ts';
import type { EventKeeper, LetIn } from './event-keeper.ts';
import type { TakenOutcome } from './taken-answer.ts';

export interface QueueKeeperOptions extends SqsAddress {
  readonly queueUrl: string;
  readonly log: Log;
}

/** A producer's own timeout is mostly ten seconds; what is not in the queue by then is sent again by it. */
const DEADLINE_MS = 8_000;
const PAUSE_MS = 200;
const CALLS_UNDER_WAY = 32;
/** Characters of events that requests hold at once; beyond it, producers are asked to wait. */
const MOST_IN_HAND = 256 * 1024 * 1024;

/** Keeps events in the queue: a request is answered when SQS has all of its messages. */
export function openQueueKeeper(options: QueueKeeperOptions): EventKeeper {
  const client = openSendClient({ ...options, callsUnderWay: CALLS_UNDER_WAY });
  let inHand = 0;
  return {
    async keep(events) {
      const size = events.reduce((sum, { json }) => sum + json.length, 0);
      if (inHand + size > MOST_IN_HAND) refuseAway('too much is under way to the queue');
      inHand += size;
      try {
        const fitting = events.filter(({ json }) => fitsMessage(json));
        await sendAll(client, messagesOf(fitting), options.log);
        const fits = new Set(fitting);
        return events.map(
          (event): TakenOutcome => (fits.has(event) ? outcomeInQueue(event) : 'too_large'),
        );
      } finally {
        inHand -= size;
      }
    },
    async close() {
      client.close();
    },
  };
}

/** What a worker will make of it, as far as that can be told here: what is posted twice, it alone sees. */
function outcomeInQueue({ item }: LetIn): TakenOutcome {
  if (item.kind === 'empty') return 'empty';
  return item.kind === 'refused' || item.tooOld !== null ? 'quarantined' : 'accepted';
}

interface Message {
  readonly body: string;
  readonly group: string | null;
}

function messagesOf(events: readonly LetIn[]): readonly Message[] {
  const packer = new Packer<LetIn>('zstd');
  const packs = events.flatMap((event) => packer.add(event) ?? []);
  return [...packs, ...packer.takeAll()].flatMap(({ tenantId, events: packed }) =>
    encodeBodies(packed, 'zstd').map(({ body }) => ({
      body,
      group: tenantId === null ? null : messageGroupOf(tenantId),
    })),
  );
}

async function sendAll(
  client: ReturnType<typeof openSendClient>,
  messages: readonly Message[],
  log: Log,
): Promise<void> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const calls: Promise<void>[] = [];
  for (let at = 0; at < messages.length; at += MESSAGES_PER_CALL) {
    calls.push(sendOne(client, messages.slice(at, at + MESSAGES_PER_CALL), { deadline, log }));
  }
  await Promise.all(calls);
}

/** One call, again for what did not arrive, until the deadline. */
async function sendOne(
  client: ReturnType<typeof openSendClient>,
  messages: readonly Message[],
  of: { readonly deadline: AbortSignal; readonly log: Log },
): Promise<void> {
  let left = messages;
  let reason = 'SQS did not take every message';
  while (!of.deadline.aborted) {
    try {
      const unsent = await client.send(left, of.deadline);
      left = unsent.flatMap(({ index }) => left[index] ?? []);
      if (left.length === 0) return;
      reason = unsent.map(({ code }) => code).join(', ');
    } catch (error) {
      reason = explainSqs(error)?.message ?? String(error);
    }
    of.log.warn({ reason, messages: left.length }, 'the queue does not take events');
    await pause(PAUSE_MS, of.deadline);
  }
  refuseAway(reason);
}

function refuseAway(reason: string): never {
  throw new Refusal(
    'unavailable',
    `the queue does not take events now: ${reason}`,
    'send the same events again; those that did arrive are duplicates then',
  );
}
