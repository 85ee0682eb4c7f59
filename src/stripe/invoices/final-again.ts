import { inParallel } from '../../in-parallel.ts';
import { watchAnswers } from '../../push/answer-watch.ts';
import { takeRead } from '../reads/read-allowance-store.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readInvoices } from './invoice-store.ts';
import { creditedOf, verifyInvoice } from './verify-invoice.ts';

const PARALLEL_READS = 8;
const INVOICES_LISTED = 100;

/**
 * Looks again at invoices that were final before: a person may have voided or credited one, and no event may have told
 * of it. It costs one list for each customer of a period, while the period's reads last.
 */
export async function lookAgainAtFinal(
  parts: StripeParts,
  of: { readonly month: string; readonly tenantId: string | null },
): Promise<void> {
  const { database, stripe, clock, log } = parts;
  const final = (await readInvoices(database, of)).filter(({ state }) => state === 'finalized');
  const byCustomer = Map.groupBy(final, ({ tenantId, periodStart, stripeCustomer }) =>
    JSON.stringify([tenantId, periodStart, stripeCustomer]),
  );
  const answers = watchAnswers();
  await inParallel([...byCustomer.values()], PARALLEL_READS, async (invoices) => {
    const [first] = invoices;
    if (first === undefined) return;
    const { tenantId, periodStart, stripeCustomer: customer } = first;
    const read = { tenantId, periodStart, what: 'invoices', customer } as const;
    if (!(await takeRead(database, read, clock()))) return;
    const ids = new Set(invoices.map(({ invoiceId }) => invoiceId));
    try {
      const page = await askStripe(`the invoices of customer ${customer}`, () =>
        stripe.invoices.list({ customer, limit: INVOICES_LISTED }),
      );
      answers.answered();
      for (const invoice of page.data.filter(({ id }) => ids.has(id ?? ''))) {
        const isChanged = invoice.status === 'void' || creditedOf(invoice) > 0;
        if (isChanged) await verifyInvoice(parts, invoice);
      }
    } catch (error) {
      const reason = answers.reasonOf(error);
      log.warn({ tenantId, reason }, 'final invoices of a tenant cannot be looked at');
    }
  });
  answers.end();
}
