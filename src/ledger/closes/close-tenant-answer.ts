import { z } from 'zod';
import { instantField, instantGiven, noteFields } from '../../fields.ts';
import { closeAnswer } from './close-answer.ts';

export const closeTenantRequest = z.strictObject({
  tenant_id: z.string(),
  /** The instant at which the customer leaves: the running period ends there. */
  at: instantGiven,
});
export type CloseTenantRequest = z.output<typeof closeTenantRequest>;

export const closeTenantAnswer = z.strictObject({
  tenant_id: z.string(),
  /** The instant at which it left; null where that is still to come. */
  left_at: instantField.nullable(),
  /** The instant at which it leaves, until which that can be moved and withdrawn; null once it has left. */
  leaves_at: instantField.nullable(),
  /** The periods that begin in the month of the last one, and what became of them. */
  periods: closeAnswer,
});
export type CloseTenantAnswer = z.infer<typeof closeTenantAnswer>;

export const keepTenantRequest = z.strictObject({ tenant_id: z.string(), ...noteFields });
export type KeepTenantRequest = z.output<typeof keepTenantRequest>;

export const keepTenantAnswer = z.strictObject({
  tenant_id: z.string(),
  /** The instant at which it was to leave. */
  was_to_leave_at: instantField,
});
export type KeepTenantAnswer = z.infer<typeof keepTenantAnswer>;
