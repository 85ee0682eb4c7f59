import type Stripe from 'stripe';
import { minorUnitDecimals } from '../../currencies.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';

/** The metadata by which an item, and the invoice that bills it, are found again. */
export const INTENT_KEY = 'spanledger_intent';
const PERIOD_KEY = 'period_key';
const VALUE_KEY = 'spanledger_micro';

/** Returns what stands with an item, so that it is found again by what it bills. */
export function itemMetadata(of: {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly identifier: string;
  readonly valueMicro: bigint;
}): Record<string, string> {
  return {
    [PERIOD_KEY]: periodNamed(of),
    [INTENT_KEY]: of.identifier,
    [VALUE_KEY]: String(of.valueMicro),
  };
}

function periodNamed(of: { readonly tenantId: string; readonly periodStart: string }): string {
  return `${of.tenantId}/${of.periodStart}`;
}

/** The bound is more than any customer has; a list is read to its end. */
const MOST_ITEMS = 10_000;

/**
 * Reads what invoice items bill of a period, in micro units. Items are listed, not searched, since
 * Stripe's search lags. An item that a person made for the period counts only where none is of this
 * ledger: then it stands against making another.
 */
export async function readItems(
  stripe: StripeClient,
  of: {
    readonly customer: string;
    readonly tenantId: string;
    readonly periodStart: string;
    readonly ledgerName: string;
  },
): Promise<bigint> {
  const all = await itemsOf(stripe, of.customer);
  const items = all.filter(({ metadata }) => metadata?.[PERIOD_KEY] === periodNamed(of));
  const own = items.filter((item) => identifierIn(item).startsWith(`spl-${of.ledgerName}-`));
  return (own.length > 0 ? own : items).reduce((sum, item) => sum + microOf(item), 0n);
}

export function itemsOf(
  stripe: StripeClient,
  customer: string,
): Promise<readonly Stripe.InvoiceItem[]> {
  return askStripe(`the invoice items of customer ${customer}`, () =>
    stripe.invoiceItems.list({ customer, limit: 100 }).autoPagingToArray({ limit: MOST_ITEMS }),
  );
}

export function identifierIn({ metadata }: Pick<Stripe.InvoiceItem, 'metadata'>): string {
  return metadata?.[INTENT_KEY] ?? '';
}

/** An item of ours says its exact value; of another one only the amount is known. */
function microOf({ amount, currency, metadata }: Stripe.InvoiceItem): bigint {
  const exact = metadata?.[VALUE_KEY];
  if (exact !== undefined && /^\d+$/.test(exact)) return BigInt(exact);
  return BigInt(amount) * 10n ** BigInt(6 - minorUnitDecimals(currency.toUpperCase()));
}
