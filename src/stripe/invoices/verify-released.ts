import { inParallel } from '../../in-parallel.ts';
import { watchAnswers } from '../../push/answer-watch.ts';
import { refuseOtherKey } from '../meters/meter-store.ts';
import { isMissing } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readInvoices, saveGone } from './invoice-store.ts';
import { fetchInvoice } from './own-invoice.ts';
import { verifyInvoice } from './verify-invoice.ts';

/** Stripe allows 25 requests a second of a kind; those in work at once wait for their turn there. */
const PARALLEL_INVOICES = 8;

/** Compares the released invoices of a month that have become final since; answers those that have not. */
export async function verifyReleased(parts: StripeParts, month: string): Promise<number> {
  const invoices = await readInvoices(parts.database, { month, tenantId: null });
  const released = invoices.filter(({ state }) => state === 'released');
  if (released.length > 0) await refuseOtherKey(parts);
  let left = 0;
  const answers = watchAnswers();
  await inParallel(released, PARALLEL_INVOICES, async ({ invoiceId }) => {
    try {
      const invoice = await fetchInvoice(parts, invoiceId);
      if (invoice.status === 'draft') left += 1;
      else await verifyInvoice(parts, invoice);
      answers.answered();
    } catch (error) {
      answers.reasonOf(error);
      if (isMissing(error)) await saveGone(parts.database, invoiceId);
      // It stays among those that a later run compares.
      else left += 1;
    }
  });
  answers.end();
  return left;
}
