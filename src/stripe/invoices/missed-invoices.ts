import { inParallel } from '../../in-parallel.ts';
import { periodKey } from '../../periods/period-key.ts';
import { watchAnswers } from '../../push/answer-watch.ts';
import type { Destination, Obstacle, PushParts } from '../../push/destination.ts';
import { readIntentsOf } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { readTargets } from '../../push/target-store.ts';
import { takeRead } from '../reads/read-allowance-store.ts';
import { askStripe, isMissing } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { holdInvoice } from './invoice.ts';
import type { InvoiceRow } from './invoice-store.ts';
import { readInvoices, saveGone } from './invoice-store.ts';

const PARALLEL_READS = 8;
/** One page, newest first; a customer has one invoice a month, and few others. */
const INVOICES_LISTED = 100;

/**
 * Looks for what no webhook told of: an endpoint may not be there, or have been away for longer than
 * Stripe's three days. Each told period without a known invoice costs one list of its customer's; what
 * is found is taken as if it had been told. Answers the tenants that no invoice of Stripe's bills yet.
 */
export async function findMissedInvoices(
  parts: StripeParts,
  month: string,
): Promise<readonly string[]> {
  const { database, log } = parts;
  const answers = watchAnswers();
  const targets = await readTargets(database, month);
  const told = await readIntentsOf(database, targets);
  const customerOf = (target: PushTarget) => told.get(periodKey(target))?.at(-1)?.customer ?? '';
  // What a tenant's former customer is billed is no bill of what another one was told.
  const lackInvoices = async (of: readonly PushTarget[]) => {
    const invoices = await readInvoices(database, { month, tenantId: null });
    const known = Map.groupBy(invoices, periodKey);
    const isBilled = (target: PushTarget) =>
      (known.get(periodKey(target)) ?? []).some(
        ({ stripeCustomer }) => stripeCustomer === customerOf(target),
      );
    return of.filter((target) => !isBilled(target));
  };
  const unbilled = await lackInvoices(targets.filter((target) => told.has(periodKey(target))));
  await inParallel(unbilled, PARALLEL_READS, async (target) => {
    const customer = customerOf(target);
    try {
      if (await takeMissedInvoices(parts, { ...target, customer })) answers.answered();
    } catch (error) {
      // A customer that is gone has no invoices any more: its period stays among those without one.
      const reason = answers.reasonOf(error);
      log.warn({ tenantId: target.tenantId, reason }, 'invoices of a tenant cannot be looked at');
    }
  });
  answers.end();
  if (unbilled.length === 0) return [];
  return (await lackInvoices(unbilled)).map((target) => target.tenantId);
}

/**
 * Takes a customer's invoices since the end of a period as if an event had told of each; false where nobody was
 * asked, since no read of the period is left.
 */
export async function takeMissedInvoices(
  parts: StripeParts,
  of: Pick<PushTarget, 'tenantId' | 'periodStart' | 'endsAt'> & { readonly customer: string },
): Promise<boolean> {
  const { tenantId, periodStart, endsAt, customer } = of;
  const read = { tenantId, periodStart, what: 'invoices', customer } as const;
  if (!(await takeRead(parts.database, read, parts.clock()))) return false;
  const page = await askStripe(`the invoices of customer ${customer}`, () =>
    parts.stripe.invoices.list({ customer, limit: INVOICES_LISTED }),
  );
  for (const { id, created } of page.data) {
    if (id !== undefined && created * 1000 >= endsAt) await holdInvoice(parts, id);
  }
  return true;
}

/**
 * The same destinations, of which the meter is told nothing of a period before the invoices of it that Stripe has are
 * known: one may be final though no webhook told of it, and what the meter is told then is on no invoice.
 */
export function lookForInvoicesFirst(parts: StripeParts, push: PushParts): PushParts {
  const destinations = push.destinations.map((destination): Destination => {
    if (destination.kind !== 'meter') return destination;
    const lookAt: Destination['lookAt'] = async (whom) =>
      (await destination.lookAt(whom)) ?? (await findFinal(parts, destination, whom));
    return { ...destination, lookAt };
  });
  return { ...push, destinations };
}

async function findFinal(
  parts: StripeParts,
  destination: Destination,
  whom: Parameters<Destination['lookAt']>[0],
): Promise<Obstacle | null> {
  const { target, customer } = whom;
  const invoices = await readInvoices(parts.database, { month: null, tenantId: target.tenantId });
  const known = invoices.filter(
    ({ periodStart, stripeCustomer, state, identifier }) =>
      periodStart === target.periodStart &&
      stripeCustomer === customer &&
      state !== 'gone' &&
      identifier === null,
  );
  const unsure = known.filter(
    ({ state, holdAnsweredAt }) => state === 'held' && holdAnsweredAt === null,
  );
  const gone = await holdOnceMore(parts, unsure);
  if (gone === known.length) await takeMissedInvoices(parts, { ...target, customer });
  // The destination was asked before; a webhook may have told of a final invoice since.
  const fault = await destination.objectTo(whom);
  return fault === null ? null : { fault, remedy: null, isOnlyHere: true };
}

/**
 * Whoever asked Stripe to hold a draft, and heard no answer, may have died before Stripe knew of it: the draft is final
 * by then, or becomes so. Answers how many of them Stripe knows no more.
 */
async function holdOnceMore(parts: StripeParts, unsure: readonly InvoiceRow[]): Promise<number> {
  let gone = 0;
  for (const { invoiceId } of unsure) {
    try {
      await holdInvoice(parts, invoiceId);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await saveGone(parts.database, invoiceId);
      gone += 1;
    }
  }
  return gone;
}
