import { z } from 'zod';
import { divideHalfUp, parseDecimal } from '../money.ts';
import type { ReportedCost } from './event.ts';
import { text } from './schema-parts.ts';

/** The native event's `reported_cost`: what a producer says that a call cost (R22). */

/** Producers multiply floats, so that more decimals come than an amount has. */
const MOST_DECIMALS = 30;
const PICO_DECIMALS = 12;

const AMOUNT = 'a plain decimal string in the major unit, such as "0.00123"';
const CURRENCY = 'an ISO 4217 currency, such as "USD"';

export const reportedCostSchema = z.object(
  {
    amount: z.string({ error: AMOUNT }).refine((amount) => /^\d{1,12}(\.\d{1,30})?$/.test(amount), {
      error: AMOUNT,
    }),
    currency: z.string({ error: CURRENCY }).refine((currency) => /^[A-Z]{3}$/.test(currency), {
      error: CURRENCY,
    }),
    source: text(100),
  },
  { error: 'an object {amount, currency, source}' },
);

/** The amount is rounded to the nearest picodollar, which decides nothing. */
export function readReportedCost(cost: z.infer<typeof reportedCostSchema>): ReportedCost {
  const { amount, currency, source } = cost;
  const exact = parseDecimal(amount, MOST_DECIMALS);
  if (exact === null) throw new Error(`"${amount}" passed the schema but is not a decimal`);
  return {
    amount: divideHalfUp(exact, 10n ** BigInt(MOST_DECIMALS - PICO_DECIMALS)),
    currency,
    source,
  };
}
