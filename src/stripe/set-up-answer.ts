import { z } from 'zod';
import { SUPPORTED_CURRENCIES } from '../currencies.ts';
import { listOf } from '../fields.ts';
import { remedyField } from '../remedy.ts';

export const setUpRequest = z.strictObject({
  currency: z.enum(SUPPORTED_CURRENCIES),
  /** Links live tenants to customers by their metadata. */
  customers: z.boolean(),
  /** Makes the subscription of each live tenant, or checks the one that it has. */
  subscriptions: z.boolean(),
  /** The one tenant whose subscription is asked for; null for every one. */
  tenant_id: z.string().nullable(),
});
export type SetUpRequest = z.output<typeof setUpRequest>;

const linkedCustomer = z.strictObject({
  tenant_id: z.string(),
  stripe_customer: z.string().nullable(),
  state: z.enum(['linked', 'kept', 'differs', 'not_found', 'ambiguous']),
});
/** What linking one tenant's customer came to. */
export type LinkedCustomer = z.infer<typeof linkedCustomer>;

const tenantSubscription = z.strictObject({
  tenant_id: z.string(),
  stripe_customer: z.string().nullable(),
  state: z.enum(['made', 'fits', 'would_bill_wrongly', 'refused']),
  subscription: z.string().nullable(),
  /** What would bill wrongly; of a good one, when it bills. */
  detail: z.string(),
  /** What a person does about it; null where it bills right. */
  remedy: remedyField.nullable(),
});
/** What setting up one tenant's subscription came to. */
export type TenantSubscription = z.infer<typeof tenantSubscription>;

export const setUpAnswer = z.strictObject({
  currency: z.string(),
  livemode: z.boolean(),
  event_name: z.string(),
  meter: z.string(),
  product: z.string(),
  price: z.string(),
  /** It is null where they were not asked for. */
  customers: listOf(linkedCustomer).nullable(),
  subscriptions: listOf(tenantSubscription).nullable(),
});
export type SetUpAnswer = z.infer<typeof setUpAnswer>;
