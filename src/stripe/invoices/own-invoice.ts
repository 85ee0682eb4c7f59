import type Stripe from 'stripe';
import { readPeriodRows } from '../../ledger/closes/period-store.ts';
import type { Period } from '../../periods/calendar.ts';
import { raiseAlert } from '../../push/alert-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { readTargets } from '../../push/target-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { StripeAlert } from '../alerts/stripe-alert.ts';
import { readTenantOfCustomer } from '../customers/customer-store.ts';
import { readMeters } from '../meters/meter-store.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { BilledUsage } from './billed-period.ts';
import { periodsBilledBy, periodsThere, readBilledUsage } from './billed-period.ts';
import { readInvoice } from './invoice-store.ts';

/** An invoice of Stripe's, and the tenant's periods that it bills. */
export interface OwnInvoice {
  readonly invoiceId: string;
  readonly tenantId: string;
  readonly stripeCustomer: string;
  readonly billed: BilledUsage;
  /** It is one, but where several end within Stripe's billing period; the oldest first. */
  readonly periods: readonly InvoicePeriod[];
  /** Live where one of its periods is: those in shadow are left out then. */
  readonly mode: 'shadow' | 'live';
}

/** One of the periods that an invoice bills. */
export interface InvoicePeriod
  extends Pick<OwnInvoice, 'invoiceId' | 'tenantId' | 'stripeCustomer'> {
  readonly periodStart: string;
  /** The closed period; null while it is open. */
  readonly target: PushTarget | null;
}

export const NEVER_BILLED =
  'ignored: nothing of its period is due, since a month in shadow is never billed';

/** Fetches an invoice anew with its subscription, since an event shows an invoice as it was. */
export function fetchInvoice(parts: StripeParts, invoiceId: string): Promise<Stripe.Invoice> {
  const expand = ['parent.subscription_details.subscription'];
  return askStripe(`invoice ${invoiceId}`, () =>
    parts.stripe.invoices.retrieve(invoiceId, { expand }),
  );
}

/** Finds the tenant and the periods of an invoice, or says why it is no matter of ours. */
export async function findOwn(
  parts: StripeParts,
  invoice: Stripe.Invoice,
): Promise<OwnInvoice | string> {
  const { database, stripe, livemode } = parts;
  const customer = invoice.customer;
  const stripeCustomer = typeof customer === 'string' ? customer : (customer?.id ?? '');
  const invoiceId = invoice.id ?? '';
  // The customer may be another tenant's since.
  const known = await readInvoice(database, invoiceId);
  const tenant = known ?? (await readTenantOfCustomer(database, stripeCustomer));
  if (tenant === null) return 'ignored: no tenant has this customer';
  const meters = await readMeters(database, livemode);
  const billed = await readBilledUsage(stripe, invoice, meters);
  if (billed === null) return 'ignored: no line on our price';
  const whole = await readTenant(database.kysely, tenant.tenantId);
  const { mode } = whole;
  const periods = await readPeriodsBilled(database, whole, billed);
  const period = periods.at(-1) ?? null;
  // The first invoice of a subscription may stand over the coming period, and bill nothing.
  const isBefore = period !== null && invoice.created * 1000 < period.endsAt;
  if (isBefore && billed.quantity === 0n && invoice.billing_reason !== 'subscription_cycle') {
    return 'ignored: it bills nothing of a period that has not ended';
  }
  if (period !== null) {
    const own = { invoiceId, tenantId: tenant.tenantId, stripeCustomer };
    const all: InvoicePeriod[] = [];
    for (const { startDate: periodStart } of periods) {
      const target = await findTarget(parts, { ...own, periodStart });
      all.push({ ...own, periodStart, target });
    }
    // The close froze the mode; of a period that is not closed yet the mode of today decides.
    const live = all.filter(({ target }) => (target?.mode ?? mode) === 'live');
    return live.length > 0
      ? { ...own, billed, periods: live, mode: 'live' }
      : { ...own, billed, periods: all, mode: 'shadow' };
  }
  const detail = `its billing period holds no end of a period of tenant "${tenant.tenantId}"`;
  if (billed.quantity !== 0n) {
    const whose = { tenantId: tenant.tenantId, periodStart: null };
    const given = { kind: 'invoice_without_period', subject: invoiceId, ...whose, detail } as const;
    await raiseAlert(database, given, parts.clock());
  }
  return detail;
}

async function readPeriodsBilled(
  { kysely }: StripeParts['database'],
  { tenantId, calendar, leftAt }: Tenant,
  billed: BilledUsage,
): Promise<readonly Period[]> {
  const periods = periodsBilledBy(calendar, billed);
  const of = periods.map(({ startDate: periodStart }) => ({ tenantId, periodStart }));
  const rows = await readPeriodRows(kysely, of);
  return periodsThere(periods, { leftAt, startDates: rows.map((row) => row.periodStart) });
}

export async function findTarget(
  parts: Pick<StripeParts, 'database'>,
  of: Pick<InvoicePeriod, 'tenantId' | 'periodStart'>,
): Promise<PushTarget | null> {
  const targets = await readTargets(parts.database, { month: null, tenantId: of.tenantId });
  return targets.find((target) => target.periodStart === of.periodStart) ?? null;
}

export async function raiseInvoiceAlert(
  parts: StripeParts,
  own: Pick<InvoicePeriod, 'invoiceId' | 'tenantId' | 'periodStart'>,
  what: Pick<StripeAlert, 'kind' | 'detail'>,
): Promise<string> {
  const { tenantId, periodStart, invoiceId } = own;
  parts.log.error({ invoice: invoiceId, tenantId, periodStart, ...what }, 'invoice is not right');
  const given = { ...what, subject: invoiceId, tenantId, periodStart };
  await raiseAlert(parts.database, given, parts.clock());
  return what.detail;
}
