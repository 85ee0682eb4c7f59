import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { type EventKey, eventKeysOf, eventText } from '../entries/event-keys.ts';
import { isFiner, saysAnother } from './finer-report.ts';
import type { ReceivedEvent } from './received-event.ts';
import { reportsOf } from './same-call.ts';

/** What was received, and whether it is in the ledger from now on. */
interface Judged {
  readonly received: ReceivedEvent;
  readonly outcome: { readonly kind: 'posted' | 'duplicate' | 'conflict' };
}

/** What is to be posted, and which of it as what it is in a message of its own. */
interface ToPost {
  readonly posted: readonly ReceivedEvent[];
  readonly apart: ReadonlySet<ReceivedEvent>;
}

/**
 * Returns what of these is to be posted. A second report of a message keeps no counts, since the call that it repeats
 * has taken them over. Where the ledger knew that call already it takes nothing more, so that a report which counts it
 * more exactly, or says that another model was asked for, is posted as it is in a message of its own: the fold takes it
 * back, and over what it says.
 */
export function eventsToPost(judged: readonly Judged[]): ToPost {
  const known = new Map<string, ReceivedEvent>();
  for (const { received, outcome } of judged) {
    if (received.alone === undefined || outcome.kind !== 'duplicate') continue;
    for (const key of eventKeysOf(received.event)) known.set(eventText(key), received.alone);
  }
  const received = judged
    .filter(({ outcome }) => outcome.kind === 'posted')
    .map(({ received: one }) => one);
  if (known.size === 0) return { posted: received, apart: NONE };
  const apart = new Set<ReceivedEvent>();
  const posted = received.map((one) => {
    const alone = countedApart(one, known);
    if (alone !== null) apart.add(alone);
    return alone ?? one;
  });
  return { posted, apart };
}

const NONE: ReadonlySet<ReceivedEvent> = new Set();

function countedApart(
  received: ReceivedEvent,
  known: ReadonlyMap<string, ReceivedEvent>,
): ReceivedEvent | null {
  const { alone, repeats } = received;
  if (alone === undefined || repeats === undefined) return null;
  const call = known.get(eventText(keyOf(repeats)));
  const [report] = reportsOf(alone.event, alone.digest);
  const [kept] = call === undefined ? [] : reportsOf(call.event, call.digest);
  if (report === undefined || kept === undefined) return null;
  const asksAnother = repeats.because === 'nested' && saysAnother(report, kept);
  return asksAnother || isFiner(report, kept) ? alone : null;
}

function keyOf({ tenantId, source, eventId }: NonNullable<ReceivedEvent['repeats']>): EventKey {
  return { tenantId: tenantId ?? UNATTRIBUTED, source, eventId };
}
