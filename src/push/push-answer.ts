import { z } from 'zod';
import { dayField, listOf, monthField, wholeField } from '../fields.ts';
import { remedyField } from '../remedy.ts';

export const pushRequest = z.strictObject({
  month: monthField,
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** Says what would be sent, and writes and sends nothing. */
  dry_run: z.boolean(),
});
export type PushRequest = z.output<typeof pushRequest>;

const pushedPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  state: z.enum([
    'confirmed',
    'shadow',
    'nothing_due',
    'would_send',
    'refused',
    'sent',
    'ambiguous',
    'parked',
    'busy',
    'skipped',
  ]),
  /** The amount told, as far as we know, in millionths of the currency. */
  pushed: wholeField,
  currency: z.string(),
  detail: z.string().nullable(),
  /** What a person does about it; null where nothing needs to be done, or only time helps. */
  remedy: remedyField.nullable(),
});
/** The result of pushing one tenant's period. */
export type PushedPeriod = z.infer<typeof pushedPeriod>;

/** The rows stand by tenant and period. */
export const pushAnswer = listOf(pushedPeriod);
export type PushAnswer = z.infer<typeof pushAnswer>;
