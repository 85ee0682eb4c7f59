import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { emitEvent } from './event-log.ts';
import { creditInvoice, invoiceOf, uncreditInvoice } from './invoice.ts';
import { isWanted, listPage, newestFirst } from './list-page.ts';
import { mergeMetadata, metadata } from './metadata.ts';
import { newId } from './object-id.ts';
import { expandable, pageParams, text, wholeNumber } from './params.ts';
import type { Invoice } from './stripe-object.ts';

const PATH = '/v1/credit_notes';

const createParams = z.strictObject({
  ...expandable,
  invoice: text,
  amount: wholeNumber,
  credit_amount: wholeNumber.optional(),
  memo: text.optional(),
  metadata: metadata.optional(),
  out_of_band_amount: wholeNumber.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory']).optional(),
});

type CreateParams = z.infer<typeof createParams>;

/** Credits on final invoices, by their amount; lines and refunds are not modeled. */
export const creditNoteEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: createParams,
    run: ({ account }, params) => createCreditNote(account, params),
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({
      ...pageParams,
      customer: text.optional(),
      invoice: text.optional(),
    }),
    run: ({ account }, params) => {
      const notes = newestFirst(account.creditNotes.values()).filter(
        (note) =>
          isWanted(note.customer, params.customer) && isWanted(note.invoice, params.invoice),
      );
      return listPage(notes, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => found(call.account.creditNotes, 'credit note', pathId(call)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id/void`,
    params: z.strictObject(expandable),
    run: (call) => voidCreditNote(call.account, pathId(call).id),
  }),
];

function createCreditNote(account: Account, params: CreateParams): Stripe.CreditNote {
  const invoice = found(account.invoices, 'invoice', { id: params.invoice, param: 'invoice' });
  const isPaid = invoice.shown.status === 'paid';
  checkAmounts(params, invoice);
  const now = account.clock.nowSeconds();
  const { amount } = params;
  const id = newId('cn');
  const note = {
    ...notModeled(id, amount),
    id,
    object: 'credit_note',
    amount,
    created: now,
    currency: invoice.shown.currency,
    customer: invoice.shown.customer ?? '',
    effective_at: now,
    invoice: invoice.id,
    memo: params.memo ?? null,
    metadata: mergeMetadata(null, params.metadata),
    number: `${invoice.shown.number}-CN-${String(account.creditNotes.size + 1).padStart(2, '0')}`,
    out_of_band_amount: params.out_of_band_amount ?? null,
    post_payment_amount: isPaid ? amount : 0,
    pre_payment_amount: isPaid ? 0 : amount,
    reason: params.reason ?? null,
    status: 'issued',
    type: isPaid ? 'post_payment' : 'pre_payment',
    voided_at: null,
  } satisfies Stripe.CreditNote;
  account.creditNotes.set(id, note);
  emitEvent(account, 'credit_note.created', note);
  creditInvoice(account, invoice, amount);
  return note;
}

/** No more than what remains of an open invoice is credited; of a paid one it is said where the money goes. */
function checkAmounts(params: CreateParams, { shown }: Invoice): void {
  const { status, amount_remaining, amount_paid, post_payment_credit_notes_amount } = shown;
  if (status !== 'open' && status !== 'paid') {
    throw invalidRequest(`A credit note cannot be made for an invoice that is ${status}.`, {
      param: 'invoice',
    });
  }
  const most =
    status === 'open' ? amount_remaining : amount_paid - post_payment_credit_notes_amount;
  if (params.amount < 1 || params.amount > most) {
    throw invalidRequest(`The credit note amount must be between 1 and ${most}.`, {
      param: 'amount',
    });
  }
  const given = (params.credit_amount ?? 0) + (params.out_of_band_amount ?? 0);
  if (status === 'paid' && given !== params.amount) {
    throw invalidRequest(
      'The sum of credit_amount, refund_amount and out_of_band_amount must equal the credit note amount.',
    );
  }
}

function voidCreditNote(account: Account, id: string): Stripe.CreditNote {
  const note = found(account.creditNotes, 'credit note', { id });
  if (note.status === 'void') throw invalidRequest('This credit note is void already.');
  const now = account.clock.nowSeconds();
  const voided = { ...note, status: 'void', voided_at: now } satisfies Stripe.CreditNote;
  account.creditNotes.set(id, voided);
  emitEvent(account, 'credit_note.voided', voided);
  uncreditInvoice(account, invoiceOf(account, String(note.invoice)), note);
  return voided;
}

function notModeled(id: string, amount: number) {
  return {
    amount_shipping: 0,
    customer_account: null,
    customer_balance_transaction: null,
    discount_amount: 0,
    discount_amounts: [],
    lines: { object: 'list', url: `${PATH}/${id}/lines`, has_more: false, data: [] },
    livemode: false,
    pdf: `https://pay.stripe.com/credit_notes/double/${id}/pdf`,
    pretax_credit_amounts: [],
    refunds: [],
    shipping_cost: null,
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_excluding_tax: amount,
    total_taxes: [],
  } satisfies Partial<Stripe.CreditNote>;
}
