import type Stripe from 'stripe';
import { raiseAlert } from '../../push/alert-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { readTargets } from '../../push/target-store.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { StripeAlert } from '../alerts/stripe-alert.ts';
import { readTenantOfCustomer } from '../customers/customer-store.ts';
import { readMeters } from '../meters/meter-store.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { BilledUsage } from './billed-period.ts';
import { periodBilledBy, readBilledUsage } from './billed-period.ts';

/** An invoice of Stripe's, and the tenant's period that it bills. */
export interface OwnInvoice {
  readonly invoiceId: string;
  readonly tenantId: string;
  readonly periodStart: string;
  readonly stripeCustomer: string;
  readonly billed: BilledUsage;
  /** The closed period; null while it is open. */
  readonly target: PushTarget | null;
  /** The close froze the mode; of a period that is not closed yet the mode of today decides. */
  readonly mode: 'shadow' | 'live';
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

/** Finds the tenant and the period of an invoice, or says why it is no matter of ours. */
export async function findOwn(
  parts: StripeParts,
  invoice: Stripe.Invoice,
): Promise<OwnInvoice | string> {
  const { database, stripe, livemode } = parts;
  const customer = invoice.customer;
  const stripeCustomer = typeof customer === 'string' ? customer : (customer?.id ?? '');
  const tenant = await readTenantOfCustomer(database, stripeCustomer);
  if (tenant === null) return 'ignored: no tenant has this customer';
  const meters = await readMeters(database, livemode);
  const billed = await readBilledUsage(stripe, invoice, meters);
  if (billed === null) return 'ignored: no line on our price';
  const whole = await readTenant(database.kysely, tenant.tenantId);
  const { mode } = whole;
  const period = periodBilledBy(whole, billed);
  const invoiceId = invoice.id ?? '';
  // The first invoice of a subscription may stand over the coming period, and bill nothing.
  const isBefore = period !== null && invoice.created * 1000 < period.endsAt;
  if (isBefore && billed.quantity === 0n && invoice.billing_reason !== 'subscription_cycle') {
    return 'ignored: it bills nothing of a period that has not ended';
  }
  if (period !== null) {
    const of = { tenantId: tenant.tenantId, periodStart: period.startDate };
    const target = await findTarget(parts, of);
    return { ...of, invoiceId, stripeCustomer, billed, target, mode: target?.mode ?? mode };
  }
  const detail = `its billing period holds no end of a period of tenant "${tenant.tenantId}"`;
  if (billed.quantity !== 0n) {
    const whose = { tenantId: tenant.tenantId, periodStart: null };
    const given = { kind: 'invoice_without_period', subject: invoiceId, ...whose, detail } as const;
    await raiseAlert(database, given, parts.clock());
  }
  return detail;
}

export async function findTarget(
  parts: StripeParts,
  of: Pick<OwnInvoice, 'tenantId' | 'periodStart'>,
): Promise<PushTarget | null> {
  const targets = await readTargets(parts.database, { month: null, tenantId: of.tenantId });
  return targets.find((target) => target.periodStart === of.periodStart) ?? null;
}

export async function alert(
  parts: StripeParts,
  own: Pick<OwnInvoice, 'invoiceId' | 'tenantId' | 'periodStart'>,
  what: Pick<StripeAlert, 'kind' | 'detail'>,
): Promise<string> {
  const { tenantId, periodStart, invoiceId } = own;
  parts.log.error({ invoice: invoiceId, tenantId, periodStart, ...what }, 'invoice is not right');
  const given = { ...what, subject: invoiceId, tenantId, periodStart };
  await raiseAlert(parts.database, given, parts.clock());
  return what.detail;
}
