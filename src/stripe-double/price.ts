import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { readDecimal, writeDecimal } from './exact-decimal.ts';
import { isWanted, listPage, newestFirst } from './list-page.ts';
import { mergeMetadata, metadata } from './metadata.ts';
import { meterOf } from './meter.ts';
import { newId } from './object-id.ts';
import { expandable, flag, listOf, pageParams, text, wholeNumber } from './params.ts';
import { createProduct } from './product.ts';
import type { Price } from './stripe-object.ts';

const PATH = '/v1/prices';

/** Stripe's docs: at most 12 decimals of the minor unit. */
const UNIT_AMOUNT_DECIMALS_MAX = 12;

const recurring = z.strictObject({
  interval: z.enum(['day', 'week', 'month', 'year']),
  interval_count: wholeNumber.optional(),
  meter: text.optional(),
  usage_type: z.enum(['licensed', 'metered']).optional(),
});

const createParams = z.strictObject({
  ...expandable,
  active: flag.optional(),
  billing_scheme: z.literal('per_unit').optional(),
  currency: text.length(3),
  lookup_key: text.optional(),
  metadata: metadata.optional(),
  nickname: text.optional(),
  product: text.optional(),
  product_data: z
    .strictObject({ id: text.optional(), name: text, metadata: metadata.optional() })
    .optional(),
  recurring: recurring.optional(),
  tax_behavior: z.enum(['exclusive', 'inclusive', 'unspecified']).optional(),
  transfer_lookup_key: flag.optional(),
  unit_amount: wholeNumber.optional(),
  unit_amount_decimal: text.optional(),
});

type CreateParams = z.infer<typeof createParams>;

/** Prices per unit. Tiers and `transform_quantity` are not modeled and are refused. */
export const priceEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: createParams,
    check: (_, params) => void unitAmount(params),
    run: ({ account }, params) => createPrice(account, params),
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({
      ...pageParams,
      active: flag.optional(),
      currency: text.optional(),
      lookup_keys: listOf(text).optional(),
      product: text.optional(),
      recurring: z.strictObject({ meter: text.optional() }).optional(),
      type: z.enum(['one_time', 'recurring']).optional(),
    }),
    run: ({ account }, params) => {
      const prices = newestFirst(account.prices.values()).filter(
        (price) =>
          isWanted(price.active, params.active) &&
          isWanted(price.currency, params.currency) &&
          isWanted(price.product, params.product) &&
          isWanted(price.recurring?.meter, params.recurring?.meter) &&
          isWanted(price.type, params.type) &&
          (params.lookup_keys?.includes(price.lookup_key ?? '') ?? true),
      );
      return listPage(prices, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => found(call.account.prices, 'price', pathId(call)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id`,
    params: z.strictObject({
      ...expandable,
      active: flag.optional(),
      metadata: metadata.optional(),
      nickname: text.optional(),
    }),
    run: (call, params) => {
      const price = found(call.account.prices, 'price', pathId(call));
      const updated = {
        ...price,
        active: params.active ?? price.active,
        metadata: mergeMetadata(price.metadata, params.metadata),
        nickname: params.nickname ?? price.nickname,
      };
      call.account.prices.set(price.id, updated);
      return updated;
    },
  }),
];

/** A lookup key belongs to one price, an archived one included, until it is transferred. */
function takeLookupKey(account: Account, params: CreateParams): void {
  if (params.lookup_key === undefined) return;
  const holder = [...account.prices.values()].find((each) => each.lookup_key === params.lookup_key);
  if (holder === undefined) return;
  if (params.transfer_lookup_key !== true) {
    throw invalidRequest(`A price (\`${holder.id}\`) already uses that lookup key.`, {
      param: 'lookup_key',
    });
  }
  account.prices.set(holder.id, { ...holder, lookup_key: null });
}

function createPrice(account: Account, params: CreateParams): Price {
  const amount = unitAmount(params);
  takeLookupKey(account, params);
  const price = {
    id: newId('price'),
    object: 'price',
    active: params.active ?? true,
    billing_scheme: 'per_unit',
    created: account.clock.nowSeconds(),
    currency: params.currency.toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: params.lookup_key ?? null,
    metadata: mergeMetadata(null, params.metadata),
    nickname: params.nickname ?? null,
    product: productOf(account, params),
    recurring: params.recurring === undefined ? null : recurringOf(account, params.recurring),
    tax_behavior: params.tax_behavior ?? 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: params.recurring === undefined ? 'one_time' : 'recurring',
    unit_amount: /^-?\d+$/.test(amount) ? Number(amount) : null,
    unit_amount_decimal: amount,
  } satisfies Price;
  account.prices.set(price.id, price);
  return price;
}

function unitAmount(params: CreateParams): string {
  if ((params.unit_amount === undefined) === (params.unit_amount_decimal === undefined)) {
    throw invalidRequest('Set one of unit_amount and unit_amount_decimal.');
  }
  if (params.unit_amount_decimal === undefined) return String(params.unit_amount);
  const amount = readDecimal(params.unit_amount_decimal);
  if (amount === null || amount.scale > UNIT_AMOUNT_DECIMALS_MAX) {
    const rule = `a decimal with at most ${UNIT_AMOUNT_DECIMALS_MAX} decimal places`;
    throw invalidRequest(`Invalid decimal: ${params.unit_amount_decimal}; must be ${rule}.`, {
      param: 'unit_amount_decimal',
    });
  }
  return writeDecimal(amount);
}

function productOf(account: Account, params: CreateParams): string {
  if (params.product_data !== undefined) return createProduct(account, params.product_data).id;
  return found(account.products, 'product', { id: params.product ?? '', param: 'product' }).id;
}

/** Since API version 2025-03-31 a metered price must name its meter. */
function recurringOf(account: Account, params: z.infer<typeof recurring>): Stripe.Price.Recurring {
  const usageType = params.usage_type ?? (params.meter === undefined ? 'licensed' : 'metered');
  if ((usageType === 'metered') !== (params.meter !== undefined)) {
    throw invalidRequest('A price has a meter if and only if its usage_type is metered.', {
      param: 'recurring[meter]',
    });
  }
  if (params.meter !== undefined) meterOf(account, { id: params.meter, param: 'recurring[meter]' });
  return {
    interval: params.interval,
    interval_count: params.interval_count ?? 1,
    meter: params.meter ?? null,
    trial_period_days: null,
    usage_type: usageType,
  };
}
