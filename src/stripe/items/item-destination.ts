import type { Destination } from '../../push/destination.ts';
import { isAddress } from '../../push/destination.ts';
import type { Memory } from '../../push/intent-state.ts';
import { findOtherCurrency } from '../customers/bills-usage.ts';
import type { MeterParts } from '../meters/meter-destination.ts';
import { addressAt, disownFault, lookAtCustomer } from '../meters/meter-destination.ts';
import type { StripeMeter } from '../meters/meter-store.ts';
import { pacedCount } from '../reads/paced-read.ts';
import { readItems } from './read-items.ts';
import { finishItem, itemChannel, tellItem } from './tell-item.ts';

const HOUR_MS = 60 * 60 * 1000;

const ITEM_MEMORY: Memory = {
  // Stripe keeps an idempotency key for at least 24 hours; an hour is left for the clocks and a request that hangs.
  resendWithinMs: 23 * HOUR_MS,
  absenceProvesAfterMs: 24 * HOUR_MS,
  countsWithinMs: HOUR_MS,
};

/**
 * Bills what the meter cannot take, as an invoice item on an invoice of its own: usage that is too
 * old or too large for it, that would come after the final invoice, or that no subscription bills.
 * One item for each intent.
 */
export function itemDestination(
  parts: MeterParts & { readonly ledgerName: string },
  meters: ReadonlyMap<string, StripeMeter>,
): Destination {
  const { stripe, livemode, account } = parts;
  return {
    kind: 'invoice_item',
    origin: { livemode, account },
    countName: "Stripe's invoice items",
    memory: ITEM_MEMORY,
    describe(target) {
      const address = addressAt(target, { meters, livemode });
      return isAddress(address) ? { ...address, channel: itemChannel(target.currency) } : address;
    },
    disown: (intent) => disownFault(intent, parts),
    objectTo: async () => null,
    checkChannels: async () => undefined,
    async lookAt(whom) {
      const meter = meters.get(whom.target.currency);
      const obstacle = await lookAtCustomer(parts, whom);
      if (obstacle !== null || meter === undefined) return obstacle;
      const { customer, target } = whom;
      return findOtherCurrency(stripe, meter, { customer, tenantId: target.tenantId });
    },
    tell: (intent, until) => tellItem(parts, intent, until),
    finish: (intent) => finishItem(parts, intent),
    readCount: ({ mayBeOld, ...question }) => {
      const read = () => readItems(stripe, { ...question, ledgerName: parts.ledgerName });
      return pacedCount(parts, { ...question, what: 'invoice_item' }, { read, mayBeOld });
    },
    // Its invoice is compared with its intent when that is final (invoices/invoice.ts).
    readBilled: async () => new Map(),
  };
}
