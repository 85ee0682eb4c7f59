import { z } from 'zod';
import { amountField, countField, dayField, monthField } from '../../fields.ts';
import { remedyField } from '../../remedy.ts';

export const missingRequest = z.strictObject({
  /** The month in which the periods begin; null for what is open, and what was closed last. */
  month: monthField.nullable(),
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
});
export type MissingRequest = z.output<typeof missingRequest>;

const MISSING_KINDS = [
  /** Events wait in quarantine: of this tenant's month, or of a month and a tenant that nobody can read. */
  'quarantined',
  /** One event stands under two tenants. */
  'under_two_tenants',
  /** Two events report one call, and both stand: under two tenants, or where one divides it among members. */
  'reported_twice',
  /** A report without a tenant has the response of a tenant's report, and other counts. */
  'contradicting',
  /** A tenant that its first event made, and that nobody registered, has charges. */
  'unregistered_tenant',
  /** A period of an earlier month has ended and is not closed, though something of it is due: the usage of one who left came late. */
  'not_closed',
  /** A period is closed, and nobody is told what it came to. */
  'untold',
  /** A period was told, and no invoice bills it. */
  'unbilled',
  /** More than one final invoice bills a period, and together they differ from what is due. */
  'on_two_invoices',
  /** The invoice that billed a period was voided. */
  'on_voided_invoice',
  /** An alert of the destination's side that nobody settled. */
  'alert',
  'without_cost',
  'unrated',
  'unmeasured',
] as const;

/** One thing that keeps a month from being whole. */
export const missingThing = z.strictObject({
  kind: z.enum(MISSING_KINDS),
  /** It is null where it belongs to no tenant that can be told. */
  tenant_id: z.string().nullable(),
  period_start: dayField.nullable(),
  count: countField,
  /** The money that it is about, as far as that is known. */
  amount: amountField.nullable(),
  currency: z.string().nullable(),
  detail: z.string(),
  /** The remedy. */
  remedy: remedyField,
});
export type MissingThing = z.infer<typeof missingThing>;
