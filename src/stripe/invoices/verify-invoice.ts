import type Stripe from 'stripe';
import { formatMinor } from '../../money.ts';
import { endAlerts } from '../../push/alert-store.ts';
import { readIntents, readIntentsByIdentifier } from '../../push/intent-store.ts';
import { INTENT_KEY } from '../items/read-items.ts';
import { itemAmount } from '../items/tell-item.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readLines } from './billed-period.ts';
import { divideBill } from './divide-bill.ts';
import { readInvoice, saveFinalized } from './invoice-store.ts';
import { billedOnMeter, dueOnMeter } from './meter-bill.ts';
import type { InvoicePeriod, OwnInvoice } from './own-invoice.ts';
import { findOwn, NEVER_BILLED, raiseInvoiceAlert } from './own-invoice.ts';

const BILLS_ANOTHER = 'ignored: it bills nothing, and its period was told for another customer';
const VOID_BY_NOW = 'ignored: it was void by the time it was compared';

/**
 * Compares a final invoice with the manifests of its periods, to the unit and to the cent, and keeps its id.
 * A difference is an alert: nothing on the meter changes a final invoice any more.
 */
export async function verifyInvoice(parts: StripeParts, invoice: Stripe.Invoice): Promise<string> {
  const { database, clock } = parts;
  const identifier = invoice.metadata?.[INTENT_KEY];
  if (identifier !== undefined) return verifyItemInvoice(parts, invoice, identifier);
  const own = await findOwn(parts, invoice);
  if (typeof own === 'string') return own;
  const state = invoice.status === 'void' ? 'void' : 'finalized';
  const hostedUrl = invoice.hosted_invoice_url ?? null;
  const shares = await divideBill(parts, own);
  const isOfShadow = own.mode === 'shadow';
  // A draft that was held before its period was closed in shadow, and let go since, is final now.
  if (!isOfShadow || (await readInvoice(database, own.invoiceId)) !== null) {
    for (const { period, quantity, amount } of shares) {
      const figures = { state, quantity, amount, hostedUrl } as const;
      const isKept = await saveFinalized(database, { ...period, ...figures }, clock());
      if (!isKept && !isOfShadow) return VOID_BY_NOW;
    }
  }
  if (isOfShadow) return alertShadow(parts, own, invoice);
  const closed = own.periods.findLast(({ target }) => target !== null);
  const credited = closed === undefined ? null : await alertCredited(parts, closed, invoice);
  const found: string[] = [];
  for (const { period } of shares) found.push(await verifyPeriod(parts, { own, period, invoice }));
  // A credit says nothing of what the invoice lacks.
  const wrong = [...new Set(found)].filter((said) => said !== EQUAL);
  return [...wrong, ...(credited === null ? [] : [credited])].join('; ') || EQUAL;
}

const EQUAL = 'equals the statement';
const IS_VOID = 'it is void, and no other final invoice bills this usage';

async function alertShadow(
  parts: StripeParts,
  own: OwnInvoice,
  invoice: Stripe.Invoice,
): Promise<string> {
  const { quantity } = own.billed;
  const [period] = own.periods;
  if (quantity === 0n || invoice.status === 'void' || period === undefined) return NEVER_BILLED;
  const detail = `it bills ${quantity ?? 'a fraction of'} micro, and its period was in shadow, of which nothing is due`;
  return raiseInvoiceAlert(parts, period, { kind: 'invoice_differs', detail });
}

/** Compares what all final invoices of a period bill of it, once this one is among them, with what is due. */
async function verifyPeriod(
  parts: StripeParts,
  of: {
    readonly own: OwnInvoice;
    readonly period: InvoicePeriod;
    readonly invoice: Stripe.Invoice;
  },
): Promise<string> {
  const { own, period, invoice } = of;
  const { target } = period;
  const all = await billedOnMeter(parts, period);
  if (target === null) return alertTooEarly(parts, period, { invoice, count: all.count });
  if (own.billed.quantity === 0n && (await isOfFormer(parts, period))) return BILLS_ANOTHER;
  const due = await dueOnMeter(parts, target);
  // What was billed and taken back by a person is a matter for a person.
  if (invoice.status === 'void' && all.quantity < due.quantity) return alertVoid(parts, period);
  if (all.quantity === due.quantity && all.amount === due.amount) return EQUAL;
  const { currency } = target;
  const its = own.periods.length > 1 ? 'its part for this period' : 'it';
  const together =
    all.count > 1 ? `with ${all.count - 1} more of this period ${its} bills` : `${its} bills`;
  const quantity = own.billed.quantity === null ? 'no whole number of' : all.quantity;
  const detail = `${together} ${quantity} micro and ${formatMinor(all.amount, currency)} ${currency}, the statement says ${due.quantity} micro and ${formatMinor(due.amount, currency)}`;
  return raiseInvoiceAlert(parts, period, { kind: 'invoice_differs', detail });
}

/** Whether the period was told for other customers only: what this one is billed lacks nothing of it. */
async function isOfFormer(
  { database }: Pick<StripeParts, 'database'>,
  own: Pick<InvoicePeriod, 'tenantId' | 'periodStart' | 'stripeCustomer'>,
): Promise<boolean> {
  const told = (await readIntents(database, own)).filter(
    ({ destination, state }) => destination === 'meter' && state !== 'missing',
  );
  return told.length > 0 && told.every(({ customer }) => customer !== own.stripeCustomer);
}

/** What is told after a final invoice is billed by an item; where each one is void the meter is told, and no invoice bills that. */
async function alertTooEarly(
  parts: StripeParts,
  own: InvoicePeriod,
  of: { readonly invoice: Stripe.Invoice; readonly count: number },
): Promise<string> {
  const { status } = of.invoice;
  if (status === 'void') {
    return of.count === 0 ? alertVoid(parts, own) : 'void beside another final invoice';
  }
  const detail = `it is ${status} and the period is not closed; what is told of the period from now on is billed by an invoice item`;
  return raiseInvoiceAlert(parts, own, { kind: 'invoice_final_too_early', detail });
}

async function alertVoid(
  parts: StripeParts,
  own: Parameters<typeof raiseInvoiceAlert>[1],
): Promise<string> {
  const { database, clock } = parts;
  const promised = { kind: 'invoice_final_too_early', subjects: [own.invoiceId] } as const;
  const resolution = 'it is void by now, and no item is made for it';
  await endAlerts(database, promised, { resolution, at: clock() });
  return raiseInvoiceAlert(parts, own, { kind: 'invoice_void', detail: IS_VOID });
}

/** Returns what of a final invoice was credited, in minor units. */
export function creditedOf(
  invoice: Pick<
    Stripe.Invoice,
    'pre_payment_credit_notes_amount' | 'post_payment_credit_notes_amount'
  >,
): number {
  return invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount;
}

async function alertCredited(
  parts: StripeParts,
  own: Parameters<typeof raiseInvoiceAlert>[1],
  invoice: Stripe.Invoice,
): Promise<string | null> {
  const credited = creditedOf(invoice);
  if (invoice.status === 'void' || credited <= 0) return null;
  const currency = invoice.currency.toUpperCase();
  const detail = `${formatMinor(BigInt(credited), currency)} ${currency} of it was credited, which the statement does not say`;
  return raiseInvoiceAlert(parts, own, { kind: 'invoice_credited', detail });
}

/** An invoice that was made for one intent bills what that says, and is never held. */
async function verifyItemInvoice(
  parts: StripeParts,
  invoice: Stripe.Invoice,
  identifier: string,
): Promise<string> {
  const { database, clock } = parts;
  const [intent] = await readIntentsByIdentifier(database, [identifier]);
  if (intent === undefined) return 'ignored: made for an intent of another ledger';
  const { tenantId, periodStart, customer: stripeCustomer, valueMicro } = intent;
  const own = { invoiceId: invoice.id ?? '', tenantId, periodStart, stripeCustomer, identifier };
  if (invoice.status === 'draft') return 'ours: it bills one intent, and is not held';
  const due = itemAmount(valueMicro, invoice.currency.toUpperCase());
  const sums = [BigInt(invoice.subtotal), await sumOfOwnLines(parts, invoice, identifier)];
  // What a person put beside our line is a matter between them and their customer.
  const amount = sums.find((sum) => sum === due) ?? BigInt(invoice.subtotal);
  const isRight = amount === due && invoice.status !== 'void';
  const state = invoice.status === 'void' ? 'void' : 'finalized';
  const hostedUrl = invoice.hosted_invoice_url ?? null;
  const figures = { state, quantity: isRight ? valueMicro : 0n, amount, hostedUrl } as const;
  if (!(await saveFinalized(database, { ...own, ...figures }, clock()))) return VOID_BY_NOW;
  if (isRight) return (await alertCredited(parts, own, invoice)) ?? 'equals its intent';
  if (state === 'void') return alertVoid(parts, own);
  const detail = `it is ${invoice.status} with ${amount} minor units and intent ${identifier} says ${due}`;
  return raiseInvoiceAlert(parts, own, { kind: 'invoice_differs', detail });
}

/** What the lines of an intent's own item bill, in minor units. */
async function sumOfOwnLines(
  { stripe }: StripeParts,
  invoice: Stripe.Invoice,
  identifier: string,
): Promise<bigint> {
  const lines = await readLines(stripe, invoice);
  const own = lines.filter(({ metadata }) => metadata[INTENT_KEY] === identifier);
  return own.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}
