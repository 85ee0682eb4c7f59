import type Stripe from 'stripe';
import { formatInstant } from '../../clock.ts';
import { formatPico } from '../../money.ts';
import { endAlerts, raiseAlert } from '../../push/alert-store.ts';
import { pushTargets } from '../../push/push-targets.ts';
import { readTargets } from '../../push/target-store.ts';
import { readAccount } from '../account.ts';
import { pushPartsOf } from '../destinations.ts';
import { lookForInvoicesFirst } from '../invoices/missed-invoices.ts';
import { readMeters } from '../meters/meter-store.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readOpenUsage, readTenantOfCustomer, saveCustomerState } from './customer-store.ts';
import { describePause } from './paused-collection.ts';

/** A deleted customer can be billed nothing: no push goes to it any more, and a person is told. */
export async function noteDeletedCustomer(parts: StripeParts, customer: string): Promise<string> {
  const { database, livemode, clock, log } = parts;
  const tenant = await readTenantOfCustomer(database, customer);
  if (tenant === null) return 'ignored: no tenant has this customer';
  const { tenantId } = tenant;
  const at = clock();
  await saveCustomerState(database, {
    tenantId,
    stripeCustomer: customer,
    livemode,
    account: await readAccount(parts.stripe),
    state: 'deleted',
    at,
  });
  const detail = `customer ${customer} was deleted in Stripe`;
  log.error({ tenantId, customer }, 'the customer of a tenant was deleted');
  const kind = 'customer_deleted';
  await raiseAlert(database, { kind, subject: customer, tenantId, periodStart: null, detail }, at);
  return `tenant "${tenantId}" flagged`;
}

/**
 * A subscription that has ended bills nothing any more, and one that is about to will not bill the
 * period after. Closed periods are pushed at once, since a last draft may still be open; a period
 * that goes on cannot be closed, so that its usage is a matter for a person.
 */
export async function noteSubscriptionChange(
  parts: StripeParts,
  subscription: Stripe.Subscription,
): Promise<string> {
  const { database, livemode } = parts;
  const customer =
    typeof subscription.customer === 'string' ? subscription.customer : subscription.customer.id;
  const tenant = await readTenantOfCustomer(database, customer);
  if (tenant === null) return 'ignored: no tenant has this customer';
  const meters = new Set(
    [...(await readMeters(database, livemode)).values()].map((meter) => meter.meterId),
  );
  const bills = subscription.items.data.some((item) =>
    meters.has(item.price.recurring?.meter ?? ''),
  );
  if (!bills) return 'ignored: no item on our meter';
  if (subscription.status === 'canceled') {
    await endAlert(parts, subscription, {
      kind: 'subscription_changed',
      by: 'it has ended by now',
    });
    await endAlert(parts, subscription, { kind: 'collection_paused', by: 'it has ended by now' });
    return noteEnd(parts, tenant, subscription);
  }
  if (tenant.mode === 'shadow') return 'ignored: the tenant is in shadow mode';
  const { tenantId } = tenant;
  const pause = describePause(subscription);
  if (pause === null) {
    const by = 'its collection goes on again';
    await endAlert(parts, subscription, { kind: 'collection_paused', by });
  } else await raise(parts, { kind: 'collection_paused', tenantId, subscription, detail: pause });
  return (await noteEndToCome(parts, tenantId, subscription)) ?? pause ?? 'nothing of ours changed';
}

/** Says of a subscription that goes on until an instant what is billed by nobody after it; null of every other. */
async function noteEndToCome(
  parts: StripeParts,
  tenantId: string,
  subscription: Stripe.Subscription,
): Promise<string | null> {
  const endsAt = subscription.cancel_at;
  if (!subscription.cancel_at_period_end && endsAt === null) {
    const by = 'it goes on again';
    await endAlert(parts, subscription, { kind: 'subscription_changed', by });
    return null;
  }
  const when = endsAt === null ? 'the end of its period' : formatInstant(endsAt * 1000);
  const detail = `subscription ${subscription.id} ends at ${when}; its last invoice bills the period that ends there if it is pushed before finalization, and usage after that is billed by nobody`;
  await raise(parts, { kind: 'subscription_changed', tenantId, subscription, detail });
  return detail;
}

type ChangeKind = 'subscription_canceled' | 'subscription_changed' | 'collection_paused';

/** What was said of a subscription is not so any more, and nothing is left for a person to do about it. */
async function endAlert(
  { database, clock }: StripeParts,
  { id }: Stripe.Subscription,
  { kind, by: resolution }: { readonly kind: ChangeKind; readonly by: string },
): Promise<void> {
  await endAlerts(database, { kind, subjects: [id] }, { resolution, at: clock() });
}

async function noteEnd(
  parts: StripeParts,
  { tenantId, mode }: { readonly tenantId: string; readonly mode: 'shadow' | 'live' },
  subscription: Stripe.Subscription,
): Promise<string> {
  const targets = await readTargets(parts.database, { month: null, tenantId });
  const push = lookForInvoicesFirst(parts, await pushPartsOf(parts));
  const pushed = await pushTargets(push, targets);
  const unfinished = pushed.filter(
    (result) => !['confirmed', 'nothing_due', 'shadow'].includes(result.state),
  );
  // What was closed live is due, whatever its tenant is today; what is open goes by the mode of today.
  const open = mode === 'shadow' ? [] : await readOpenUsage(parts.database, tenantId);
  if (mode === 'shadow' && unfinished.length === 0) return 'ignored: the tenant is in shadow mode';
  const findings = [
    ...unfinished.map((result) => `period ${result.period_start} is ${result.state}`),
    ...open.map(
      ({ periodStart, charge }) =>
        `period ${periodStart} is open with ${formatPico(charge)} so far, which an invoice item bills once it is closed`,
    ),
  ];
  const rest = findings.length === 0 ? 'all of its usage was pushed' : findings.join('; ');
  const detail = `subscription ${subscription.id} has ended: ${rest}; what no other subscription bills is billed by invoice items`;
  await raise(parts, { kind: 'subscription_canceled', tenantId, subscription, detail });
  return detail;
}

async function raise(
  parts: StripeParts,
  of: {
    readonly kind: ChangeKind;
    readonly tenantId: string;
    readonly subscription: Stripe.Subscription;
    readonly detail: string;
  },
): Promise<void> {
  const { kind, tenantId, detail } = of;
  parts.log.warn({ tenantId, detail }, 'a subscription ends or is paused');
  const alert = { kind, subject: of.subscription.id, tenantId, periodStart: null, detail };
  await raiseAlert(parts.database, alert, parts.clock());
}
