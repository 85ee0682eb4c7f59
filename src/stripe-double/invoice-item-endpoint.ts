import type Stripe from 'stripe';
import { z } from 'zod';
import { found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { attachItem } from './invoice.ts';
import { amountsOf, createItem, createParams } from './invoice-item.ts';
import { listPage, newestFirst } from './list-page.ts';
import { expandable, flag, pageParams, text } from './params.ts';

const PATH = '/v1/invoiceitems';

/** Amounts that wait for the customer's next invoice. Those without a price are modeled only. */
export const invoiceItemEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: createParams,
    check: (_, params) => void amountsOf(params),
    run: ({ account }, params) => {
      const create = () => createItem(account, params);
      return params.invoice === undefined ? create() : attachItem(account, params.invoice, create);
    },
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({
      ...pageParams,
      customer: text.optional(),
      invoice: text.optional(),
      pending: flag.optional(),
    }),
    run: ({ account }, params) => {
      const items = newestFirst(account.invoiceItems.values()).filter(
        (item) =>
          (params.customer === undefined || item.customer === params.customer) &&
          (params.invoice === undefined || item.invoice === params.invoice) &&
          (params.pending === undefined || (item.invoice === null) === params.pending),
      );
      return listPage(items, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => found(call.account.invoiceItems, 'invoiceitem', pathId(call)),
  }),
  endpoint({
    method: 'DELETE',
    path: `${PATH}/:id`,
    params: z.strictObject({}),
    run: (call) => {
      const item = found(call.account.invoiceItems, 'invoiceitem', pathId(call));
      if (item.invoice !== null) throw invalidRequest('This item is on an invoice already.');
      call.account.invoiceItems.delete(item.id);
      return {
        id: item.id,
        object: 'invoiceitem',
        deleted: true,
      } satisfies Stripe.DeletedInvoiceItem;
    },
  }),
];
