import { z } from 'zod';
import { dayField, listOf, monthField } from '../../fields.ts';

export const releaseRequest = z.strictObject({
  /** The month in which the periods begin; null for every month. */
  month: monthField.nullable(),
});
export type ReleaseRequest = z.output<typeof releaseRequest>;

const releasedInvoice = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  invoice: z.string(),
  state: z.enum(['released', 'held', 'paused', 'finalized', 'refused', 'gone', 'void']),
  /** What Stripe says of one that is refused, gone or paused; null of every other. */
  detail: z.string().nullable(),
});
/** What became of one invoice that was held. */
export type ReleasedInvoice = z.infer<typeof releasedInvoice>;

/** The rows stand by tenant and period. */
export const releaseAnswer = listOf(releasedInvoice);
export type ReleaseAnswer = z.infer<typeof releaseAnswer>;
