import type { InstantMs } from '../../src/clock.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { openLog } from '../../src/log.ts';
import { setUpSubscriptions } from '../../src/stripe/customers/subscription.ts';
import { verifyReleased } from '../../src/stripe/invoices/verify-released.ts';
import type { StripeMeter } from '../../src/stripe/meters/meter-store.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { textRows } from './database.ts';
import { HOUR_MS, METER_EVENTS, ofMonth } from './stripe.ts';

/** The step of a scenario that tells Stripe of a month; test/scenarios/README.md describes it. */
export interface PushStep {
  readonly push: string;
  readonly stripe?: StripeIs;
  readonly dry_run?: boolean;
  readonly at: string;
}

/**
 * How Stripe is when a month is pushed: it takes no event for now or for good, it lets no draft go, it bills each
 * customer by a subscription that began with the month, and none of its webhooks has come, or a person voids the
 * invoices that the push made, once they are final.
 */
type StripeIs =
  | 'unavailable'
  | 'refusing'
  | 'keeping_drafts'
  | 'subscribed'
  | 'voiding'
  /** The key is one of live mode, which every other step has of test mode. */
  | 'live_mode'
  /** The meter of this currency is. */
  | { readonly inactive: string }
  /** For one customer, or for that of each tenant. */
  | { readonly counted: string; readonly for?: string };

/** What Stripe answers with a fault. */
const FAULTS: Readonly<
  Partial<Record<string, { readonly path: string; readonly status: number }>>
> = {
  unavailable: { path: METER_EVENTS, status: 503 },
  refusing: { path: METER_EVENTS, status: 400 },
  keeping_drafts: { path: '/v1/invoices/*', status: 503 },
};

/** An invoice is final an hour after it was let go. */
const FINAL_AFTER_MS = 3 * HOUR_MS;

/** Pushes a month to a Stripe double that knows every tenant's customer. */
export async function takePush(database: Database, step: PushStep): Promise<unknown> {
  const { push: month, stripe: is = null, dry_run = false } = step;
  const at = parseInstant(step.at);
  const begin = beginOf(month, is) ?? at;
  const double = await startStripeDouble({ now: begin, frozen: true, latencyMs: 0 });
  try {
    const parts = partsOf(database, double, is === 'live_mode');
    const customers = await addCustomers(database, double, is);
    const meters = await setUpMeters(parts, begin);
    await makeSo(parts, { double, customers, meters }, is);
    await double.control.setClock(at);
    const results = await pushMonth(parts, ofMonth(month, { dry_run }));
    if (is === 'voiding') await voidInvoices(parts, double, month);
    return results.filter((result) => result.tenant_id !== 'unattributed');
  } finally {
    await double.close();
  }
}

/** When the double begins, where something happens there before the push. */
function beginOf(month: string, is: StripeIs | null): InstantMs | null {
  if (is === 'subscribed') return parseInstant(`${month}-01T00:00:01Z`);
  return isCounting(is) ? parseInstant(`${month}-28T00:00:00Z`) : null;
}

function isCounting(is: StripeIs | null): is is Extract<StripeIs, { readonly counted: string }> {
  return typeof is === 'object' && is !== null && 'counted' in is;
}

export function partsOf(database: Database, double: StripeDouble, livemode: boolean): StripeParts {
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  return { database, stripe, livemode, clock: double.control.now, log: openLog('silent') };
}

/** Returns the customers of the tenants, or the one whose usage something else counts. */
export async function addCustomers(
  database: Database,
  double: StripeDouble,
  is: StripeIs | null,
): Promise<readonly string[]> {
  const rows = await textRows(database, 'select stripe_customer from tenants');
  const customers = rows.flatMap(({ stripe_customer: id }) => id || []);
  const counted = isCounting(is) && is.for !== undefined ? [is.for] : customers;
  for (const id of new Set([...customers, ...counted])) double.control.addCustomer({ id });
  return counted;
}

/** There is a meter for dollars, and for each currency in which a period is closed. */
export async function setUpMeters(
  { database, stripe, livemode }: StripeParts,
  at: InstantMs,
): Promise<ReadonlyMap<string, StripeMeter>> {
  const closed = await textRows(database, 'select distinct currency from closes order by currency');
  const meters = new Map<string, StripeMeter>();
  for (const currency of new Set(['USD', ...closed.map((row) => row['currency'] ?? '')])) {
    const meter = await setUpMeter(stripe, currency);
    await saveMeter(database, meter, { livemode, account: null, at });
    meters.set(currency, meter);
  }
  return meters;
}

interface Found {
  readonly double: StripeDouble;
  readonly customers: readonly string[];
  readonly meters: ReadonlyMap<string, StripeMeter>;
}

async function makeSo(
  parts: StripeParts,
  { double, customers, meters }: Found,
  is: StripeIs | null,
): Promise<void> {
  const { stripe } = parts;
  const dollars = meters.get('USD');
  if (dollars === undefined || is === null) return;
  if (is === 'subscribed') await setUpSubscriptions(parts, dollars);
  if (isCounting(is)) {
    // The meter counts it already, and no intent of this ledger names it.
    for (const id of customers) {
      const payload = { stripe_customer_id: id, value: is.counted };
      await stripe.billing.meterEvents.create({ event_name: dollars.eventName, payload });
    }
  } else if (typeof is === 'object') {
    await stripe.billing.meters.deactivate(meters.get(is.inactive)?.meterId ?? '');
  }
  injectFaultOf(double, is);
}

/** Has the double fail as it does where Stripe is so, until its faults are cleared. */
export function injectFaultOf(double: StripeDouble, is: StripeIs | null): void {
  const fault = typeof is === 'string' ? FAULTS[is] : undefined;
  if (fault === undefined) return;
  const { path, status } = fault;
  const match = { method: 'POST', path };
  double.control.injectFault({ kind: 'error', status, match, times: 1_000_000 });
}

async function voidInvoices(
  parts: StripeParts,
  double: StripeDouble,
  month: string,
): Promise<void> {
  await double.control.advanceClock(FINAL_AFTER_MS);
  for await (const { id } of parts.stripe.invoices.list())
    await parts.stripe.invoices.voidInvoice(id);
  await verifyReleased(parts, month);
}
