import Stripe from 'stripe';
import { minorUnitDecimals } from '../../currencies.ts';
import { formatDecimal } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeMeter } from './meter-store.ts';

/**
 * Returns the minor units of a micro unit: 0.0001 cents, and 0.000001 yen, which has no decimals.
 */
export function minorPerMicro(currency: string): string {
  const decimals = 6 - minorUnitDecimals(currency);
  return formatDecimal(1n, decimals);
}

/** The bound is more than any account has; a list is read to its end. */
const MOST_LISTED = 10_000;

function meterName(currency: string): string {
  return `spanledger_usage_${currency.toLowerCase()}`;
}

/**
 * Makes what Stripe needs for a currency, or finds it; doing it twice makes nothing new. Refuses a
 * meter or price of that name that would bill something else.
 */
export async function setUpMeter(stripe: StripeClient, currency: string): Promise<StripeMeter> {
  const eventName = meterName(currency);
  const meter = (await findMeter(stripe, eventName)) ?? (await createMeter(stripe, currency));
  const price =
    (await findPrice(stripe, eventName)) ?? (await createPrice(stripe, currency, meter));
  refuseOtherPrice(price, currency, meter);
  const productId = typeof price.product === 'string' ? price.product : price.product.id;
  return { currency, eventName, meterId: meter.id, productId, priceId: price.id };
}

/** One active meter has the name at the most; an inactive one only stands for it where there is none. */
async function findMeter(
  stripe: StripeClient,
  eventName: string,
): Promise<Stripe.Billing.Meter | null> {
  const meters = await askStripe('the meters', () =>
    stripe.billing.meters.list({ limit: 100 }).autoPagingToArray({ limit: MOST_LISTED }),
  );
  let inactive: Stripe.Billing.Meter | null = null;
  for (const meter of meters) {
    if (meter.event_name !== eventName) continue;
    if (meter.status === 'active') {
      refuseOtherMeter(meter);
      return meter;
    }
    inactive ??= meter;
  }
  if (inactive !== null) refuseOtherMeter(inactive);
  return inactive;
}

/** A meter cannot be changed, so one that counts otherwise must be replaced by a person. */
function refuseOtherMeter(meter: Stripe.Billing.Meter): void {
  const faults = [
    meter.status === 'active' ? null : `its status is ${meter.status}, not active`,
    meter.default_aggregation.formula === 'sum'
      ? null
      : `its formula is ${meter.default_aggregation.formula}, not sum`,
    meter.event_time_window === null
      ? null
      : `it keeps only the newest event of each ${meter.event_time_window}`,
    meter.value_settings.event_payload_key === 'value'
      ? null
      : `it reads its value from ${meter.value_settings.event_payload_key}, not value`,
    meter.customer_mapping.event_payload_key === 'stripe_customer_id'
      ? null
      : `it reads the customer from ${meter.customer_mapping.event_payload_key}, not stripe_customer_id`,
  ].filter((fault) => fault !== null);
  if (faults.length === 0) return;
  throw new Refusal(
    'misconfigured',
    `meter ${meter.id} (${meter.event_name}) does not fit: ${faults.join('; ')}`,
    meter.status === 'active'
      ? advise`deactivate that meter in Stripe and run ${{ operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null }} again`
      : advise`reactivate that meter in Stripe and run ${{ operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null }} again; usage is dropped while it is inactive`,
  );
}

function createMeter(stripe: StripeClient, currency: string): Promise<Stripe.Billing.Meter> {
  const name = meterName(currency);
  const body = {
    display_name: `Spanledger usage (${currency}, micro units)`,
    event_name: name,
    default_aggregation: { formula: 'sum' },
    customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
    value_settings: { event_payload_key: 'value' },
  } as const;
  const idempotencyKey = `spanledger-setup-meter-${name}`;
  return askStripe(`a meter ${name}`, () => stripe.billing.meters.create(body, { idempotencyKey }));
}

/** The lookup key finds our price again without a search, which lags. */
async function findPrice(
  stripe: StripeClient,
  lookupKey: string,
  active = true,
): Promise<Stripe.Price | null> {
  const found = await askStripe(`price ${lookupKey}`, () =>
    stripe.prices.list({ lookup_keys: [lookupKey], active, limit: 2 }),
  );
  return found.data[0] ?? null;
}

async function createPrice(
  stripe: StripeClient,
  currency: string,
  meter: Stripe.Billing.Meter,
): Promise<Stripe.Price> {
  const name = meterName(currency);
  const ofProduct = {
    name: `LLM usage (${currency})`,
    metadata: { spanledger_meter: name },
  };
  const product = await askStripe(`a product for ${name}`, () =>
    stripe.products.create(ofProduct, { idempotencyKey: `spanledger-setup-product-${name}` }),
  );
  const ofPrice = {
    currency: currency.toLowerCase(),
    product: product.id,
    lookup_key: name,
    // An archived price keeps its key until another one takes it.
    transfer_lookup_key: true,
    unit_amount_decimal: Stripe.Decimal.from(minorPerMicro(currency)),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  } as const;
  const archived = await findPrice(stripe, name, false);
  const after = archived === null ? '' : `-after-${archived.id}`;
  const idempotencyKey = `spanledger-setup-price-${name}-${meter.id}${after}`;
  return askStripe(`a price for ${name}`, () => stripe.prices.create(ofPrice, { idempotencyKey }));
}

function refuseOtherPrice(
  price: Stripe.Price,
  currency: string,
  meter: Stripe.Billing.Meter,
): void {
  const unitAmount = price.unit_amount_decimal?.toString() ?? 'none';
  const faults = [
    price.currency === currency.toLowerCase() ? null : `its currency is ${price.currency}`,
    unitAmount === minorPerMicro(currency)
      ? null
      : `its unit amount is ${unitAmount}, not ${minorPerMicro(currency)}`,
    price.billing_scheme === 'per_unit' ? null : `its billing scheme is ${price.billing_scheme}`,
    (price.transform_quantity ?? null) === null ? null : 'it transforms the quantity',
    (price.recurring?.interval_count ?? 1) === 1
      ? null
      : `it bills every ${price.recurring?.interval_count} months`,
    price.recurring?.usage_type === 'metered' ? null : 'it is not metered',
    price.recurring?.meter === meter.id ? null : `its meter is ${price.recurring?.meter ?? 'none'}`,
    price.recurring?.interval === 'month' ? null : 'it is not monthly',
  ].filter((fault) => fault !== null);
  if (faults.length === 0) return;
  throw new Refusal(
    'misconfigured',
    `price ${price.id} does not fit: ${faults.join('; ')}`,
    advise`archive that price in Stripe (or take the lookup key ${meter.event_name} from it) and run ${{ operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null }} again`,
  );
}
