import { present } from '../../present.ts';
import { ITSELF, markResolved, readOpenAlerts } from '../../push/alert-store.ts';
import { isTakeBack } from '../../push/intent.ts';
import { readIntents } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import type { AlertKind } from '../alerts/stripe-alert.ts';
import { itemAmount } from '../items/tell-item.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readFinalOnMeter, readInvoices, readPeriodsOfInvoice } from './invoice-store.ts';
import { findTarget } from './own-invoice.ts';

export interface MeterBill {
  readonly quantity: bigint;
  readonly amount: bigint;
}

/**
 * Returns what invoices must bill of the meter's usage: the statement, less what was billed in
 * another way.
 */
export async function dueOnMeter(
  { database }: Pick<StripeParts, 'database'>,
  target: PushTarget,
): Promise<MeterBill> {
  const total = present(target.chargeTotal, 'the total of the statement');
  const elsewhere = (await readIntents(database, target)).filter(
    ({ destination, state }) => destination !== 'meter' && state !== 'missing',
  );
  return elsewhere.reduce<MeterBill>(
    ({ quantity, amount }, { valueMicro }) => ({
      quantity: quantity - valueMicro,
      amount: amount - signedAmount(valueMicro, target.currency),
    }),
    { quantity: target.billableMicro, amount: total },
  );
}

/** What takes another back is rounded as that is, so that the two come to nothing. */
function signedAmount(valueMicro: bigint, currency: string): bigint {
  return isTakeBack({ valueMicro })
    ? -itemAmount(-valueMicro, currency)
    : itemAmount(valueMicro, currency);
}

/** Two subscriptions bill the same usage twice, each invoice right by itself: they are summed. */
export async function billedOnMeter(
  { database }: Pick<StripeParts, 'database'>,
  period: Pick<PushTarget, 'tenantId' | 'periodStart'>,
): Promise<MeterBill & { readonly count: number }> {
  const final = await readFinalOnMeter(database, period);
  return {
    quantity: final.reduce((sum, { quantity }) => sum + (quantity ?? 0n), 0n),
    amount: final.reduce((sum, { amount }) => sum + (amount ?? 0n), 0n),
    count: final.length,
  };
}

/** What such an alert says is no longer so once everything that is due is billed. */
const ENDED_BY_BILLING: ReadonlySet<string> = new Set<AlertKind>([
  'invoice_differs',
  'invoice_final_too_early',
]);

/**
 * Ends the alerts about invoices that differed, or were final too early, and differ no more: the rest was billed by an invoice item since, or the
 * second invoice was voided. Else a person would be asked to bill once more what is billed.
 */
export async function endWhatIsEqual(
  parts: Pick<StripeParts, 'database' | 'clock'>,
  month: string,
): Promise<void> {
  const { database, clock } = parts;
  const ofMeter = (await readInvoices(database, { month, tenantId: null }))
    .filter(({ identifier }) => identifier === null)
    .map(({ invoiceId }) => invoiceId);
  const alerts = (await readOpenAlerts(database, month)).filter(
    ({ kind, subject }) => ENDED_BY_BILLING.has(kind) && ofMeter.includes(subject),
  );
  if (alerts.length === 0) return;
  for (const { alertId, subject } of alerts) {
    if (!(await isBilledEqually(parts, subject))) continue;
    const resolution = 'its invoices bill by now what is due on them';
    await markResolved(database, { alertId, resolution, by: ITSELF, at: clock() });
  }
}

const NOTHING: MeterBill = { quantity: 0n, amount: 0n };

/** Whether each period that an invoice bills is billed what is due of it, which is nothing where it was closed in shadow. */
async function isBilledEqually(
  parts: Pick<StripeParts, 'database'>,
  invoiceId: string,
): Promise<boolean> {
  for (const period of await readPeriodsOfInvoice(parts.database, invoiceId)) {
    const target = await findTarget(parts, period);
    if (target === null) return false;
    const due = target.mode === 'shadow' ? NOTHING : await dueOnMeter(parts, target);
    const billed = await billedOnMeter(parts, target);
    if (due.quantity !== billed.quantity || due.amount !== billed.amount) return false;
  }
  return true;
}
