import { z } from 'zod';
import { instantField, instantGiven, listOf } from '../fields.ts';

const mode = z.enum(['shadow', 'live']);

/** What is not given stays as it is; a tenant that is not there is made. */
export const setTenantRequest = z.strictObject({
  tenant_id: z.string(),
  /** Shadow is never pushed. */
  mode: mode.optional(),
  /** The IANA zone of its billing periods. */
  time_zone: z.string().optional(),
  /** The day of the month on which periods begin. */
  anchor_day: z.int().min(1).max(31).optional(),
  /** The charge book that it pays by. */
  price_book: z.string().optional(),
  /** The instant from which the price book holds; now, where it is not said. */
  price_book_from: instantGiven.optional(),
  /** Its customer in Stripe, cus_…; an empty text takes it away. */
  stripe_customer: z.string().optional(),
});
export type SetTenantRequest = z.output<typeof setTenantRequest>;

/** The tenant that is billed; its calendar is the newest rule, which may be still to come. */
export const tenantAnswer = z.strictObject({
  tenant_id: z.string(),
  mode,
  time_zone: z.string(),
  anchor_day: z.int(),
  /** The instant from which that calendar holds; null where it holds since ever. */
  calendar_from: instantField.nullable(),
  /** The calendar that holds now. */
  calendar_now: z.strictObject({ time_zone: z.string(), anchor_day: z.int() }),
  /** It is null for the default one. */
  price_book: z.string().nullable(),
  stripe_customer: z.string().nullable(),
  /** Whether somebody named it; a tenant that only events named is in shadow, and the month says so. */
  registered: z.boolean(),
  /** The end of the last period that takes nothing more; null while none is. */
  closed_until: instantField.nullable(),
  /** The instant at which it left; null while it is a customer. */
  left_at: instantField.nullable(),
});
export type TenantAnswer = z.infer<typeof tenantAnswer>;

export const tenantsAnswer = listOf(tenantAnswer);
export type TenantsAnswer = z.infer<typeof tenantsAnswer>;
