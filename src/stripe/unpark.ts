import { Refusal } from '../refusal.ts';
import { confirmedSum, type StripeParts } from './push.ts';
import {
  markState,
  readIntents,
  readIntentsByIdentifier,
  readMeters,
  readTargets,
} from './push-store.ts';
import { readSummary } from './stripe-client.ts';

/** Long enough after the last request for Stripe's summary to show what it took. */
const SETTLED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Gives a parked intent up as missing, so that the next push tells its value under a new identifier.
 * A person asks for it after having mended the cause; the summary must show that it was not counted.
 */
export async function unparkIntent(parts: StripeParts, identifier: string): Promise<string> {
  const { database, stripe, livemode, clock } = parts;
  const [intent] = await readIntentsByIdentifier(database, [identifier]);
  if (intent === undefined || intent.state !== 'parked') {
    const is = intent === undefined ? 'does not exist' : `is ${intent.state}, not parked`;
    const remedy = '"select * from audit.pushes where state = \'parked\'" lists those that are';
    throw new Refusal('stripe', `intent ${identifier} ${is}`, remedy);
  }
  const { tenantId, stripeCustomer, firstAttemptAt } = intent;
  const target = (await readTargets(database, { month: null, tenantId })).find(
    (candidate) => candidate.periodStart === intent.periodStart,
  );
  const meter =
    target === undefined ? undefined : (await readMeters(database, livemode)).get(target.currency);
  if (target === undefined || meter === undefined) {
    throw new Refusal(
      'stripe',
      `intent ${identifier} has no meter in this mode`,
      'run "spanledger stripe setup"',
    );
  }
  if (firstAttemptAt !== null && clock() - firstAttemptAt < SETTLED_AFTER_MS) {
    throw new Refusal(
      'stripe',
      `intent ${identifier} was first sent less than a day ago, and summaries lag`,
      'try again a day after its first attempt',
    );
  }
  const { startsAt, endsAt } = target;
  const summary = await readSummary(stripe, {
    meterId: meter.meterId,
    stripeCustomer,
    startsAt,
    endsAt,
  });
  const confirmed = confirmedSum(await readIntents(database, target));
  if (summary !== confirmed) {
    throw new Refusal(
      'stripe',
      `Stripe's summary says ${summary} and ${confirmed} are confirmed, so that it is not proven that intent ${identifier} (${intent.valueMicro}) was not counted`,
      'find in Stripe what was counted; "spanledger reconcile" shows all columns',
    );
  }
  const answer = `given up by a person: Stripe's summary says ${summary}, confirmed are ${confirmed}`;
  await markState(database, identifier, {
    event: 'person',
    state: 'missing',
    answer,
    at: clock(),
  });
  return `${identifier} is missing from Stripe; "spanledger push ${intent.periodStart.slice(0, 7)}" tells its value anew`;
}
