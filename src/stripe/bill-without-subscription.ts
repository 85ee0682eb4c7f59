import type { InstantMs } from '../clock.ts';
import { raiseAlert } from '../push/alert-store.ts';
import { watchAnswers } from '../push/answer-watch.ts';
import type { PushParts } from '../push/destination.ts';
import { inParallel } from '../push/in-parallel.ts';
import type { Intent } from '../push/intent.ts';
import { intentKey, isProven } from '../push/intent.ts';
import { insertIntent } from '../push/intent-store.ts';
import type { PushTarget } from '../push/push-target.ts';
import { planTakeBack, takeBackPartsOf } from '../push/take-back.ts';
import { isBilledBySubscription } from './customers/bills-usage.ts';
import { readInvoices } from './invoices/invoice-store.ts';
import { takeMissedInvoices } from './invoices/missed-invoices.ts';
import type { UnbilledPeriod } from './invoices/unbilled-usage.ts';
import type { StripeMeter } from './meters/meter-store.ts';
import { readMeters } from './meters/meter-store.ts';
import { takeRead } from './reads/read-allowance-store.ts';
import type { StripeParts } from './stripe-parts.ts';

const PARALLEL_PERIODS = 8;

/**
 * Has usage taken back from the meter that no subscription bills and no invoice shows a week after it was told,
 * so that the push tells it by an invoice item. Taken back and not only billed: a subscription that somebody
 * backdates later finds nothing on the meter. Answers the periods that are to be pushed again.
 */
export async function takeBackUnbilled(
  parts: StripeParts,
  push: PushParts,
  unbilled: readonly UnbilledPeriod[],
): Promise<readonly PushTarget[]> {
  const meters = await readMeters(parts.database, parts.livemode);
  const taken: PushTarget[] = [];
  const answers = watchAnswers();
  await inParallel(unbilled, PARALLEL_PERIODS, async (period) => {
    const { target } = period;
    try {
      const meter = meters.get(target.currency);
      const told = meter === undefined ? null : await toldIfAskable(parts, period);
      if (meter === undefined || told === null) return;
      const isUnbilled = await isNobodys(parts, { meter, told, endsAt: target.endsAt });
      answers.answered();
      if (isUnbilled && (await takeBackOrAlert(parts, push, period))) taken.push(target);
    } catch (error) {
      const reason = answers.reasonOf(error);
      parts.log.warn({ tenantId: target.tenantId, reason }, 'unbilled usage cannot be looked at');
    }
  });
  answers.end();
  return taken;
}

/** What was told, where the count has shown all of it and a read is left to ask who bills it; else null. */
async function toldIfAskable(
  { database, clock }: StripeParts,
  { target, intents }: UnbilledPeriod,
): Promise<Intent | null> {
  const told = toldToMeter(intents);
  if (told === undefined || !isProven(target.billableMicro, intents)) return null;
  const { tenantId, periodStart } = target;
  const read = { tenantId, periodStart, what: 'invoices', customer: told.customer } as const;
  return (await takeRead(database, read, clock())) ? told : null;
}

function toldToMeter(intents: readonly Intent[]): Intent | undefined {
  return intents.findLast(({ destination }) => destination === 'meter');
}

/** Stripe has no subscription that bills it, and no invoice of which no event told. */
async function isNobodys(
  parts: StripeParts,
  of: { readonly meter: StripeMeter; readonly told: Intent; readonly endsAt: InstantMs },
): Promise<boolean> {
  const { meter, endsAt } = of;
  const { customer, eventTimestamp, tenantId, periodStart } = of.told;
  if (await isBilledBySubscription(parts.stripe, meter, { customer, eventTimestamp })) return false;
  await takeMissedInvoices(parts, { customer, endsAt });
  const invoices = await readInvoices(parts.database, { month: null, tenantId });
  return !invoices.some(
    (invoice) => invoice.periodStart === periodStart && invoice.state !== 'gone',
  );
}

/** A customer without a subscription is a person's to know of, once. */
async function takeBackOrAlert(
  { database, clock }: StripeParts,
  push: PushParts,
  { target, intents }: UnbilledPeriod,
): Promise<boolean> {
  const { tenantId, periodStart } = target;
  const customer = toldToMeter(intents)?.customer ?? '';
  const raise = (
    kind: 'no_subscription' | 'usage_left_on_meter',
    subject: string,
    detail: string,
  ) => raiseAlert(database, { kind, subject, tenantId, periodStart, detail }, clock());
  const planned = await planTakeBack(takeBackPartsOf(push), target, intents);
  if (planned === null) return false;
  if (typeof planned === 'string') {
    const detail = `no subscription bills what the meter counts of this period, and it cannot be taken back (${planned}); bill it in Stripe, give its customer no subscription that begins before ${periodStart}, and resolve this with the number of the invoice`;
    await raise('usage_left_on_meter', intentKey(target), detail);
    return false;
  }
  const detail = `customer ${customer} has no subscription for its usage, which is billed by invoice items a week after each period; give it one, or resolve this where that is meant`;
  await raise('no_subscription', customer, detail);
  // Somebody else who did so at the same moment took the same sequence.
  return insertIntent(database, planned, clock());
}
