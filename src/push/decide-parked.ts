import type { InstantMs } from '../clock.ts';
import { periodKey } from '../periods/period-key.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { Destination, PushParts } from './destination.ts';
import { destinationOf } from './destination.ts';
import type { Figures } from './figures.ts';
import { readIntentFigures } from './figures.ts';
import type { Intent } from './intent.ts';
import { isTakeBack } from './intent.ts';

import { markProven, markState, readIntents, readIntentsByIdentifier } from './intent-store.ts';
import { readTargets } from './target-store.ts';
import type { UnparkAnswer, UnparkRequest } from './unpark-answer.ts';

/** The time is long enough after the last request for a count to show what was taken. */
const SETTLED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Decides a parked intent by the destination's count, when a person asks for it after having mended the
 * cause. What the count holds is confirmed at once. What it has lacked for a day is given up as missing, so
 * that the next push tells its value under a new identifier; a count of nothing lacks each of several. Any other count is
 * refused, with its figures.
 */
export async function decideParked(
  parts: PushParts,
  { identifier }: UnparkRequest,
): Promise<UnparkAnswer> {
  const { database, clock } = parts;
  const intent = await readParked(parts, identifier);
  const { destination, figures, isNothingThere } = await readFigures(parts, intent);
  const { countName } = destination;
  const { counted, confirmed } = figures;
  const isThere = counted === confirmed + intent.valueMicro;
  if (!isThere) await refuseBilled(parts, intent);
  if (!isThere) refuseUnproven(intent, { countName, figures, isNothingThere, now: clock() });
  if (isThere) await destination.finish(intent);
  const state = isThere ? 'confirmed' : 'missing';
  const answer = `unparked by a person: ${countName} says ${counted}, confirmed were ${confirmed}`;
  await markState(database, identifier, { event: 'person', state, answer, at: clock() });
  if (isThere) await markProven(database, [identifier], clock());
  const detail = isThere
    ? `${identifier} is confirmed: ${countName} holds it`
    : `${identifier} is missing from ${countName}; the next push of ${intent.periodStart.slice(0, 7)} tells its value anew`;
  return { identifier, state, detail };
}

/** Usage that a final invoice bills is not told again, whatever the count says by now. */
async function refuseBilled(parts: PushParts, intent: Intent): Promise<void> {
  const { tenantId, identifier } = intent;
  const billed = await destinationOf(parts, intent)?.readBilled({ month: null, tenantId });
  const onInvoices = billed?.get(periodKey(intent)) ?? 0n;
  if (onInvoices === 0n) return;
  throw new Refusal(
    'conflict',
    `a final invoice bills ${onInvoices} of this period, so that what intent ${identifier} says is not told anew`,
    'credit or bill the difference in Stripe, where there is one',
  );
}

async function readParked({ database }: PushParts, identifier: string): Promise<Intent> {
  const [intent] = await readIntentsByIdentifier(database, [identifier]);
  if (intent?.state === 'parked') return intent;
  // An answer only means that it was received, and what was counted may be counted no more: the count decides.
  if (intent?.state === 'confirmed' && intent.attempts > 0) return intent;
  throw new Refusal(
    intent === undefined ? 'not_found' : 'conflict',
    `intent ${identifier} ${intent === undefined ? 'does not exist' : whyNoCountDecides(intent)}`,
    advise`${{ operation: 'push list', state: 'parked' }} lists those that are parked`,
  );
}

function whyNoCountDecides({ destination, state }: Intent): string {
  if (destination === 'settled') return 'is what a person settled, which no count holds';
  if (state === 'confirmed')
    return 'was confirmed without a request, so that nothing of it can be told anew';
  return `is ${state}, neither parked nor confirmed`;
}

async function readFigures(
  parts: PushParts,
  intent: Intent,
): Promise<{
  readonly destination: Destination;
  readonly figures: Figures;
  /** Whether the count lacks each value of the period: it holds nothing, and none of them takes another back. */
  readonly isNothingThere: boolean;
}> {
  const { tenantId, periodStart, identifier } = intent;
  const targets = await readTargets(parts.database, { month: null, tenantId });
  const target = targets.find((candidate) => candidate.periodStart === periodStart);
  const destination = destinationOf(parts, intent);
  if (target === undefined || destination === undefined) {
    throw new Refusal(
      'misconfigured',
      `intent ${identifier} is for ${intent.destination}, and no such destination is set up in this mode`,
      advise`run ${{ operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null }}`,
    );
  }
  const all = await readIntents(parts.database, target);
  const intents = all.filter(({ identifier: other }) => other !== identifier);
  const figures = await readIntentFigures(destination, { target, intents, intent });
  const told = all.filter(({ destination: kind }) => kind === intent.destination);
  const isNothingThere = figures.counted === 0n && !told.some(isTakeBack);
  return { destination, figures, isNothingThere };
}

function refuseUnproven(
  { identifier, valueMicro, firstAttemptAt, periodStart }: Intent,
  seen: {
    readonly countName: string;
    readonly figures: Figures;
    readonly isNothingThere: boolean;
    readonly now: InstantMs;
  },
): void {
  const { countName, figures, isNothingThere, now } = seen;
  const { counted, confirmed } = figures;
  if (counted !== confirmed && !isNothingThere) {
    throw new Refusal(
      'conflict',
      `${countName} says ${counted} and ${confirmed} are confirmed, so that it proves neither that intent ${identifier} (${valueMicro}) was counted nor that it was not`,
      advise`find out what else was counted there; ${{ operation: 'reconcile', month: periodStart.slice(0, 7) }} shows all columns`,
    );
  }
  if (firstAttemptAt !== null && now - firstAttemptAt < SETTLED_AFTER_MS) {
    throw new Refusal(
      'too_early',
      `intent ${identifier} was first sent less than a day ago, and counts lag`,
      'try again a day after its first attempt',
    );
  }
}
