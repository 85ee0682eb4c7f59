import { HOUR_MS } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Destination, Obstacle, Told } from '../../push/destination.ts';
import { isAddress } from '../../push/destination.ts';
import type { Memory } from '../../push/intent-state.ts';
import { advise } from '../../remedy.ts';
import { findOtherCurrency } from '../customers/bills-usage.ts';
import { findBilledBeyond } from '../meters/billed-beyond.ts';
import type { MeterParts } from '../meters/meter-destination.ts';
import { addressAt, disownFault, lookAtCustomer } from '../meters/meter-destination.ts';
import type { StripeMeter } from '../meters/meter-store.ts';
import { pacedCount } from '../reads/paced-read.ts';
import { readItems } from './read-items.ts';
import { finishItem, itemChannel, tellItem } from './tell-item.ts';

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
  const { database, stripe, livemode, account } = parts;
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
    isExcused: async () => false,
    checkChannel: async () => undefined,
    async lookAt(whom) {
      const meter = meters.get(whom.target.currency);
      const obstacle =
        (await findBilledAlready(database, whom)) ?? (await lookAtCustomer(parts, whom));
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
    // Its invoice is compared with its intent when that is final (invoices/verify-invoice.ts).
    readBilled: async () => new Map(),
  };
}

/**
 * What final invoices bill of the meter's count beyond what is on record as told there may be this very usage, told
 * before a restore or counted by nobody any more: no item bills it once more before a person has said what it is.
 */
async function findBilledAlready(
  database: Database,
  { target }: Pick<Told, 'target'>,
): Promise<Obstacle | null> {
  const { tenantId, periodStart } = target;
  const beyond = await findBilledBeyond(database, target);
  if (beyond === null || beyond.isExplained) return null;
  const { invoiceIds, billed, told } = beyond;
  const which = invoiceIds.join(', ');
  const month = periodStart.slice(0, 7);
  const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
  return {
    fault: `final invoices of this period (${which}) bill ${billed} micro of the meter, and ${told} of it is on record as told there`,
    remedy: advise`bill nothing more before it is clear what they bill: where it is this usage, record as much of it with ${settled}, and the next push bills the rest; otherwise credit it whole and resolve the alert about the invoice`,
    isOnlyHere: false,
  };
}
