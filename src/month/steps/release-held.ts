import { readSettledSubjects } from '../../push/alert-store.ts';
import { releaseInvoices } from '../../stripe/invoices/invoice.ts';
import { findMissedInvoices } from '../../stripe/invoices/missed-invoices.ts';
import { counted } from '../../text/counted.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, named, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Lets go the invoices whose usage Stripe has been seen to count. */
export async function releaseHeld(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  const unbilled = await findMissedInvoices(parts, month);
  const invoices = await releaseInvoices(parts, { month });
  // Whose usage is not told is known by now, and why; its draft waits for that. One that is gone is named when that
  // is found, and from then on its usage is unbilled.
  const held = invoices.filter(
    (invoice) => invoice.state === 'held' && !parts.untold.has(keyOfRow(invoice)),
  );
  // Which they are is said with the laws, by an alert that a person may settle.
  const settled = await readSettledSubjects(parts.database, ['collection_paused']);
  const paused = invoices.filter(
    ({ state, invoice }) => state === 'paused' && !settled.has(invoice),
  ).length;
  const refused = invoices.filter(
    ({ state, detail }) => state === 'refused' || (state === 'gone' && detail !== null),
  );
  const letGo = invoices.filter(
    ({ state }) => !['held', 'paused', 'refused', 'gone'].includes(state),
  ).length;
  const summary = `${letGo} of ${counted(invoices.length, 'invoice')} let go`;
  // Not every tenant is billed by a subscription, so that this may be as it should.
  const without = `no invoice of Stripe's bills the usage of ${named(unbilled)} yet`;
  return outcomeOf(unbilled.length === 0 ? summary : `${summary}; ${without}`, {
    wrong: refused.map(
      (invoice) =>
        `tenant "${invoice.tenant_id}" ${invoice.invoice} is ${invoice.state}: ${invoice.detail ?? 'Stripe knows it no more'}`,
    ),
    unfinished: [
      ...held.map(
        (invoice) =>
          `tenant "${invoice.tenant_id}" ${invoice.invoice} is held${invoice.detail === null ? '' : `: ${invoice.detail}`}`,
      ),
      ...(paused === 0 ? [] : [`${counted(paused, 'draft')} kept while collection is paused`]),
    ],
  });
}
