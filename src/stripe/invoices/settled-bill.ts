import type { Database } from '../../database/database.ts';
import { readSettledSubjects } from '../../push/alert-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { WRONG_BILL_ALERTS } from '../alerts/stripe-alert.ts';
import { readInvoices } from './invoice-store.ts';

/** Whether a person has settled what is wrong with an invoice that bills the meter's count of a period. */
export async function isBillSettled(
  database: Database,
  { tenantId, periodStart }: Pick<PushTarget, 'tenantId' | 'periodStart'>,
): Promise<boolean> {
  const settled = await readSettledSubjects(database, WRONG_BILL_ALERTS);
  if (settled.size === 0) return false;
  const invoices = await readInvoices(database, { month: null, tenantId });
  return invoices.some(
    (invoice) =>
      invoice.periodStart === periodStart &&
      invoice.identifier === null &&
      settled.has(invoice.invoiceId),
  );
}
