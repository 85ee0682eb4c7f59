import { valueSum } from '../../push/intent.ts';
import { readIntents } from '../../push/intent-store.ts';
import { itemAmount } from '../items/tell-item.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readPeriodsOfInvoice } from './invoice-store.ts';
import type { MeterBill } from './meter-bill.ts';
import type { InvoicePeriod, OwnInvoice } from './own-invoice.ts';

/** The part of an invoice that bills one of its periods. */
interface PeriodShare extends MeterBill {
  readonly period: InvoicePeriod;
}

/**
 * Divides what a final invoice bills over the periods that it bills, so that the parts sum to it: Stripe sums what was
 * told of each, and what was told too late is not among that. What was divided once stays so.
 */
export async function divideBill(
  { database }: Pick<StripeParts, 'database'>,
  { invoiceId, stripeCustomer, billed, periods }: OwnInvoice,
): Promise<readonly PeriodShare[]> {
  const told: bigint[] = [];
  for (const period of periods) {
    const intents = (await readIntents(database, period)).filter(
      ({ destination, state, customer }) =>
        destination === 'meter' && state === 'confirmed' && customer === stripeCustomer,
    );
    told.push(valueSum(intents));
  }
  const due = periods.map(({ target }) => target?.billableMicro ?? 0n);
  const kept = await readPeriodsOfInvoice(database, invoiceId);
  const before = periods.map(
    ({ periodStart }) => kept.find((row) => row.periodStart === periodStart)?.quantity ?? 0n,
  );
  const quantities = divideQuantity(billed.quantity ?? -1n, [before, told, due]);
  const amounts = divideAmount(billed, quantities);
  return periods.map((period, index) => ({
    period,
    quantity: quantities[index] ?? 0n,
    amount: amounts[index] ?? 0n,
  }));
}

/** More periods than those never end within one month of Stripe's. */
const MOST_COMBINED = 10;

/**
 * Divides a count: as the first of these guesses says of which all, or some, come to it. Where none does, the first
 * periods have what was told of them, and the last one the rest, with whatever is wrong.
 */
export function divideQuantity(
  quantity: bigint,
  guesses: readonly [readonly bigint[], readonly bigint[], readonly bigint[]],
): readonly bigint[] {
  for (const guess of guesses) {
    const parts = partsOf(quantity, guess);
    if (parts !== null) return parts;
  }
  const [, told] = guesses;
  let rest = quantity;
  return told.map((value, index) => {
    if (index === told.length - 1) return rest;
    const most = value < rest ? value : rest;
    const part = most > 0n ? most : 0n;
    rest -= part;
    return part;
  });
}

/** The values that come to a sum, with zero for each of the others; all of them before some. Null where none do. */
function partsOf(sum: bigint, values: readonly bigint[]): readonly bigint[] | null {
  const combined = values.slice(0, MOST_COMBINED);
  for (let left = 0; left < 2 ** combined.length; left += 1) {
    const parts = values.map((value, index) => (left & (1 << index) ? 0n : value));
    if (parts.reduce((all, part) => all + part, 0n) === sum) return parts;
  }
  return null;
}

/**
 * Each part is rounded as a bill of it alone. Stripe rounds their sum once: where that is what it did, a minor unit
 * between the two is no difference of any period.
 */
function divideAmount(
  { quantity, amount, currency }: OwnInvoice['billed'],
  quantities: readonly bigint[],
): readonly bigint[] {
  const rounded = quantities.map((part) => itemAmount(part, currency));
  const isRoundedOnce = quantity !== null && amount === itemAmount(quantity, currency);
  if (isRoundedOnce && rounded.length > 1) return rounded;
  const others = rounded.slice(0, -1);
  return [...others, others.reduce((rest, part) => rest - part, amount)];
}
