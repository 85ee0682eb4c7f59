import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { listPage, newestFirst } from './list-page.ts';
import { mergeMetadata, metadata } from './metadata.ts';
import { newId } from './object-id.ts';
import { expandable, flag, pageParams, text } from './params.ts';

const PATH = '/v1/products';

const details = {
  ...expandable,
  active: flag.optional(),
  description: z.string().optional(),
  metadata: metadata.optional(),
  statement_descriptor: text.optional(),
  tax_code: text.optional(),
  unit_label: text.optional(),
  url: text.optional(),
};

const createParams = z.strictObject({ ...details, id: text.optional(), name: text });

export const productEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: createParams,
    run: ({ account }, params) => createProduct(account, params),
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({ ...pageParams, active: flag.optional() }),
    run: ({ account }, params) => {
      const products = newestFirst(account.products.values());
      const wanted = products.filter(
        (product) => params.active === undefined || product.active === params.active,
      );
      return listPage(wanted, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => found(call.account.products, 'product', pathId(call)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id`,
    params: z.strictObject({ ...details, name: text.optional() }),
    run: (call, params) => {
      const product = found(call.account.products, 'product', pathId(call));
      const updated = {
        ...product,
        active: params.active ?? product.active,
        description: params.description ?? product.description,
        metadata: mergeMetadata(product.metadata, params.metadata),
        name: params.name ?? product.name,
        updated: call.account.clock.nowSeconds(),
      };
      call.account.products.set(product.id, updated);
      return updated;
    },
  }),
];

/** Makes a product; also for a price that brings its own by `product_data`. */
export function createProduct(
  account: Account,
  params: z.infer<typeof createParams>,
): Stripe.Product {
  const id = params.id ?? newId('prod');
  if (account.products.has(id)) {
    throw invalidRequest(`Product already exists: ${id}`, { code: 'resource_already_exists' });
  }
  const created = account.clock.nowSeconds();
  const product = {
    id,
    object: 'product',
    active: params.active ?? true,
    created,
    default_price: null,
    description: params.description ?? null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: mergeMetadata(null, params.metadata),
    name: params.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: params.statement_descriptor ?? null,
    tax_code: params.tax_code ?? null,
    tax_details: null,
    type: 'service',
    unit_label: params.unit_label ?? null,
    updated: created,
    url: params.url ?? null,
  } satisfies Stripe.Product;
  account.products.set(id, product);
  return product;
}
