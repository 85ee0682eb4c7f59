import type Stripe from 'stripe';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { inParallel } from '../../in-parallel.ts';
import { endAlerts } from '../../push/alert-store.ts';
import { watchAnswers } from '../../push/answer-watch.ts';
import { describeKeptDraft } from '../customers/paused-collection.ts';
import { refuseOtherKey } from '../meters/meter-store.ts';
import { isMissing } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { InvoiceRow } from './invoice-store.ts';
import { readInvoice, readInvoices, readPeriodsOfInvoice, saveGone } from './invoice-store.ts';
import { billedOnMeter, dueOnMeter } from './meter-bill.ts';
import { fetchInvoice, findTarget, raiseInvoiceAlert } from './own-invoice.ts';
import { verifyInvoice } from './verify-invoice.ts';

/** Stripe allows 25 requests a second of a kind; those in work at once wait for their turn there. */
const PARALLEL_INVOICES = 8;

/**
 * Stripe finalizes a draft an hour after it was let go. An account may put that off by 72 hours, and as long does Stripe
 * wait for an endpoint that does not answer.
 */
const FINAL_WITHIN_MS = 72 * 60 * 60 * 1000;

/**
 * Compares the released invoices of a month that have become final since, and names those that will not; answers how
 * many are drafts still.
 */
export async function verifyReleased(parts: StripeParts, month: string): Promise<number> {
  const invoices = await readInvoices(parts.database, { month, tenantId: null });
  const released = invoices.filter(({ state }) => state === 'released');
  if (released.length > 0) await refuseOtherKey(parts);
  let left = 0;
  const named = new Set<string>();
  const answers = watchAnswers();
  const each = new Map(released.map((row) => [row.invoiceId, row]));
  await inParallel([...each.values()], PARALLEL_INVOICES, async (row) => {
    const { invoiceId } = row;
    try {
      const invoice = await fetchInvoice(parts, invoiceId);
      if (invoice.status !== 'draft') await verifyInvoice(parts, invoice);
      else {
        left += 1;
        if ((await alertNotFinal(parts, row, invoice)) !== null) named.add(invoiceId);
      }
      answers.answered();
    } catch (error) {
      answers.reasonOf(error);
      if (isMissing(error)) await keepGone(parts, row);
      else {
        // It stays among those that a later run compares, and what was said of it stands.
        left += 1;
        named.add(invoiceId);
      }
    }
  });
  answers.end();
  const others = invoices.filter(({ invoiceId }) => !named.has(invoiceId));
  await endNotFinal(
    parts,
    others.map(({ invoiceId }) => invoiceId),
  );
  return left;
}

/**
 * Stripe knows it no more. What was told to a meter is taken back and billed otherwise; an item that went with its draft is
 * billed by nothing, and one that is left waits for another invoice. Named first, since nobody looks at one that is gone.
 */
async function keepGone(parts: StripeParts, row: InvoiceRow): Promise<void> {
  const { identifier, invoiceId } = row;
  if (identifier !== null) {
    const detail = `this draft of the item of ${identifier} was deleted in Stripe and bills nothing`;
    await raiseInvoiceAlert(parts, row, { kind: 'item_draft_gone', detail });
  }
  await saveGone(parts.database, invoiceId);
}

/** Names a draft that Stripe could not finalize, as soon as it tells of that. */
export async function noteNotFinal(parts: StripeParts, invoiceId: string): Promise<string> {
  const invoice = await fetchInvoice(parts, invoiceId);
  if (invoice.status !== 'draft') return verifyInvoice(parts, invoice);
  const known = await readInvoice(parts.database, invoiceId);
  if (known?.state !== 'released') return 'ignored: no draft that was let go';
  return (await alertNotFinal(parts, known, invoice)) ?? 'ignored: nothing waits for it';
}

/** Ends what was said of drafts that are final by now, or for which nothing waits. */
export async function endNotFinal(
  { database, clock }: StripeParts,
  subjects: readonly string[],
): Promise<void> {
  const resolution = 'it is no draft any more, or nothing waits for it';
  await endAlerts(database, { kind: 'invoice_not_final', subjects }, { resolution, at: clock() });
}

/** Answers what is wrong with a draft that was let go and does not become final; null where nothing is. */
async function alertNotFinal(
  parts: StripeParts,
  row: InvoiceRow,
  invoice: Stripe.Invoice,
): Promise<string | null> {
  const why = whyNotFinal(invoice, row, parts.clock());
  if (why === null || !(await isAwaited(parts, row))) return null;
  const since = row.releasedAt === null ? '' : ` on ${formatInstant(row.releasedAt)}`;
  const detail = `it was let go${since} and is a draft still, which bills nothing: ${why}`;
  return raiseInvoiceAlert(parts, row, { kind: 'invoice_not_final', detail });
}

function whyNotFinal(
  invoice: Stripe.Invoice,
  { releasedAt }: InvoiceRow,
  now: InstantMs,
): string | null {
  const { last_finalization_error: error, automatically_finalizes_at: planned } = invoice;
  if (error !== null) return `Stripe could not finalize it (${error.message ?? error.type})`;
  const isPlanned = invoice.auto_advance === true && planned !== null && planned * 1000 > now;
  if (isPlanned || (releasedAt !== null && now - releasedAt < FINAL_WITHIN_MS)) return null;
  const kept = describeKeptDraft(invoice);
  if (kept !== null || invoice.auto_advance === true) return kept ?? 'Stripe does not say why';
  return 'its auto_advance is off again, so that Stripe never finalizes it by itself';
}

/** An item's invoice always bills something; another one as much as is due and on no final invoice. */
async function isAwaited(parts: StripeParts, row: InvoiceRow): Promise<boolean> {
  if (row.identifier !== null) return true;
  for (const period of await readPeriodsOfInvoice(parts.database, row.invoiceId)) {
    const target = await findTarget(parts, period);
    if (target === null || target.mode === 'shadow') continue;
    const [due, billed] = [await dueOnMeter(parts, target), await billedOnMeter(parts, target)];
    if (due.quantity > billed.quantity) return true;
  }
  return false;
}
