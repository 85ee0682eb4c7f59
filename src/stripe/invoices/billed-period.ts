import type Stripe from 'stripe';
import type { InstantMs } from '../../clock.ts';
import type { Calendar, Period } from '../../periods/calendar.ts';
import { periodContaining } from '../../periods/calendar.ts';
import { eventTimestampOf } from '../../push/push-target.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { StripeMeter } from '../meters/meter-store.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';

/** What an invoice bills of our usage: its lines on our prices, summed. */
export interface BilledUsage {
  readonly currency: string;
  /** Unix seconds, half-open: the period of the lines. */
  readonly start: number;
  readonly end: number;
  /** Micro units; null when Stripe counted a fraction, which we never send, or says no count. */
  readonly quantity: bigint | null;
  /** Minor units. */
  readonly amount: bigint;
}

/**
 * Reads the lines of an invoice that bill our meters, by whatever price; null when it has none and
 * is not ours.
 */
export async function readBilledUsage(
  stripe: StripeClient,
  invoice: Stripe.Invoice,
  meters: ReadonlyMap<string, StripeMeter>,
): Promise<BilledUsage | null> {
  const lines: Stripe.InvoiceLineItem[] = [];
  for (const line of await readLines(stripe, invoice)) {
    if (await isOnMeter(stripe, priceOf(line), meters)) lines.push(line);
  }
  const [first] = lines;
  if (first === undefined) return null;
  const quantities = lines.map(quantityOf);
  return {
    currency: first.currency.toUpperCase(),
    start: Math.min(...lines.map((line) => line.period.start)),
    end: Math.max(...lines.map((line) => line.period.end)),
    quantity: quantities.reduce<bigint | null>(
      (sum, quantity) => (sum === null || quantity === null ? null : sum + quantity),
      0n,
    ),
    amount: lines.reduce((sum, line) => sum + BigInt(line.amount), 0n),
  };
}

const metersOfPrices = new WeakMap<StripeClient, Map<string, string | null>>();

/** A price that was replaced goes on billing the meter, and one that is not known is asked for once. */
async function isOnMeter(
  stripe: StripeClient,
  priceId: string,
  meters: ReadonlyMap<string, StripeMeter>,
): Promise<boolean> {
  const own = [...meters.values()];
  if (priceId === '' || own.some((meter) => meter.priceId === priceId)) return priceId !== '';
  const known = metersOfPrices.get(stripe) ?? new Map<string, string | null>();
  metersOfPrices.set(stripe, known);
  if (!known.has(priceId)) {
    const price = await askStripe(`price ${priceId}`, () => stripe.prices.retrieve(priceId));
    known.set(priceId, price.recurring?.meter ?? null);
  }
  const meterId = known.get(priceId);
  return own.some((meter) => meter.meterId === meterId);
}

/** Reads the lines of an invoice: it comes with its first ones, and the rest is listed. */
export async function readLines(
  stripe: StripeClient,
  invoice: Stripe.Invoice,
): Promise<readonly Stripe.InvoiceLineItem[]> {
  if (!invoice.lines.has_more || invoice.id === undefined) return invoice.lines.data;
  const { id } = invoice;
  return askStripe(`the lines of invoice ${id}`, () =>
    stripe.invoices.listLineItems(id, { limit: 100 }).autoPagingToArray({ limit: 10_000 }),
  );
}

function priceOf(line: Stripe.InvoiceLineItem): string {
  const price = line.pricing?.price_details?.price;
  return typeof price === 'string' ? price : (price?.id ?? '');
}

function quantityOf(line: Stripe.InvoiceLineItem): bigint | null {
  const text = String(line.quantity_decimal ?? line.quantity);
  return /^\d+(\.0+)?$/.test(text) ? BigInt(text.replace(/\..*$/, '')) : null;
}

/**
 * Returns the tenant's periods whose one event falls into Stripe's billing period, the oldest first: Stripe's begins
 * and ends at the tenant's boundary or up to a period later (billing-cycle.ts). It is one, but where a change of the
 * calendar, such as that of one who leaves, ended another within Stripe's month.
 */
export function periodsBilledBy(
  calendar: Calendar,
  billed: Pick<BilledUsage, 'start' | 'end'>,
): readonly Period[] {
  const end: InstantMs = billed.end * 1000;
  const last = periodContaining(calendar, end - 1);
  const periods: Period[] = [];
  let period = last.endsAt <= end ? last : periodContaining(calendar, last.startsAt - 1);
  while (eventTimestampOf(period) >= billed.start) {
    periods.unshift(period);
    period = periodContaining(calendar, period.startsAt - 1);
  }
  return periods;
}

/**
 * Returns those of the periods of an invoice of which something is there. What begins where a tenant left is none before
 * it has come back. Of an idle tenant it is the last one.
 */
export function periodsThere(
  periods: readonly Period[],
  { leftAt, startDates }: Pick<Tenant, 'leftAt'> & { readonly startDates: readonly string[] },
): readonly Period[] {
  const there = periods.filter(({ startDate }) => startDates.includes(startDate));
  if (there.length > 0) return there;
  return periods.filter(({ startsAt }) => leftAt === null || startsAt < leftAt).slice(-1);
}
