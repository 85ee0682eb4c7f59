import { z } from 'zod';
import { type Account, found } from './account.ts';
import { type Call, type Endpoint, endpoint, pathId } from './endpoint.ts';
import {
  draftInvoice,
  finalizeInvoice,
  invoiceOf,
  payInvoice,
  updateInvoice,
  voidInvoice,
} from './invoice.ts';
import { isWanted, listPage, newestFirst } from './list-page.ts';
import { metadata } from './metadata.ts';
import { expandable, flag, pageParams, text, unixSeconds } from './params.ts';
import type { Invoice } from './stripe-object.ts';

const PATH = '/v1/invoices';

const createParams = z.strictObject({
  ...expandable,
  auto_advance: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  currency: text.length(3).optional(),
  customer: text,
  metadata: metadata.optional(),
  pending_invoice_items_behavior: z.enum(['include', 'exclude']).optional(),
});

export const invoiceEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: createParams,
    run: ({ account }, params) => createInvoice(account, params).shown,
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({
      ...pageParams,
      customer: text.optional(),
      status: z.enum(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
      subscription: text.optional(),
    }),
    run: ({ account }, params) => {
      const invoices = newestFirst(account.invoices.values())
        .map((invoice) => invoice.shown)
        .filter(
          (shown) =>
            isWanted(shown.customer, params.customer) &&
            isWanted(shown.status, params.status) &&
            isWanted(shown.parent?.subscription_details?.subscription, params.subscription),
        );
      return listPage(invoices, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call, params) => expanded(call, params.expand ?? []),
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id/lines`,
    params: z.strictObject(pageParams),
    run: (call, params) => {
      const invoice = invoiceIn(call);
      return listPage(invoice.lines, params, `${PATH}/${invoice.id}/lines`);
    },
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id`,
    params: z.strictObject({
      ...expandable,
      auto_advance: flag.optional(),
      automatically_finalizes_at: unixSeconds.optional(),
      description: text.optional(),
      metadata: metadata.optional(),
    }),
    run: (call, params) => changed(call, (invoice) => updateInvoice(call.account, invoice, params)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id/finalize`,
    params: z.strictObject({ ...expandable, auto_advance: flag.optional() }),
    run: (call, params) =>
      changed(call, (invoice) => {
        finalizeInvoice(call.account, invoice);
        const autoAdvance = params.auto_advance ?? invoice.shown.auto_advance ?? false;
        invoice.shown = { ...invoice.shown, auto_advance: autoAdvance };
      }),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id/pay`,
    params: z.strictObject({ ...expandable, paid_out_of_band: flag.optional() }),
    run: (call) => changed(call, (invoice) => payInvoice(call.account, invoice)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id/void`,
    params: z.strictObject(expandable),
    run: (call) => changed(call, (invoice) => voidInvoice(call.account, invoice)),
  }),
];

function createInvoice(account: Account, params: z.infer<typeof createParams>): Invoice {
  found(account.customers, 'customer', { id: params.customer, param: 'customer' });
  const now = account.clock.nowSeconds();
  const invoice = draftInvoice(account, {
    customer: params.customer,
    currency: params.currency?.toLowerCase() ?? 'usd',
    billingReason: 'manual',
    charges: [],
    subscription: null,
    collectionMethod: params.collection_method ?? 'charge_automatically',
    period: { start: now, end: now },
    autoAdvance: params.auto_advance ?? false,
    takesPendingItems: params.pending_invoice_items_behavior === 'include',
  });
  if (params.metadata !== undefined) updateInvoice(account, invoice, { metadata: params.metadata });
  return invoice;
}

const SUBSCRIPTION = 'parent.subscription_details.subscription';

function expanded(call: Call, expand: readonly string[]): object {
  const { shown } = invoiceIn(call);
  const details = shown.parent?.subscription_details ?? null;
  if (details === null || !expand.includes(SUBSCRIPTION)) return shown;
  const subscription = call.account.subscriptions.get(String(details.subscription))?.shown;
  return {
    ...shown,
    parent: { ...shown.parent, subscription_details: { ...details, subscription } },
  };
}

function invoiceIn(call: Call): Invoice {
  return invoiceOf(call.account, pathId(call).id);
}

/** Changes the invoice in the path and shows it. */
function changed(call: Call, change: (invoice: Invoice) => void): object {
  const invoice = invoiceIn(call);
  change(invoice);
  return invoice.shown;
}
