import type { Database } from '../../database/database.ts';
import { periodKey } from '../../periods/period-key.ts';
import { readSettledSubjects } from '../../push/alert-store.ts';
import { WRONG_BILL_ALERTS } from '../alerts/stripe-alert.ts';
import { readInvoices } from './invoice-store.ts';

/**
 * Reads micro units on the final invoices of each period, by `periodKey`. A period whose invoice
 * differs and of which a person has said what was done is left out: what it bills together is no
 * longer on that invoice alone.
 */
export async function readBilled(
  database: Database,
  of: { readonly month: string | null; readonly tenantId: string | null },
): Promise<ReadonlyMap<string, bigint>> {
  const billed = new Map<string, bigint>();
  const settled = await readSettledSubjects(database, WRONG_BILL_ALERTS);
  const invoices = await readInvoices(database, of);
  for (const invoice of invoices) {
    if (invoice.state !== 'finalized') continue;
    const key = periodKey(invoice);
    billed.set(key, (billed.get(key) ?? 0n) + (invoice.quantity ?? 0n));
  }
  for (const invoice of invoices) {
    if (settled.has(invoice.invoiceId)) billed.delete(periodKey(invoice));
  }
  return billed;
}
