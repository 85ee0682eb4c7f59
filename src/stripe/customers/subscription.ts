import type Stripe from 'stripe';
import { formatInstant } from '../../clock.ts';
import { inParallel } from '../../in-parallel.ts';
import type { ProgressPart } from '../../parts.ts';
import { refusalOfOne } from '../../push/destination.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { Fault, Operation, Remedy } from '../../remedy.ts';
import { advise } from '../../remedy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { assignedBook } from '../../tenants/tenant.ts';
import { readTenants } from '../../tenants/tenant-store.ts';
import { readAccount } from '../account.ts';
import type { StripeMeter } from '../meters/meter-store.ts';
import type { TenantSubscription } from '../set-up-answer.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { CycleAnchor } from './billing-cycle.ts';
import { anchorAt, cycleAnchorFor, findLate, findMisfit } from './billing-cycle.ts';
import { findCustomerFault, linkOperation } from './check-customer.ts';
import { readLiveTenants } from './customer-store.ts';
import { describePause } from './paused-collection.ts';

const PARALLEL_TENANTS = 4;

/**
 * Sees to it that each live tenant that is charged in the meter's currency has exactly one subscription
 * that bills its usage, with a cycle that holds each of its periods. Makes one where there is none;
 * changes none that there is, since what it bills is a matter between seller and customer. Tenants of
 * other currencies are left to the meters of those, unless one is named.
 */
export async function setUpSubscriptions(
  options: StripeParts & ProgressPart,
  meter: StripeMeter,
  tenantId: string | null = null,
): Promise<readonly TenantSubscription[]> {
  const { database } = options;
  const live = (await readLiveTenants(database, options.clock(), tenantId))
    .map((tenant) => tenant.tenantId)
    .filter((id) => (tenantId ?? id) === id);
  const catalog = await loadPriceCatalog(database.kysely);
  const currencyOf = (tenant: Tenant) =>
    assignedBook(tenant, catalog, options.clock())?.currency ?? null;
  const tenants = (await readTenants(database.kysely, live)).filter(
    (tenant) =>
      tenantId === tenant.tenantId || (currencyOf(tenant) ?? meter.currency) === meter.currency,
  );
  const results: TenantSubscription[] = [];
  await inParallel(tenants, PARALLEL_TENANTS, async (tenant) => {
    const currency = currencyOf(tenant);
    const refused = currency === meter.currency ? null : ofOtherCurrency(tenant, currency);
    results.push(refused ?? (await setUpOrSay(options, meter, tenant)));
    options.onProgress?.(results.length, tenants.length);
  });
  return results.sort((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1));
}

/** Its usage is told to another meter, so that a subscription to this one would bill nothing. */
function ofOtherCurrency(tenant: Tenant, currency: string | null): TenantSubscription {
  const { tenantId, stripeCustomer } = tenant;
  const whose = { tenant_id: tenantId, stripe_customer: stripeCustomer };
  const refused = { ...whose, state: 'refused', subscription: null } as const;
  if (currency === null) {
    const give = { operation: 'tenant set', tenant_id: tenantId, give: 'price_book' } as const;
    const remedy = advise`give it one with ${{ ...give, from: null }}`;
    return { ...refused, detail: 'it has no price book', remedy };
  }
  const setup = { operation: 'stripe setup', currency, subscriptions: true } as const;
  return {
    ...refused,
    detail: `it is charged in ${currency}`,
    remedy: advise`set up its subscription in that currency with ${{ ...setup, tenant_id: tenantId }}`,
  };
}

/** What Stripe refuses of one tenant, such as a second currency of its customer, keeps none of the others. */
async function setUpOrSay(
  options: StripeParts,
  meter: StripeMeter,
  tenant: Tenant,
): Promise<TenantSubscription> {
  try {
    return await setUpSubscription(options, meter, tenant);
  } catch (error) {
    const detail = refusalOfOne(error);
    const { tenantId, stripeCustomer } = tenant;
    const whose = { tenant_id: tenantId, stripe_customer: stripeCustomer };
    const remedy = advise`change that in Stripe and run ${again(meter, tenantId)} again`;
    return { ...whose, state: 'refused', subscription: null, detail, remedy };
  }
}

async function setUpSubscription(
  options: StripeParts,
  meter: StripeMeter,
  tenant: Tenant,
): Promise<TenantSubscription> {
  const { tenantId, stripeCustomer } = tenant;
  const whose = { tenant_id: tenantId, stripe_customer: stripeCustomer };
  const refused = ({ fault, remedy }: Fault): TenantSubscription => {
    return { ...whose, state: 'refused', subscription: null, detail: fault, remedy };
  };
  const standing = (state: TenantSubscription['state'], detail: string, subscription: string) => {
    return { ...whose, state, subscription, detail, remedy: null };
  };
  if (stripeCustomer === null) {
    const remedy = advise`link it to one with ${linkOperation(tenantId)}`;
    return refused({ fault: 'it has no Stripe customer', remedy });
  }
  const { livemode } = options;
  const account = await readAccount(options.stripe);
  const of = { tenantId, stripeCustomer, livemode, account };
  const fault = await findCustomerFault(options, of);
  if (fault !== null) return refused(fault);
  const all = await subscriptionsOn(options, stripeCustomer, meter);
  const existing = all.filter((subscription) => !ENDED.has(subscription.status));
  const [first] = existing;
  if (first !== undefined) {
    const faults = faultsOf(existing, { meter, tenant, now: options.clock() });
    return faults.length === 0
      ? standing('fits', `bills on ${describe(anchorOf(first))}`, first.id)
      : { ...standing('would_bill_wrongly', saidOf(faults), first.id), remedy: allOf(faults) };
  }
  const anchor = cycleAnchorFor(tenant.calendar, options.clock());
  if (anchor === null) {
    return refused({
      fault: 'no monthly cycle fits its coming periods',
      remedy: onceChanged(tenant, { meter, now: options.clock() }),
    });
  }
  const ended = all.length;
  const made = await createSubscription(options, { tenant, stripeCustomer, meter, anchor, ended });
  return standing('made', `bills on ${describe(anchor)}`, made.id);
}

/** What is done where no cycle fits before and after a change of the calendar. */
function onceChanged(
  { tenantId, calendar }: Tenant,
  { meter, now }: { readonly meter: StripeMeter; readonly now: number },
): Remedy {
  const change = calendar.find(
    ({ effectiveFrom }) => effectiveFrom !== null && effectiveFrom > now,
  );
  const at = change?.effectiveFrom ?? null;
  const when = at === null ? '' : ` at ${formatInstant(at)}`;
  return advise`run ${again(meter, tenantId)} again once the change of its calendar has taken effect${when}`;
}

function again({ currency }: StripeMeter, tenantId: string): Operation {
  return { operation: 'stripe setup', currency, subscriptions: true, tenant_id: tenantId };
}

/** Such a subscription bills nothing any more, and cannot be resumed. */
const ENDED: ReadonlySet<string> = new Set(['canceled', 'incomplete_expired']);

/**
 * Returns the customer's subscriptions that have or had an item on our meter, whatever its price.
 */
async function subscriptionsOn(
  { stripe }: StripeParts,
  customer: string,
  meter: StripeMeter,
): Promise<readonly Stripe.Subscription[]> {
  const page = await askStripe(`the subscriptions of customer ${customer}`, () =>
    stripe.subscriptions.list({ customer, status: 'all', limit: 100 }),
  );
  return page.data.filter((subscription) => itemsOn(subscription, meter).length > 0);
}

function itemsOn(subscription: Stripe.Subscription, meter: StripeMeter) {
  return subscription.items.data.filter((item) => item.price.recurring?.meter === meter.meterId);
}

/**
 * The anchor is given as a day and time, not as an instant, so that the 31st stays the 31st. Nothing
 * is said of proration: usage is never prorated, and without it the stub before the first boundary
 * would be free.
 */
function createSubscription(
  { stripe }: StripeParts,
  of: {
    readonly tenant: Tenant;
    readonly stripeCustomer: string;
    readonly meter: StripeMeter;
    readonly anchor: CycleAnchor;
    /**
     * The number of subscriptions that it has had; part of the key, since Stripe would answer with
     * the one that has ended.
     */
    readonly ended: number;
  },
): Promise<Stripe.Subscription> {
  const { dayOfMonth, hour, minute, second } = of.anchor;
  const body = {
    customer: of.stripeCustomer,
    items: [{ price: of.meter.priceId }],
    billing_cycle_anchor_config: { day_of_month: dayOfMonth, hour, minute, second },
    metadata: { spanledger_tenant: of.tenant.tenantId },
  };
  const idempotencyKey = `spanledger-subscription-${of.stripeCustomer}-${of.meter.priceId}-${of.ended}`;
  return askStripe(`a subscription for tenant "${of.tenant.tenantId}"`, () =>
    stripe.subscriptions.create(body, { idempotencyKey }),
  );
}

function saidOf(faults: readonly Fault[]): string {
  return faults.map(({ fault }) => fault).join('; ');
}

/** What is done about each, in the order in which the faults are said. */
function allOf(faults: readonly Fault[]): Remedy {
  const remedies = faults.flatMap(({ remedy }) => (remedy === null ? [] : [remedy]));
  return remedies.flatMap((remedy, index) => (index === 0 ? remedy : ['; ', ...remedy]));
}

/** Returns what would bill wrongly, each with its remedy. */
function faultsOf(
  existing: readonly Stripe.Subscription[],
  of: { readonly meter: StripeMeter; readonly tenant: Tenant; readonly now: number },
): readonly Fault[] {
  const { meter, tenant, now } = of;
  const items = existing.flatMap((subscription) => itemsOn(subscription, meter));
  const faults: Fault[] = [];
  if (items.length > 1) {
    const ids = existing.map((subscription) => subscription.id).join(' and ');
    const fault = `${items.length} items bill the same usage (${ids})`;
    faults.push({ fault, remedy: ['cancel all but one in Stripe'] });
  }
  for (const item of items) {
    if (item.price.id === meter.priceId) continue;
    const fault = `${item.id} bills by price ${item.price.id}, not ${meter.priceId}`;
    faults.push({ fault, remedy: [`replace ${item.id} by an item of ${meter.priceId}`] });
  }
  for (const subscription of existing) {
    const { id, status } = subscription;
    if (status !== 'active') {
      const fault = `${id} is ${status}, and may bill nothing`;
      faults.push({ fault, remedy: [`resume ${id} in Stripe`] });
    }
    const pause = describePause(subscription);
    if (pause !== null) {
      faults.push({ fault: pause, remedy: [`resume the collection of ${id} in Stripe`] });
    }
    if (subscription.cancel_at_period_end || subscription.cancel_at !== null) {
      const fault = `${id} ends with its period, and nobody bills the usage after that`;
      faults.push({ fault, remedy: [`let ${id} go on in Stripe`] });
    }
    const anchor = anchorOf(subscription);
    const misfit =
      findMisfit(anchor, tenant.calendar, now) ?? findLate(anchor, tenant.calendar, now);
    if (misfit !== null) faults.push(misfitOf(subscription, { misfit, meter, tenant, now }));
  }
  return faults;
}

function misfitOf(
  subscription: Stripe.Subscription,
  of: {
    readonly misfit: { readonly startDate: string; readonly endsAt: number };
    readonly meter: StripeMeter;
    readonly tenant: Tenant;
    readonly now: number;
  },
): Fault {
  const { misfit, meter, tenant, now } = of;
  const { id } = subscription;
  const wanted = cycleAnchorFor(tenant.calendar, now);
  const setUp = again(meter, tenant.tenantId);
  return {
    fault: `${id} bills on ${describe(anchorOf(subscription))}, but the period from ${misfit.startDate} ends at ${formatInstant(misfit.endsAt)} and would be billed late or with another one`,
    remedy:
      wanted === null
        ? onceChanged(tenant, { meter, now })
        : advise`cancel ${id} in Stripe and run ${setUp}, which makes one that bills on ${describe(wanted)}`,
  };
}

/** With a configured anchor the day is the one configured; otherwise that of the instant. */
function anchorOf(subscription: Stripe.Subscription): CycleAnchor {
  const at = anchorAt(subscription.billing_cycle_anchor * 1000);
  const config = subscription.billing_cycle_anchor_config;
  if (config === null) return at;
  return {
    dayOfMonth: config.day_of_month,
    hour: config.hour ?? at.hour,
    minute: config.minute ?? at.minute,
    second: config.second ?? at.second,
  };
}

function describe({ dayOfMonth, hour, minute }: CycleAnchor): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `day ${dayOfMonth} at ${two(hour)}:${two(minute)} UTC`;
}
