import { type Clock, DAY_MS, HOUR_MS, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { formatDecimal } from '../../money.ts';
import type { Address, Destination, Obstacle, Told } from '../../push/destination.ts';
import type { Intent } from '../../push/intent.ts';
import type { Memory } from '../../push/intent-state.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { Refusal } from '../../refusal.ts';
import type { Fault } from '../../remedy.ts';
import { advise } from '../../remedy.ts';
import { otherAccountFault } from '../account.ts';
import { findUnbilled } from '../customers/bills-usage.ts';
import { findCustomerFault, linkOperation } from '../customers/check-customer.ts';
import { readBilled } from '../invoices/billed-micro.ts';
import { readInvoices } from '../invoices/invoice-store.ts';
import { billsNothing } from '../invoices/unbilled-usage.ts';
import { pacedCount } from '../reads/paced-read.ts';
import { sendOnce } from '../send-once.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe, isMissing } from '../stripe-client.ts';
import { isExcusedOnMeter } from './billed-beyond.ts';
import { sendMeterEvent } from './meter-event.ts';
import type { StripeMeter } from './meter-store.ts';
import { hasOwnMinute, readSummary } from './summary.ts';

export const METER_MEMORY: Memory = {
  // Stripe remembers an identifier for at least 24 hours, and afterwards counts it again. An hour is left
  // for the clocks and for a request that hangs.
  resendWithinMs: 23 * HOUR_MS,
  // Summaries are eventually consistent: only an absence that lasts a day proves that nothing came.
  absenceProvesAfterMs: DAY_MS,
  countsWithinMs: HOUR_MS,
};

/** Stripe takes no event older than 35 days; an hour is left for the clocks and for retries. */
const OLDEST_EVENT_MS = 35 * DAY_MS - HOUR_MS;

/** Stripe counts in doubles, and refuses a value of more significant digits. */
const LARGEST_VALUE_MICRO = 999_999_999_999_999n;

export interface MeterParts {
  readonly database: Database;
  readonly stripe: StripeClient;
  readonly livemode: boolean;
  readonly account: string | null;
  readonly clock: Clock;
}

/**
 * Makes the meters that `stripe setup` made, by currency, a destination: one event for each intent.
 */
export function meterDestination(
  parts: MeterParts,
  meters: ReadonlyMap<string, StripeMeter>,
): Destination {
  const { database, stripe, livemode, account, clock } = parts;
  const byEventName = new Map([...meters.values()].map((meter) => [meter.eventName, meter]));
  return {
    kind: 'meter',
    origin: { livemode, account },
    countName: "Stripe's summary",
    memory: METER_MEMORY,
    describe: (target) => addressAt(target, { meters, livemode }),
    disown: (intent) => disownFault(intent, parts),
    objectTo: (told) => findMeterObjection({ database, clock }, told),
    isExcused: (period) => isExcusedOnMeter(database, period),
    checkChannel: (channel) => checkMeter(stripe, byEventName.get(channel)),
    async lookAt(whom) {
      const obstacle = await lookAtCustomer(parts, whom);
      const meter = byEventName.get(whom.channel);
      if (obstacle !== null || meter === undefined) return obstacle;
      return findUnbilled(stripe, meter, { ...whom, tenantId: whom.target.tenantId });
    },
    // An event that is counted is billed by whatever invoice comes.
    finish: async () => undefined,
    async tell(intent, until) {
      const answer = await sendOnce({ until, clock }, () => sendMeterEvent(stripe, intent));
      if (answer.kind !== 'systemic') return answer;
      const { kind, detail, isMeter = false } = answer;
      const meter = byEventName.get(intent.channel);
      // A refused meter that is active is a refusal of earlier that Stripe replays under this event's key.
      const isReplayed = isMeter && meter !== undefined && (await isMeterActive(stripe, meter));
      return isReplayed ? { kind: 'replayed', detail } : { kind, detail };
    },
    async readCount({ channel, mayBeOld, ...question }) {
      const meter = byEventName.get(channel);
      if (meter === undefined) return null;
      const read = () => readSummary(stripe, { ...question, meterId: meter.meterId });
      return pacedCount(parts, { ...question, what: 'meter' }, { read, mayBeOld });
    },
    readBilled: (of) => readBilled(database, of),
  };
}

/** Returns the customer and the meter of a period, or what lacks. */
export function addressAt(
  target: PushTarget,
  { meters, livemode }: { meters: ReadonlyMap<string, StripeMeter>; livemode: boolean },
): Address | Fault {
  const { currency, customer, tenantId, closedFor } = target;
  const channel = meters.get(currency)?.eventName;
  if (channel === undefined) {
    const setup = { operation: 'stripe setup', currency, subscriptions: false } as const;
    return {
      fault: `no meter for ${currency} in ${modeOf(livemode)} mode`,
      remedy: advise`set it up first with ${{ ...setup, tenant_id: null }}`,
    };
  }
  if (customer !== null) return { customer, channel };
  return {
    fault: `tenant "${tenantId}" has no Stripe customer${closedFor === null ? '' : ` any more, and had ${closedFor} when the period was closed`}`,
    remedy: advise`link it to one with ${linkOperation(tenantId)}`,
  };
}

/** Says why an intent is of other books than those of the key; null where it is not. */
export function disownFault(
  intent: Intent,
  { livemode, account }: Pick<MeterParts, 'livemode' | 'account'>,
): Fault | null {
  const accounts = { was: intent.account, is: account };
  return otherModeFault(intent, livemode) ?? otherAccountFault(intent.identifier, accounts);
}

/** What is wrong with the customer is wrong with it everywhere. */
export async function lookAtCustomer(
  parts: MeterParts,
  whom: Parameters<Destination['lookAt']>[0],
): Promise<Obstacle | null> {
  const { livemode, account } = parts;
  const { target, customer: stripeCustomer } = whom;
  const of = { tenantId: target.tenantId, stripeCustomer, livemode, account };
  const fault = await findCustomerFault(parts, of);
  return fault === null ? null : { ...fault, isOnlyHere: false };
}

function otherModeFault(intent: Intent, livemode: boolean): Fault | null {
  if ((intent.livemode ?? livemode) === livemode) return null;
  const [was, is] = [modeOf(!livemode), modeOf(livemode)];
  return {
    fault: `${intent.identifier} was made with a ${was} key and STRIPE_API_KEY is of ${is} mode`,
    remedy: [`bill ${is} tenants from a database of their own`],
  };
}

function modeOf(livemode: boolean): string {
  return livemode ? 'live' : 'test';
}

/** Says why the meter cannot take a value now; null when it can. Stripe is not asked. */
export async function findMeterObjection(
  { database, clock }: Pick<MeterParts, 'database' | 'clock'>,
  told: Told,
): Promise<string | null> {
  return limitOf(told, clock()) ?? (await finalFault(database, told));
}

/** What Stripe would refuse, or take and lose, is found here and not by an answer. */
function limitOf({ target, valueMicro, eventTimestamp }: Told, now: InstantMs): string | null {
  const { currency } = target;
  const size = valueMicro < 0n ? -valueMicro : valueMicro;
  if (size > LARGEST_VALUE_MICRO) {
    return `${formatDecimal(valueMicro, 6)} ${currency} has more digits than Stripe takes (15 of millionths)`;
  }
  if (!hasOwnMinute(target, eventTimestamp)) {
    return 'the period ends in the minute in which it begins, so that the meter could not tell its usage from that of the period before';
  }
  if (now - eventTimestamp * 1000 <= OLDEST_EVENT_MS) return null;
  return 'the period ended more than 35 days ago, and the meter takes no older usage';
}

/**
 * Usage that comes after finalization is on no invoice, neither this one nor the next. What is taken back may come
 * where the invoice bills nothing: it was told too late, and no invoice has it.
 */
async function finalFault(
  database: Database,
  { target, valueMicro }: Told,
): Promise<string | null> {
  const { tenantId, periodStart } = target;
  const invoices = await readInvoices(database, { month: null, tenantId });
  const final = invoices.find(
    (invoice) =>
      invoice.periodStart === periodStart &&
      invoice.state === 'finalized' &&
      !(valueMicro < 0n && billsNothing(invoice)),
  );
  if (final === undefined) return null;
  return `invoice ${final.invoiceId} of this period is final with ${final.quantity ?? 0n} micro, so that what is told to the meter now would be on no invoice`;
}

/**
 * Before the first event each meter is looked at: Stripe replays the refusal of an inactive meter
 * under the event's idempotency key for a day, even after the meter is active again.
 */
async function checkMeter(stripe: StripeClient, meter: StripeMeter | undefined): Promise<void> {
  if (meter === undefined || (await isMeterActive(stripe, meter))) return;
  throw new Refusal(
    'misconfigured',
    `meter ${meter.meterId} (${meter.eventName}) is not active in Stripe, so that it would drop every event`,
    advise`reactivate it in Stripe, or run ${{ operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null }} to make another; nothing was sent`,
  );
}

async function isMeterActive(stripe: StripeClient, meter: StripeMeter): Promise<boolean> {
  try {
    const ask = () => stripe.billing.meters.retrieve(meter.meterId);
    const found = await askStripe(`meter ${meter.meterId}`, ask);
    return found.status === 'active' && found.event_name === meter.eventName;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
