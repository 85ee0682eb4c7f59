import type { InstantMs } from '../clock.ts';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { emitEvent } from './event-log.ts';
import { takePendingItems } from './invoice-item.ts';
import { itemLine, meteredLine } from './invoice-line.ts';
import { invoiceObject } from './invoice-object.ts';
import { type MetadataChange, mergeMetadata } from './metadata.ts';
import { newId } from './object-id.ts';
import type { DraftBasis, Invoice, InvoiceItem, InvoiceObject } from './stripe-object.ts';

/** Stripe's docs: about an hour after `invoice.created` was answered, or after 72 hours without. */
const FINALIZATION_DELAY_MS = 60 * 60 * 1000;
const FINALIZATION_DELAY_UNANSWERED_MS = 72 * 60 * 60 * 1000;

/** Makes a draft, counts its lines as of now, and tells the webhook endpoints. */
export function draftInvoice(account: Account, basis: DraftBasis): Invoice {
  const id = newId('in');
  const items = basis.takesPendingItems
    ? takePendingItems(account, { ...basis, id }, basis.subscription?.id ?? null)
    : [];
  const grace = account.settings.finalizationGraceMs;
  const invoice: Invoice = {
    id,
    shown: invoiceObject(account, id, basis),
    lines: [],
    charges: basis.charges,
    items,
    isRecomputed: basis.billingReason === 'subscription_cycle',
    isTimeChosen: grace !== null,
    unanswered: new Set(),
  };
  recount(account, invoice);
  account.invoices.set(id, invoice);
  if (basis.autoAdvance) finalizeIn(account, invoice, grace ?? FINALIZATION_DELAY_MS);
  emitEvent(account, 'invoice.created', invoice.shown);
  return invoice;
}

/** Notes what the endpoint's answer to `invoice.created` means for the time of finalization. */
export function noteDraftDelivery(
  account: Account,
  invoiceId: string,
  delivery: { readonly endpointId: string; readonly delivered: boolean },
): void {
  const invoice = account.invoices.get(invoiceId);
  if (invoice === undefined || invoice.shown.status !== 'draft') return;
  const wasHeldUp = invoice.unanswered.size > 0;
  if (delivery.delivered) invoice.unanswered.delete(delivery.endpointId);
  else invoice.unanswered.add(delivery.endpointId);
  const isHeldUp = invoice.unanswered.size > 0;
  if (!isHeldUp) show(invoice, { webhooks_delivered_at: account.clock.nowSeconds() });
  if (invoice.isTimeChosen || !invoice.shown.auto_advance || wasHeldUp === isHeldUp) return;
  const untilUnanswered = invoice.shown.created * 1000 + FINALIZATION_DELAY_UNANSWERED_MS;
  const untilForced = untilUnanswered - account.clock.now();
  finalizeIn(
    account,
    invoice,
    isHeldUp ? untilForced : Math.min(untilForced, FINALIZATION_DELAY_MS),
  );
}

/**
 * Returns the instant at which a draft finalizes by itself; null when it is held or is no draft.
 */
export function finalizesAt(invoice: Invoice): InstantMs | null {
  const { status, auto_advance, automatically_finalizes_at } = invoice.shown;
  if (status !== 'draft' || !auto_advance || automatically_finalizes_at === null) return null;
  return automatically_finalizes_at * 1000;
}

/**
 * Finalizes a draft: its usage is counted again, and nothing that arrives later changes it. Throws
 * 400 when it is no draft. Payment is not modeled, so what is not zero stays open until it is paid.
 */
export function finalizeInvoice(account: Account, invoice: Invoice): void {
  if (invoice.shown.status !== 'draft') {
    throw invalidRequest('This invoice is already finalized, you cannot finalize it again.', {
      code: 'invoice_not_editable',
    });
  }
  const error = noteFailure(account, invoice);
  if (error !== null) throw invalidRequest(error, { code: 'invoice_not_editable' });
  if (invoice.isRecomputed) recount(account, invoice);
  const now = account.clock.nowSeconds();
  show(invoice, {
    status: 'open',
    last_finalization_error: null,
    number: `DOUBLE-${invoice.id.slice(-8).toUpperCase()}`,
    hosted_invoice_url: `https://invoice.stripe.com/i/double/${invoice.id}`,
    effective_at: now,
    ending_balance: 0,
    automatically_finalizes_at: null,
    status_transitions: { ...invoice.shown.status_transitions, finalized_at: now },
  });
  emitEvent(account, 'invoice.finalized', invoice.shown);
  if (invoice.shown.total <= 0) payInvoice(account, invoice);
}

/** Finalizes a draft whose time has come, where it can be. */
export function finalizeInTime(account: Account, invoice: Invoice): void {
  if (noteFailure(account, invoice) === null) finalizeInvoice(account, invoice);
}

/** A draft that cannot become final stays one, says why and tells of it; that nothing tries again is an assumption. */
function noteFailure(account: Account, invoice: Invoice): string | null {
  const { finalizationError: message } = account.settings;
  if (message === null) return null;
  const error = { type: 'invalid_request_error', message } as const;
  show(invoice, { last_finalization_error: error, automatically_finalizes_at: null });
  emitEvent(account, 'invoice.finalization_failed', invoice.shown);
  return message;
}

/** Puts an item on a draft; throws 400 where the invoice is none. */
export function attachItem(
  account: Account,
  invoiceId: string,
  create: () => InvoiceItem,
): InvoiceItem {
  const invoice = found(account.invoices, 'invoice', { id: invoiceId, param: 'invoice' });
  if (invoice.shown.status !== 'draft') {
    throw invalidRequest('This invoice is no longer editable.', { code: 'invoice_not_editable' });
  }
  const item = create();
  invoice.items = [...invoice.items, item];
  recount(account, invoice);
  return item;
}

/** Marks an open invoice as paid; a double takes no money. */
export function payInvoice(account: Account, invoice: Invoice): void {
  requireOpen(invoice);
  const now = account.clock.nowSeconds();
  show(invoice, {
    status: 'paid',
    attempted: true,
    amount_paid: invoice.shown.amount_due,
    amount_remaining: 0,
    status_transitions: { ...invoice.shown.status_transitions, paid_at: now },
  });
  emitEvent(account, 'invoice.paid', invoice.shown);
}

/** Voids an open invoice. Its usage is not billed again; that is an assumption. */
export function voidInvoice(account: Account, invoice: Invoice): void {
  requireOpen(invoice);
  const now = account.clock.nowSeconds();
  show(invoice, {
    status: 'void',
    status_transitions: { ...invoice.shown.status_transitions, voided_at: now },
  });
  emitEvent(account, 'invoice.voided', invoice.shown);
}

/** Gives an open invoice up as lost. */
export function markUncollectible(account: Account, invoice: Invoice): void {
  requireOpen(invoice);
  const now = account.clock.nowSeconds();
  show(invoice, {
    status: 'uncollectible',
    status_transitions: { ...invoice.shown.status_transitions, marked_uncollectible_at: now },
  });
  emitEvent(account, 'invoice.marked_uncollectible', invoice.shown);
}

/** Notes what was credited of a final invoice: an open one is paid where nothing remains. */
export function creditInvoice(account: Account, invoice: Invoice, amount: number): void {
  const { shown } = invoice;
  if (shown.status === 'paid') {
    const credited = shown.post_payment_credit_notes_amount + amount;
    show(invoice, { post_payment_credit_notes_amount: credited });
  } else {
    const remaining = shown.amount_remaining - amount;
    show(invoice, {
      pre_payment_credit_notes_amount: shown.pre_payment_credit_notes_amount + amount,
      amount_due: remaining,
      amount_remaining: remaining,
    });
  }
  emitEvent(account, 'invoice.updated', invoice.shown);
  if (invoice.shown.status === 'open' && invoice.shown.amount_remaining === 0) {
    payInvoice(account, invoice);
  }
}

/** Notes a credit that was taken back. */
export function uncreditInvoice(
  account: Account,
  invoice: Invoice,
  note: { readonly pre_payment_amount: number; readonly post_payment_amount: number },
): void {
  const { shown } = invoice;
  const remaining = shown.amount_remaining + note.pre_payment_amount;
  show(invoice, {
    post_payment_credit_notes_amount:
      shown.post_payment_credit_notes_amount - note.post_payment_amount,
    pre_payment_credit_notes_amount:
      shown.pre_payment_credit_notes_amount - note.pre_payment_amount,
    amount_due: remaining,
    amount_remaining: remaining,
  });
  emitEvent(account, 'invoice.updated', invoice.shown);
}

/** What `invoices.update` may change. */
export interface InvoiceChange {
  readonly auto_advance?: boolean | undefined;
  /** Unix seconds. */
  readonly automatically_finalizes_at?: number | undefined;
  readonly description?: string | undefined;
  readonly metadata?: MetadataChange | undefined;
}

/** Holds a draft with `auto_advance: false`, releases it, or chooses when it finalizes. */
export function updateInvoice(account: Account, invoice: Invoice, change: InvoiceChange): void {
  if (change.automatically_finalizes_at !== undefined) {
    if (invoice.shown.status !== 'draft') {
      throw invalidRequest('Only a draft has a time of finalization.', {
        code: 'invoice_not_editable',
        param: 'automatically_finalizes_at',
      });
    }
    invoice.isTimeChosen = true;
  }
  const autoAdvance = change.auto_advance ?? invoice.shown.auto_advance ?? false;
  show(invoice, {
    auto_advance: autoAdvance,
    description: change.description ?? invoice.shown.description,
    metadata: mergeMetadata(invoice.shown.metadata, change.metadata),
    automatically_finalizes_at: autoAdvance ? chosenTime(account, invoice, change) : null,
  });
  emitEvent(account, 'invoice.updated', invoice.shown);
}

export function invoiceOf(account: Account, id: string): Invoice {
  return found(account.invoices, 'invoice', { id });
}

/** A draft that is released again finalizes an hour later; that is an assumption. */
function chosenTime(account: Account, invoice: Invoice, change: InvoiceChange): number | null {
  if (invoice.shown.status !== 'draft') return null;
  const existing = change.automatically_finalizes_at ?? invoice.shown.automatically_finalizes_at;
  return existing ?? Math.floor((account.clock.now() + FINALIZATION_DELAY_MS) / 1000);
}

function finalizeIn(account: Account, invoice: Invoice, delayMs: number): void {
  const at = Math.floor((account.clock.now() + delayMs) / 1000);
  show(invoice, { automatically_finalizes_at: at });
}

/** Counts the lines and their sum as of now. */
function recount(account: Account, invoice: Invoice): void {
  const metered = invoice.charges.map((charge) => meteredLine(account, charge, invoice.id));
  invoice.lines = [...metered, ...invoice.items.map((item) => itemLine(item, invoice.id))];
  const total = invoice.lines.reduce((sum, line) => sum + line.amount, 0);
  const due = Math.max(0, total);
  show(invoice, {
    amount_due: due,
    amount_remaining: due,
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  });
}

/** The first ten lines come with the invoice; the rest is to be listed, as at Stripe. */
const LINES_SHOWN_MAX = 10;

function show(invoice: Invoice, change: Partial<InvoiceObject>): void {
  invoice.shown = {
    ...invoice.shown,
    ...change,
    lines: {
      object: 'list',
      url: `/v1/invoices/${invoice.id}/lines`,
      has_more: invoice.lines.length > LINES_SHOWN_MAX,
      data: invoice.lines.slice(0, LINES_SHOWN_MAX),
    },
  };
}

function requireOpen(invoice: Invoice): void {
  if (invoice.shown.status === 'open') return;
  throw invalidRequest(`The invoice is ${invoice.shown.status}, not open.`, {
    code: 'invoice_not_editable',
  });
}
