import type { SqsAddress } from '../../aws/sqs-client.ts';
import { fitsMessage } from '../../client/message-body.ts';
import type { Packable } from '../../client/packer.ts';
import { openSendClient } from '../../client/send-client.ts';
import type { Log } from '../../log.ts';
import { Refusal } from '../../refusal.ts';
import type { EventKeeper, LetIn } from './event-keeper.ts';
import { EventsOnDisk } from './events-on-disk.ts';
import { InHand } from './in-hand.ts';
import { QueueSaying, sendEvents } from './queue-sending.ts';
import type { TakenOutcome } from './taken-answer.ts';

export interface QueueKeeperOptions extends SqsAddress {
  readonly queueUrl: string;
  readonly log: Log;
  /** Where events wait while the queue is away; null for nowhere: then producers are asked to come again. */
  readonly disk: { readonly folder: string; readonly mostBytes: number } | null;
}

/** A producer's own timeout is mostly ten seconds; what is not in the queue by then is sent again by it. */
const DEADLINE_MS = 8_000;
/** Where the disk can take them, nobody waits so long. */
const BEFORE_DISK_MS = 2_000;
const CALLS_UNDER_WAY = 32;
const MOST_IN_HAND = 256 * 1024 * 1024;

/**
 * Keeps events in the queue: a request is answered when SQS has all of its messages, or this machine's disk has
 * the events while SQS is away.
 */
export function openQueueKeeper(options: QueueKeeperOptions): EventKeeper {
  const { log } = options;
  const client = openSendClient({ ...options, callsUnderWay: CALLS_UNDER_WAY });
  const parts = { client, saying: new QueueSaying(log) };
  const inHand = new InHand(MOST_IN_HAND, 'the queue');
  const disk =
    options.disk === null
      ? null
      : new EventsOnDisk({
          ...options.disk,
          log,
          send: (events, stop) =>
            sendEvents(parts, events, AbortSignal.any([stop, AbortSignal.timeout(DEADLINE_MS)])),
        });
  const send = (events: readonly LetIn[]) =>
    disk === null
      ? sendEvents(parts, events, AbortSignal.timeout(DEADLINE_MS))
      : sendOrWrite(disk, events, () =>
          sendEvents(parts, events, AbortSignal.timeout(BEFORE_DISK_MS)),
        );
  return {
    keep: (events) =>
      inHand.hold(events, async () => {
        const fits = new Set(events.filter(({ json }) => fitsMessage(json)));
        const refused = new Set(await send([...fits]));
        return events.map(
          (event): TakenOutcome =>
            fits.has(event) && !refused.has(event) ? outcomeInQueue(event) : 'too_large',
        );
      }),
    diskBytes: () => disk?.bytes ?? 0,
    async close() {
      await disk?.close();
      client.close();
    },
  };
}

async function sendOrWrite(
  disk: EventsOnDisk,
  events: readonly LetIn[],
  send: () => Promise<readonly LetIn[]>,
): Promise<readonly LetIn[]> {
  if (disk.isAway) {
    write(disk, events);
    return [];
  }
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'unavailable') throw error;
    write(disk, events);
    return [];
  }
}

function write(disk: EventsOnDisk, events: readonly Packable[]): void {
  try {
    disk.keep(events);
  } catch (error) {
    throw new Refusal(
      'unavailable',
      `the queue does not take events now, and the disk neither: ${String(error)}`,
      'send the same events again; those that did arrive are duplicates then',
    );
  }
}

/**
 * Returns what a worker will make of it, as far as that can be told here: what is posted twice, it
 * alone sees.
 */
function outcomeInQueue({ item }: LetIn): TakenOutcome {
  if (item.kind === 'empty') return 'empty';
  return item.kind === 'refused' || item.tooOld !== null ? 'quarantined' : 'accepted';
}
