import Stripe from 'stripe';
import type { Clock, InstantMs } from '../../clock.ts';
import { minorPerBilled, picoPerBilled } from '../../currencies.ts';
import type { Database } from '../../database/database.ts';
import { divideHalfUp } from '../../money.ts';
import type { TellAnswer } from '../../push/destination.ts';
import type { Intent } from '../../push/intent.ts';
import { saveReleased } from '../invoices/invoice-store.ts';
import { sendOnce } from '../send-once.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe, reasonOf, unknownAnswer } from '../stripe-client.ts';
import { INTENT_KEY, identifierIn, itemMetadata, itemsOf } from './read-items.ts';

interface TellParts {
  readonly database: Database;
  readonly stripe: StripeClient;
  readonly clock: Clock;
}

/**
 * Bills a value by one item on an invoice of its own: the draft first, which is nothing by itself, then the
 * item on it, then the draft is let go. Each step is found again before it is done, so that a process that
 * died between two of them leaves what the next one goes on with. An item that waited for some other
 * invoice would be billed by none where the customer has no subscription.
 */
export async function tellItem(
  parts: TellParts,
  intent: Intent,
  until: InstantMs,
): Promise<TellAnswer> {
  try {
    const known = await findItem(parts, intent);
    const draft =
      (await findInvoice(parts, intent, known)) ?? (await createDraft(parts, intent, until));
    if (known === undefined) await createItem(parts, intent, { invoice: draft.id, until });
    await keepInvoice(parts, intent, draft);
    if (draft.isHeld) {
      await sendOnce({ until, clock: parts.clock }, () => letGo(parts, draft));
    }
    const how = known === undefined ? 'made' : 'already there';
    return { kind: 'delivered', how: `item ${how} on invoice ${draft.id}` };
  } catch (error) {
    return classifyItemFailure(error);
  }
}

/**
 * Lets the invoice of an item go, where the count holds the item and nobody heard that it was let go: whoever made it
 * may have died since, and by now it may be told no more.
 */
export async function finishItem(parts: TellParts, intent: Intent): Promise<void> {
  const draft = await findInvoice(parts, intent, await findItem(parts, intent));
  if (draft === null) return;
  await keepInvoice(parts, intent, draft);
  if (draft.isHeld) await askStripe(`releasing invoice ${draft.id}`, () => letGo(parts, draft));
}

async function keepInvoice(
  { database, clock }: TellParts,
  { tenantId, periodStart, customer: stripeCustomer, identifier }: Intent,
  { id: invoiceId }: Draft,
): Promise<void> {
  const own = { invoiceId, tenantId, periodStart, stripeCustomer, identifier };
  await saveReleased(database, own, clock());
}

async function findItem(
  { stripe }: TellParts,
  { customer, identifier }: Intent,
): Promise<Stripe.InvoiceItem | undefined> {
  const items = await itemsOf(stripe, customer);
  return items.find((item) => identifierIn(item) === identifier);
}

interface Draft {
  readonly id: string;
  readonly isHeld: boolean;
}

const INVOICES_LISTED = 100;

/** The invoice that the item is on, or the draft that was made for it; null where there is none. */
async function findInvoice(
  { stripe }: TellParts,
  intent: Intent,
  item: Stripe.InvoiceItem | undefined,
): Promise<Draft | null> {
  const on = item?.invoice;
  if (typeof on === 'string') {
    const invoice = await askStripe(`invoice ${on}`, () => stripe.invoices.retrieve(on));
    return { id: on, isHeld: isHeldFor(intent, invoice) };
  }
  const { customer } = intent;
  const page = await askStripe(`the invoices of customer ${customer}`, () =>
    stripe.invoices.list({ customer, limit: INVOICES_LISTED }),
  );
  const found = page.data.find((invoice) => isFor(intent, invoice));
  return found?.id === undefined ? null : { id: found.id, isHeld: isHeldFor(intent, found) };
}

function isFor({ identifier }: Intent, { metadata }: Stripe.Invoice): boolean {
  return metadata?.[INTENT_KEY] === identifier;
}

/** A draft on which a person put the item is that person's to let go. */
function isHeldFor(intent: Intent, invoice: Stripe.Invoice): boolean {
  return isFor(intent, invoice) && invoice.status === 'draft' && invoice.auto_advance !== true;
}

async function createDraft(
  { stripe, clock }: TellParts,
  { customer, identifier, channel }: Intent,
  until: InstantMs,
): Promise<Draft> {
  const body = {
    customer,
    currency: currencyOfChannel(channel).toLowerCase(),
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude',
    metadata: { [INTENT_KEY]: identifier },
  } as const;
  const made = await sendOnce({ until, clock }, () =>
    stripe.invoices.create(body, { idempotencyKey: `${identifier}-invoice` }),
  );
  return { id: made.id ?? '', isHeld: true };
}

function createItem(
  { stripe, clock }: TellParts,
  intent: Intent,
  of: { readonly invoice: string; readonly until: InstantMs },
): Promise<Stripe.InvoiceItem> {
  const currency = currencyOfChannel(intent.channel);
  const body = {
    customer: intent.customer,
    invoice: of.invoice,
    amount: Number(itemAmount(intent.valueMicro, currency)),
    currency: currency.toLowerCase(),
    description: `LLM usage, period from ${intent.periodStart}`,
    metadata: itemMetadata(intent),
  };
  return sendOnce({ until: of.until, clock }, () =>
    stripe.invoiceItems.create(body, { idempotencyKey: intent.identifier }),
  );
}

function letGo({ stripe }: TellParts, { id }: Draft): Promise<Stripe.Invoice> {
  return stripe.invoices.update(id, { auto_advance: true });
}

const CHANNEL = 'spanledger_items_';

/** Returns the name of the place where the items of a currency are counted. */
export function itemChannel(currency: string): string {
  return `${CHANNEL}${currency.toLowerCase()}`;
}

function currencyOfChannel(channel: string): string {
  return channel.slice(CHANNEL.length).toUpperCase();
}

/** Returns the minor units, rounded half up as a statement's total is. */
export function itemAmount(valueMicro: bigint, currency: string): bigint {
  const picos = valueMicro * 1_000_000n;
  return divideHalfUp(picos, picoPerBilled(currency)) * minorPerBilled(currency);
}

/** A request that decides nothing may be repeated; what is refused is refused for this one intent. */
function classifyItemFailure(error: unknown): TellAnswer {
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  const detail = `${error.type} ${error.statusCode ?? 'without status'}: ${reasonOf(error)}`;
  switch (error.statusCode) {
    case 401:
    case 403:
      return { kind: 'systemic', detail };
    case 400:
    case 402:
    case 404:
      return { kind: 'refused', detail };
    default:
      return unknownAnswer(error, detail);
  }
}
