import { inParallel } from '../in-parallel.ts';
import { periodKey } from '../periods/period-key.ts';
import { raiseAlert } from '../push/alert-store.ts';
import { watchAnswers } from '../push/answer-watch.ts';
import type { PushParts } from '../push/destination.ts';
import type { Intent } from '../push/intent.ts';
import { isProven } from '../push/intent.ts';
import { insertIntent } from '../push/intent-store.ts';
import type { PushTarget } from '../push/push-target.ts';
import { planTakeBack, takeBackPartsOf } from '../push/take-back.ts';
import { countBilling } from './customers/bills-usage.ts';
import { readInvoices } from './invoices/invoice-store.ts';
import { takeMissedInvoices } from './invoices/missed-invoices.ts';
import type { UnbilledPeriod } from './invoices/unbilled-usage.ts';
import { billsNothing } from './invoices/unbilled-usage.ts';
import type { StripeMeter } from './meters/meter-store.ts';
import { readMeters } from './meters/meter-store.ts';
import type { StripeParts } from './stripe-parts.ts';

const PARALLEL_PERIODS = 8;

/**
 * Has usage taken back from the meter that no subscription bills and no invoice shows a week after it was told, or
 * that was told when the invoice was final already, so that the push tells it by an invoice item. Taken back and not only billed: a subscription that somebody
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
      const told = toldToMeter(period);
      if (meter === undefined || told === null) return;
      const { customer } = told;
      if (!(await takeMissedInvoices(parts, { ...target, customer }))) return;
      answers.answered();
      if (await isBilled(parts, meter, { ...period, told })) return;
      if (await takeBackOrAlert(parts, push, period)) taken.push(target);
    } catch (error) {
      const reason = answers.reasonOf(error);
      parts.log.warn({ tenantId: target.tenantId, reason }, 'unbilled usage cannot be looked at');
    }
  });
  answers.end();
  return taken;
}

/** What the meter was told, where its count has shown all of the period; else null. */
function toldToMeter({ target, intents }: UnbilledPeriod): Intent | null {
  const told = intents.findLast(({ destination }) => destination === 'meter');
  return told !== undefined && isProven(target.billableMicro, intents) ? told : null;
}

/**
 * An invoice of which no event told bills it, or a subscription of Stripe's will. Where an invoice is final without
 * it, the subscription that made that one has billed the period, and only another one could.
 */
async function isBilled(
  { database, stripe }: StripeParts,
  meter: StripeMeter,
  { told, isFinalWithoutIt }: UnbilledPeriod & { readonly told: Intent },
): Promise<boolean> {
  const { tenantId, periodStart, customer } = told;
  const invoices = await readInvoices(database, { month: null, tenantId });
  const isInvoiced = invoices.some(
    (invoice) =>
      invoice.periodStart === periodStart &&
      invoice.stripeCustomer === customer &&
      invoice.state !== 'gone' &&
      !(isFinalWithoutIt && billsNothing(invoice)),
  );
  if (isInvoiced) return true;
  return (await countBilling(stripe, meter, told)) > (isFinalWithoutIt ? 1 : 0);
}

/** A customer without a subscription is a person's to know of, once. */
async function takeBackOrAlert(
  { database, clock }: StripeParts,
  push: PushParts,
  period: UnbilledPeriod,
): Promise<boolean> {
  const { target, intents, isFinalWithoutIt } = period;
  const { tenantId, periodStart } = target;
  const customer = toldToMeter(period)?.customer ?? '';
  const raise = (
    kind: 'no_subscription' | 'usage_left_on_meter',
    subject: string,
    detail: string,
  ) => raiseAlert(database, { kind, subject, tenantId, periodStart, detail }, clock());
  const planned = await planTakeBack(takeBackPartsOf(push), target, intents);
  if (planned === null) return false;
  if (typeof planned === 'string') {
    const detail = `no invoice bills what the meter counts of this period, and it cannot be taken back (${planned})`;
    await raise('usage_left_on_meter', periodKey(target), detail);
    return false;
  }
  // An alert about the final invoice stands, and ends once an item bills the rest.
  if (!isFinalWithoutIt) {
    const detail = `customer ${customer} has no subscription for its usage, which is billed by invoice items a week after each period`;
    await raise('no_subscription', customer, detail);
  }
  // Somebody else who did so at the same moment took the same sequence.
  return insertIntent(database, planned, clock());
}
