import { DAY_MS, type InstantMs, parseInstant, utcDay } from '../clock.ts';
import { closePeriods } from '../ledger/closes/close-periods.ts';
import { closeTenant } from '../ledger/closes/close-tenant.ts';
import { closeTenantRequest } from '../ledger/closes/close-tenant-answer.ts';
import { openLog } from '../log.ts';
import type { CalendarMonth } from '../month/last-ended-month.ts';
import { tellFreshness } from '../month/status/tell-freshness.ts';
import { readRequest } from '../request.ts';
import { pushMonth } from '../stripe/push-month.ts';
import { setUpStripe } from '../stripe/set-up-stripe.ts';
import { receiveFromEventBridge } from '../stripe/webhooks/webhook.ts';
import { setTenant } from '../tenants/set-tenant.ts';
import { showTenant } from '../tenants/show-tenant.ts';
import type { DemoParts } from './demo-parts.ts';
import type { Traffic } from './traffic.ts';

/** This customer leaves in the month under way. */
const LEAVER = 'hooli';
/** These were billed in the month before the demo's: one has no subscription that would bill it, the invoice of the other is voided. */
const UNBILLED = 'vandelay';
const VOIDED = 'soylent';

/** A month is told so long after its end. */
const TOLD_AFTER_MS = DAY_MS;

/** Registers the tenants of the month before, and returns their usage of it. */
export async function beginEarlierMonth(
  parts: DemoParts,
  month: CalendarMonth,
): Promise<Traffic['events']> {
  const { startsAt } = monthBefore(month);
  const terms = { mode: 'live', price_book: 'standard', time_zone: 'UTC' } as const;
  const occurred_at = `${utcDay(startsAt + 10 * DAY_MS)}T12:00:00Z`;
  const call = {
    source: 'demo',
    occurred_at,
    status: 'ok',
    operation: 'chat',
    provider: 'openai',
    requested_model: 'gpt-4o',
    usage: { input_tokens: 90_000, output_tokens: 30_000 },
  };
  for (const tenant_id of [UNBILLED, VOIDED]) {
    const stripe_customer = customerOf(tenant_id);
    parts.double.control.addCustomer({ id: stripe_customer });
    // Its prices are to be those of the month, and not of today.
    const price_book_from = startsAt;
    await setTenant(parts, { ...terms, tenant_id, stripe_customer, price_book_from });
  }
  return [UNBILLED, VOIDED].flatMap((tenant_id) =>
    [1, 2, 3].map((nth) => ({ ...call, tenant_id, event_id: `${tenant_id}-earlier-${nth}` })),
  );
}

/**
 * Leaves something wrong of each kind with Stripe, for whoever looks at the console: what nobody was told, what no
 * invoice bills, an invoice that was voided, and an alert.
 */
export async function leaveWrong(parts: DemoParts, month: CalendarMonth): Promise<void> {
  const quiet = { ...parts, log: openLog('silent') };
  await leaveUnbilled(quiet, monthBefore(month));
  await leaveUntold(quiet);
}

/** The month before was told at its end: what no invoice bills since then is unbilled by now. */
async function leaveUnbilled(parts: DemoParts, { name, startsAt, endsAt }: Span): Promise<void> {
  const { control } = parts.double;
  const now = parseInstant((await tellFreshness(parts)).at);
  const toldAt = endsAt + TOLD_AFTER_MS;
  const then = { ...parts, clock: () => toldAt };
  for (const tenant_id of [UNBILLED, VOIDED]) {
    await closePeriods(parts, { month: name, tenant_id });
  }
  await control.setClock(toldAt);
  for (const tenant_id of [UNBILLED, VOIDED]) {
    await pushMonth(then, { month: name, tenant_id, dry_run: false });
  }
  await voidInvoice(then, startsAt);
  await control.setClock(now);
}

/** A subscription whose start lies in the past bills at once what the meter counted, and somebody voids its invoice. */
async function voidInvoice(parts: DemoParts, startsAt: InstantMs): Promise<void> {
  const { stripe } = parts;
  const meterOnly = { customers: false, subscriptions: false, tenant_id: null };
  const { price } = await setUpStripe(parts, { currency: 'USD', ...meterOnly });
  const customer = customerOf(VOIDED);
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    backdate_start_date: startsAt / 1000,
    billing_cycle_anchor_config: { day_of_month: 1, hour: 0, minute: 0, second: 0 },
  });
  const { data } = await stripe.invoices.list({ customer });
  const invoice = data[0]?.id ?? '';
  await tell(parts, 'invoice.finalized', { object: 'invoice', id: invoice });
  await stripe.invoices.voidInvoice(invoice);
  await tell(parts, 'invoice.voided', { object: 'invoice', id: invoice });
  await stripe.subscriptions.cancel(id);
}

/**
 * A customer leaves, and somebody deletes it in Stripe before its last period was told: the period waits untold, and
 * an alert says why.
 */
async function leaveUntold(parts: DemoParts): Promise<void> {
  const { at } = await tellFreshness(parts);
  await closeTenant(parts, readRequest(closeTenantRequest, { tenant_id: LEAVER, at }));
  const { stripe_customer: id } = await showTenant(parts, { tenant_id: LEAVER, most: 1 });
  await tell(parts, 'customer.deleted', { object: 'customer', id });
}

/** Stripe tells of an object, and what came of it is fetched from there. */
async function tell(parts: DemoParts, type: string, object: object): Promise<void> {
  const event = { object: 'event', id: `evt_demo_${type.replace('.', '_')}`, type };
  const body = { ...event, livemode: parts.livemode, data: { object } };
  await receiveFromEventBridge(parts, JSON.stringify(body));
}

type Span = Pick<CalendarMonth, 'name' | 'startsAt' | 'endsAt'>;

function monthBefore({ startsAt: endsAt }: CalendarMonth): Span {
  const name = utcDay(endsAt - DAY_MS).slice(0, 7);
  return { name, startsAt: parseInstant(`${name}-01T00:00:00Z`), endsAt };
}

function customerOf(tenantId: string): string {
  return `cus_${tenantId}`;
}
