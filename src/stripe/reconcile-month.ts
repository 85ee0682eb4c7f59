import type { Parts } from '../parts.ts';
import type { ComparedPeriod, Difference } from '../push/compare-periods.ts';
import { comparePeriods, compareUnasked } from '../push/compare-periods.ts';
import { pushPartsOf } from './destinations.ts';
import type { ReconcileAnswer, ReconciledPeriod, ReconcileRequest } from './reconcile-answer.ts';
import type { ProgressPart, StripeParts } from './stripe-parts.ts';

/** What a person does about a difference that is not explained. */
const REMEDIES: Readonly<Record<Difference, string | null>> = {
  none: null,
  shadow: null,
  in_flight: null,
  unanswered: 'push the month again, which settles it by what Stripe counts',
  lag: null,
  not_pushed: 'push the month, which tells it or says why not',
  missing:
    'see the alerts: Stripe reports what it does not count; a day after it was sent, unparking it by its identifier of audit.pushes has its value told anew',
  duplicate: 'cancel the second event within a day, or credit the customer for it',
  after_finalization:
    'credit or bill the difference in Stripe, and resolve the alert about that invoice',
  unread: 'link the tenant to a customer that Stripe knows',
  foreign_usage: 'find what else reports usage to this meter; only Spanledger may',
};

/**
 * Puts side by side what the ledger closed, what we know to be delivered, and what Stripe counts, for
 * each tenant of a month. One read for each live tenant, while its period's allowance lasts (reads/), so
 * that whoever reconciles every hour stays within what Stripe allows to be read. What is found in
 * order is kept as proof, which releases the tenant's invoice.
 */
export async function reconcileMonth(
  parts: StripeParts & ProgressPart,
  request: ReconcileRequest,
): Promise<ReconcileAnswer> {
  const compared = await comparePeriods(await pushPartsOf(parts), request, parts.onProgress);
  return compared.map(reconciled);
}

/** Without a key of Stripe's: what the ledger closed beside what is confirmed. */
export async function reconcileUnasked(
  parts: Pick<Parts, 'database' | 'clock'>,
  request: ReconcileRequest,
): Promise<ReconcileAnswer> {
  return (await compareUnasked(parts, request, NOT_ASKED)).map(reconciled);
}

const NOT_ASKED = 'Stripe was not asked, since there is no key: set STRIPE_API_KEY';

function reconciled(period: ComparedPeriod): ReconciledPeriod {
  return {
    tenant_id: period.tenantId,
    period_start: period.periodStart,
    currency: period.currency,
    ledger: String(period.closedMicro),
    confirmed: String(period.confirmedMicro),
    settled: String(period.settledMicro),
    stripe: period.counted,
    difference: period.difference,
    explained: period.isExplained,
    remedy: period.isExplained ? null : (period.unread ?? REMEDIES[period.difference]),
  };
}
