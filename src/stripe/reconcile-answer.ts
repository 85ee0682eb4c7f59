import { z } from 'zod';
import { dayField, listOf, monthField } from '../fields.ts';
import { DIFFERENCES } from '../push/compare-periods.ts';
import { remedyField } from '../remedy.ts';

export const reconcileRequest = z.strictObject({
  month: monthField,
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
});
export type ReconcileRequest = z.output<typeof reconcileRequest>;

/** Micro units as decimal strings of whole numbers; a fraction is somebody else's. */
const counted = z.string().regex(/^-?\d+(\.\d+)?$/);

const reconciledPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  currency: z.string(),
  ledger: counted,
  confirmed: counted,
  /** The part of what is confirmed that a person billed elsewhere, and that nobody counts. */
  settled: counted,
  /** It is null where Stripe was not asked. */
  stripe: counted.nullable(),
  difference: z.enum(DIFFERENCES),
  explained: z.boolean(),
  /** The reason why Stripe was not or could not be asked; null of every other. */
  detail: z.string().nullable(),
  /** What a person does about it; null where it is explained, and time or the next push ends it. */
  remedy: remedyField.nullable(),
});
export type ReconciledPeriod = z.infer<typeof reconciledPeriod>;

/** The rows stand by tenant and period. */
export const reconcileAnswer = listOf(reconciledPeriod);
export type ReconcileAnswer = z.infer<typeof reconcileAnswer>;
