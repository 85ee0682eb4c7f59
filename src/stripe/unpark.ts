import type { InstantMs } from '../clock.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { readMeters } from './meters/meter-store.ts';
import { confirmedSum } from './push.ts';
import type { Intent } from './push-store.ts';
import {
  markProven,
  markState,
  readIntents,
  readIntentsByIdentifier,
  readTargets,
} from './push-store.ts';
import { readSummary } from './stripe-client.ts';
import type { StripeParts } from './stripe-parts.ts';

/** Long enough after the last request for Stripe's summary to show what it took. */
const SETTLED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Decides a parked intent by Stripe's summary, when a person asks for it after having mended the cause. What
 * the summary holds is confirmed at once. What it has lacked for a day is given up as missing, so that
 * the next push tells its value under a new identifier. Any other summary is refused, with its figures.
 */
export async function unparkIntent(parts: StripeParts, identifier: string): Promise<Unparked> {
  const { database, clock } = parts;
  const intent = await readParked(parts, identifier);
  const { summary, confirmed } = await figuresOf(parts, intent);
  const isThere = summary === confirmed + intent.valueMicro;
  if (!isThere) refuseUnproven(intent, { summary, confirmed, now: clock() });
  const state = isThere ? 'confirmed' : 'missing';
  const answer = `unparked by a person: Stripe's summary says ${summary}, confirmed were ${confirmed}`;
  await markState(database, identifier, { event: 'person', state, answer, at: clock() });
  if (isThere) await markProven(database, [identifier], clock());
  const detail = isThere
    ? `${identifier} is confirmed: Stripe's summary holds it`
    : `${identifier} is missing from Stripe; "spanledger push ${intent.periodStart.slice(0, 7)}" tells its value anew`;
  return { state, detail };
}

export interface Unparked {
  readonly state: 'confirmed' | 'missing';
  readonly detail: string;
}

async function readParked({ database }: StripeParts, identifier: string): Promise<Intent> {
  const [intent] = await readIntentsByIdentifier(database, [identifier]);
  if (intent?.state === 'parked') return intent;
  const is = intent === undefined ? 'does not exist' : `is ${intent.state}, not parked`;
  const remedy = '"select * from audit.pushes where state = \'parked\'" lists those that are';
  throw new Refusal('conflict', `intent ${identifier} ${is}`, remedy);
}

async function figuresOf(
  { database, stripe, livemode }: StripeParts,
  { identifier, tenantId, periodStart, stripeCustomer }: Intent,
): Promise<{ readonly summary: bigint; readonly confirmed: bigint }> {
  const targets = await readTargets(database, { month: null, tenantId });
  const target = targets.find((candidate) => candidate.periodStart === periodStart);
  const meters = await readMeters(database, livemode);
  const meterId = target === undefined ? undefined : meters.get(target.currency)?.meterId;
  if (target === undefined || meterId === undefined) {
    throw new Refusal(
      'misconfigured',
      `intent ${identifier} has no meter in this mode`,
      advise`run ${{ operation: 'stripe setup' }}`,
    );
  }
  const { startsAt, endsAt } = target;
  const summary = await readSummary(stripe, { meterId, stripeCustomer, startsAt, endsAt });
  return { summary, confirmed: confirmedSum(await readIntents(database, target)) };
}

function refuseUnproven(
  { identifier, valueMicro, firstAttemptAt }: Intent,
  seen: { readonly summary: bigint; readonly confirmed: bigint; readonly now: InstantMs },
): void {
  const { summary, confirmed, now } = seen;
  if (summary !== confirmed) {
    throw new Refusal(
      'conflict',
      `Stripe's summary says ${summary} and ${confirmed} are confirmed, so that it proves neither that intent ${identifier} (${valueMicro}) was counted nor that it was not`,
      advise`find in Stripe what else was counted; ${{ operation: 'reconcile' }} shows all columns`,
    );
  }
  if (firstAttemptAt !== null && now - firstAttemptAt < SETTLED_AFTER_MS) {
    throw new Refusal(
      'too_early',
      `intent ${identifier} was first sent less than a day ago, and summaries lag`,
      'try again a day after its first attempt',
    );
  }
}
