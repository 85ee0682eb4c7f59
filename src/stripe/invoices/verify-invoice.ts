import type Stripe from 'stripe';
import { formatMinor } from '../../money.ts';
import { readIntentsByIdentifier } from '../../push/intent-store.ts';
import { INTENT_KEY } from '../items/read-items.ts';
import { itemAmount } from '../items/tell-item.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readInvoice, saveFinalized } from './invoice-store.ts';
import type { MeterBill } from './meter-bill.ts';
import { billedOnMeter, dueOnMeter } from './meter-bill.ts';
import type { OwnInvoice } from './own-invoice.ts';
import { alert, findOwn, NEVER_BILLED } from './own-invoice.ts';

const VOID_BY_NOW = 'ignored: it was void by the time it was compared';

/**
 * Compares a final invoice with the period's manifest, to the unit and to the cent, and keeps its id.
 * A difference is an alert: nothing on the meter changes a final invoice any more.
 */
export async function verifyInvoice(parts: StripeParts, invoice: Stripe.Invoice): Promise<string> {
  const { database, clock } = parts;
  const identifier = invoice.metadata?.[INTENT_KEY];
  if (identifier !== undefined) return verifyItemInvoice(parts, invoice, identifier);
  const own = await findOwn(parts, invoice);
  if (typeof own === 'string') return own;
  const { billed, target } = own;
  const state = invoice.status === 'void' ? 'void' : 'finalized';
  const hostedUrl = invoice.hosted_invoice_url ?? null;
  const { amount } = billed;
  const figures = { state, quantity: billed.quantity ?? -1n, amount, hostedUrl } as const;
  if (own.mode === 'shadow') {
    // A draft that was held before its period was closed in shadow, and let go since, is final now.
    const isKnown = (await readInvoice(database, own.invoiceId)) !== null;
    if (isKnown) await saveFinalized(database, { ...own, ...figures }, clock());
    if (billed.quantity === 0n || invoice.status === 'void') return NEVER_BILLED;
    const detail = `it bills ${billed.quantity ?? 'a fraction of'} micro, and its period was in shadow, of which nothing is due`;
    return alert(parts, own, { kind: 'invoice_differs', detail });
  }
  if (!(await saveFinalized(database, { ...own, ...figures }, clock()))) return VOID_BY_NOW;
  if (target === null) {
    const detail = `it is ${invoice.status} and the period is not closed; what is told of the period from now on is billed by an invoice item`;
    return alert(parts, own, { kind: 'invoice_final_too_early', detail });
  }
  const due = await dueOnMeter(parts, target);
  const all = await billedOnMeter(parts, own);
  const unsure = await unsureOf(parts, own, { invoice, ...all, due });
  if (unsure !== null) return unsure;
  if (all.quantity === due.quantity && all.amount === due.amount) return 'equals the statement';
  const { currency } = target;
  const together =
    all.count > 1 ? `with ${all.count - 1} more of this period it bills` : 'it bills';
  const quantity = billed.quantity === null ? 'no whole number of' : all.quantity;
  const detail = `${together} ${quantity} micro and ${formatMinor(all.amount, currency)} ${currency}, the statement says ${due.quantity} micro and ${formatMinor(due.amount, currency)}`;
  return alert(parts, own, { kind: 'invoice_differs', detail });
}

/** What was billed and taken back by a person is a matter for a person; null where nothing was. */
async function unsureOf(
  parts: StripeParts,
  own: OwnInvoice,
  of: { readonly invoice: Stripe.Invoice; readonly quantity: bigint; readonly due: MeterBill },
): Promise<string | null> {
  const { invoice, quantity, due } = of;
  if (invoice.status === 'void' && quantity < due.quantity) {
    const detail = 'it is void, and no other final invoice bills this usage';
    return alert(parts, own, { kind: 'invoice_void', detail });
  }
  return alertCredited(parts, own, invoice);
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
  own: Parameters<typeof alert>[1],
  invoice: Stripe.Invoice,
): Promise<string | null> {
  const credited = creditedOf(invoice);
  if (invoice.status === 'void' || credited <= 0) return null;
  const currency = invoice.currency.toUpperCase();
  const detail = `${formatMinor(BigInt(credited), currency)} ${currency} of it was credited, which the statement does not say`;
  return alert(parts, own, { kind: 'invoice_credited', detail });
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
  const amount = BigInt(invoice.subtotal);
  const due = itemAmount(valueMicro, invoice.currency.toUpperCase());
  const isRight = amount === due && invoice.status !== 'void';
  const state = invoice.status === 'void' ? 'void' : 'finalized';
  const hostedUrl = invoice.hosted_invoice_url ?? null;
  const figures = { state, quantity: isRight ? valueMicro : 0n, amount, hostedUrl } as const;
  if (!(await saveFinalized(database, { ...own, ...figures }, clock()))) return VOID_BY_NOW;
  if (isRight) return (await alertCredited(parts, own, invoice)) ?? 'equals its intent';
  const detail = `it is ${invoice.status} with ${amount} minor units and intent ${identifier} says ${due}`;
  return alert(parts, own, { kind: 'invoice_differs', detail });
}
