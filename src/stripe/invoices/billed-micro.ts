import type { Database } from '../../database/database.ts';
import { intentKey } from '../../push/intent.ts';
import { readInvoices } from './invoice-store.ts';

/** Micro units on the final invoices of each period, by `intentKey`. */
export async function readBilled(
  database: Database,
  of: { readonly month: string | null; readonly tenantId: string | null },
): Promise<ReadonlyMap<string, bigint>> {
  const billed = new Map<string, bigint>();
  for (const invoice of await readInvoices(database, of)) {
    if (invoice.state !== 'finalized') continue;
    const key = intentKey(invoice);
    billed.set(key, (billed.get(key) ?? 0n) + (invoice.quantity ?? 0n));
  }
  return billed;
}
