import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { emitEvent } from './event-log.ts';
import { listPage, newestFirst } from './list-page.ts';
import { type MetadataChange, mergeMetadata, metadata } from './metadata.ts';
import { newId } from './object-id.ts';
import { expandable, pageParams, text } from './params.ts';

const PATH = '/v1/customers';

const details = z.strictObject({
  ...expandable,
  description: z.string().optional(),
  email: z.string().optional(),
  metadata: metadata.optional(),
  name: z.string().optional(),
  phone: z.string().optional(),
});

export const customerEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: details,
    run: ({ account }, params) => addCustomer(account, { ...params, id: newId('cus') }),
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({ ...pageParams, email: text.optional() }),
    run: ({ account }, params) => {
      const customers = newestFirst(account.customers.values());
      const wanted = customers.filter(
        (customer) => params.email === undefined || customer.email === params.email,
      );
      return listPage(wanted, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => found(call.account.customers, 'customer', pathId(call)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id`,
    params: details,
    run: (call, params) => {
      const customer = found(call.account.customers, 'customer', pathId(call));
      const updated = {
        ...customer,
        description: params.description ?? customer.description,
        email: params.email ?? customer.email,
        metadata: mergeMetadata(customer.metadata, params.metadata),
        name: params.name ?? customer.name ?? null,
        phone: params.phone ?? customer.phone ?? null,
      };
      call.account.customers.set(customer.id, updated);
      return updated;
    },
  }),
  endpoint({
    method: 'DELETE',
    path: `${PATH}/:id`,
    params: z.strictObject({}),
    run: (call) => {
      const customer = found(call.account.customers, 'customer', pathId(call));
      const { id } = customer;
      call.account.customers.delete(id);
      emitEvent(call.account, 'customer.deleted', customer);
      return { id, object: 'customer', deleted: true } satisfies Stripe.DeletedCustomer;
    },
  }),
];

/**
 * Binds a customer to the currency of its first subscription or invoice item. Throws 400 for another one: its
 * recurring bills are of one currency.
 */
export function bindCurrency(account: Account, id: string, currency: string): void {
  const customer = found(account.customers, 'customer', { id, param: 'customer' });
  const bound = customer.currency ?? currency;
  if (bound !== currency) {
    throw invalidRequest(
      `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, or invoice item with currency ${bound}.`,
    );
  }
  account.customers.set(id, { ...customer, currency: bound });
}

/** What a customer is made of; Stripe mints the id itself, a seed brings its own. */
export interface CustomerSeed {
  readonly id: string;
  /** The currency of what it was billed before, in lower case. */
  readonly currency?: string | undefined;
  readonly description?: string | undefined;
  readonly email?: string | undefined;
  readonly metadata?: Readonly<MetadataChange> | undefined;
  readonly name?: string | undefined;
  readonly phone?: string | undefined;
}

export function addCustomer(account: Account, seed: CustomerSeed): Stripe.Customer {
  const customer = {
    id: seed.id,
    object: 'customer',
    address: null,
    balance: 0,
    created: account.clock.nowSeconds(),
    currency: seed.currency ?? null,
    default_source: null,
    delinquent: false,
    description: seed.description ?? null,
    discount: null,
    email: seed.email ?? null,
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: mergeMetadata(null, seed.metadata),
    name: seed.name ?? null,
    phone: seed.phone ?? null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  } satisfies Stripe.Customer;
  account.customers.set(customer.id, customer);
  return customer;
}
