import { z } from 'zod';
import { instantField, instantGiven } from '../../fields.ts';
import { closeAnswer } from './close-answer.ts';

export const closeTenantRequest = z.strictObject({
  tenant_id: z.string(),
  /** The instant at which the customer leaves: the running period ends there. */
  at: instantGiven,
});
export type CloseTenantRequest = z.output<typeof closeTenantRequest>;

export const closeTenantAnswer = z.strictObject({
  tenant_id: z.string(),
  left_at: instantField,
  /** The periods that begin in the month of the last one, and what became of them. */
  periods: closeAnswer,
});
export type CloseTenantAnswer = z.infer<typeof closeTenantAnswer>;
