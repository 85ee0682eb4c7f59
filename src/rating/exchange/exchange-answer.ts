import { z } from 'zod';
import { instantField, listOf } from '../../fields.ts';

const CURRENCY = 'a currency of three letters, such as "USD"';
const currency = z.string({ error: CURRENCY }).regex(/^[A-Z]{3}$/, { error: CURRENCY });

const RATE = 'a decimal above 0 with up to twelve decimals, such as "1.0834"';

/** The rates of one day, say, as a file has them: what one of the base is in each currency. */
export const exchangeDocument = z.strictObject({
  base: currency,
  /** They hold from this instant until those of a later version. */
  effective_from: z.iso.datetime({ offset: true }),
  /** Who published them, such as `European Central Bank`. */
  source: z.string().min(1).max(200),
  rates: z.record(
    currency,
    z
      .string({ error: RATE })
      .regex(/^\d{1,12}(?:\.\d{1,12})?$/, { error: RATE })
      .refine((rate) => /[1-9]/.test(rate), { error: RATE }),
  ),
});
export type ExchangeDocument = z.infer<typeof exchangeDocument>;

export const exchangeRequest = z.strictObject({ documents: listOf(exchangeDocument) });
export type ExchangeRequest = z.output<typeof exchangeRequest>;

const importedRates = z.strictObject({
  base: z.string(),
  effective_from: instantField,
  source: z.string(),
  currencies: z.int(),
  answer: z.enum(['imported', 'unchanged']),
});

/** One for each document, in their order. */
export const exchangeAnswer = listOf(importedRates);
export type ExchangeAnswer = z.infer<typeof exchangeAnswer>;

/** Every version, oldest first. */
export const exchangeListAnswer = listOf(exchangeDocument.extend({ effective_from: instantField }));
export type ExchangeListAnswer = z.infer<typeof exchangeListAnswer>;
