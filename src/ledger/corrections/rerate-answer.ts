import { z } from 'zod';
import { listOf, monthField, noteFields } from '../../fields.ts';
import { priceBookDocument } from '../../rating/books/price-book-document.ts';
import { differenceFields } from './bulk-answer.ts';

export const rerateRequest = z.strictObject({
  /** The month of the calls: that in which the period begins in which they occurred. */
  month: monthField,
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** Shows the difference and posts nothing. */
  dry_run: z.boolean(),
  /** An entry whose price is no longer there loses it. */
  unprice: z.boolean().optional(),
  /** Books that are not imported, as if they were; for a dry run alone. */
  proposed: listOf(priceBookDocument).optional(),
  /** The book by which every tenant that is looked at pays, as if it were its own; for a dry run alone. */
  price_book: z.string().optional(),
  ...noteFields,
});
export type RerateRequest = z.output<typeof rerateRequest>;

export const rerateAnswer = z.strictObject({ month: monthField, ...differenceFields });
export type RerateAnswer = z.infer<typeof rerateAnswer>;
