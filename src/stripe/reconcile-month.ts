import type { Parts, ProgressPart } from '../parts.ts';
import { readOpenAlerts } from '../push/alert-store.ts';
import type { ComparedPeriod } from '../push/compare-periods.ts';
import { comparePeriods, compareUnasked } from '../push/compare-periods.ts';
import type { Remedy } from '../remedy.ts';
import { advise } from '../remedy.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { remedyOf as alertRemedy } from './alerts/alert-answer.ts';
import { INVOICE_ALERTS } from './alerts/stripe-alert.ts';
import { linkOperation } from './customers/check-customer.ts';
import { pushPartsOf } from './destinations.ts';
import { lookAgainAtFinal } from './invoices/final-again.ts';
import { endWhatIsEqual } from './invoices/meter-bill.ts';
import { readOwnMeters } from './meters/meter-store.ts';
import type { ReconcileAnswer, ReconciledPeriod, ReconcileRequest } from './reconcile-answer.ts';
import type { StripeParts } from './stripe-parts.ts';

/** Returns what a person does about a difference that is not explained. */
function remedyOf(period: ComparedPeriod): Remedy | null {
  const { tenantId, periodStart, difference } = period;
  const push = { operation: 'push', month: periodStart.slice(0, 7) } as const;
  switch (difference) {
    case 'none':
    case 'shadow':
    case 'in_flight':
    case 'billed':
    case 'excused':
    case 'lag':
    // Its alert says what to do.
    case 'invoice_wrong':
      return null;
    case 'unanswered':
      return advise`run ${push} again, which settles it by what Stripe counts`;
    case 'not_pushed':
      return advise`run ${push}, which tells it or says why not`;
    case 'missing':
      return toTellAnew(period);
    case 'duplicate':
      return ['cancel the second event within a day, or credit the customer for it'];
    case 'after_finalization':
      return advise`run ${push} again, which bills by an invoice item what was told after its invoice was final; credit or bill in Stripe what still differs then, and resolve the alert about that invoice, as ${{ operation: 'stripe alerts', all: false }} shows it`;
    case 'unread':
      return advise`link the tenant to a customer that Stripe knows, with ${linkOperation(tenantId)}`;
    case 'foreign_usage':
      return ['find what else reports usage to this meter; only Spanledger may'];
  }
}

/**
 * Each is told anew by an identifier of its own, once its count decides that it is not there. Who deleted it since they billed
 * it by hand records that in between, or it is billed twice.
 */
function toTellAnew({ tenantId, periodStart, absent }: ComparedPeriod): Remedy {
  const look = advise`${{ operation: 'stripe alerts', all: false }} shows what Stripe reports that it does not count`;
  if (absent.length === 0) return look;
  const each = absent.map((identifier) => ({ operation: 'stripe unpark', identifier }) as const);
  const all = each.flatMap((unpark, index) => (index === 0 ? [unpark] : [' and ', unpark]));
  const month = periodStart.slice(0, 7);
  const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
  const next = advise`, by the next ${{ operation: 'push', month }}; what you billed elsewhere is recorded with ${settled} before that push`;
  return [...look, '; a day after it was sent, it is told anew after ', ...all, ...next];
}

/**
 * Puts side by side what the ledger closed, what we know to be delivered, and what Stripe counts, for
 * each tenant of a month, and beside it what is wrong with the invoice. One read for each live tenant, while its period's allowance lasts (reads/), so
 * that whoever reconciles every hour stays within what Stripe allows to be read. What is found in
 * order is kept as proof, which releases the tenant's invoice.
 */
export async function reconcileMonth(
  parts: StripeParts & ProgressPart,
  request: ReconcileRequest,
): Promise<ReconcileAnswer> {
  if (request.tenant_id !== null) await readTenant(parts.database.kysely, request.tenant_id);
  await readOwnMeters(parts);
  await lookAgainAtFinal(parts, { month: request.month, tenantId: request.tenant_id });
  await endWhatIsEqual(parts, request.month);
  return withInvoices(parts, request, await compareMonth(parts, request));
}

/** The same by the counts alone; invoices are looked at by another step or law. */
export async function compareMonth(
  parts: StripeParts & ProgressPart,
  request: ReconcileRequest,
): Promise<ReconcileAnswer> {
  const compared = await comparePeriods(await pushPartsOf(parts), request, parts.onProgress);
  return compared.map(reconciled);
}

/** Where the counts are in order, an open alert says what is wrong with the invoice that bills them. */
async function withInvoices(
  { database }: Pick<Parts, 'database'>,
  { month }: ReconcileRequest,
  rows: ReconcileAnswer,
): Promise<ReconcileAnswer> {
  const alerts = (await readOpenAlerts(database, month)).filter(({ kind }) => ABOUT.has(kind));
  return rows.map((row) => {
    const alert = alerts.find(
      ({ tenantId, periodStart }) => tenantId === row.tenant_id && periodStart === row.period_start,
    );
    if (alert === undefined || !row.explained) return row;
    const detail = `${alert.kind} ${alert.subject}: ${alert.detail}`;
    const remedy = alertRemedy(alert);
    return { ...row, difference: 'invoice_wrong', explained: false, detail, remedy };
  });
}

const ABOUT: ReadonlySet<string> = new Set([
  ...INVOICE_ALERTS,
  'invoice_not_final',
  'item_draft_gone',
  'collection_paused',
]);

/** Reconciles without a key of Stripe's: what the ledger closed beside what is confirmed. */
export async function reconcileUnasked(
  parts: Pick<Parts, 'database' | 'clock'>,
  request: ReconcileRequest,
): Promise<ReconcileAnswer> {
  const rows = (await compareUnasked(parts, request, NOT_ASKED)).map(reconciled);
  const asked = rows.map((row) =>
    row.difference === 'unread' ? { ...row, remedy: GIVE_KEY } : row,
  );
  return withInvoices(parts, request, asked);
}

const NOT_ASKED = 'Stripe was not asked, since there is no key';
const GIVE_KEY = ['set STRIPE_API_KEY'];

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
    detail: period.isExplained ? null : period.unread,
    remedy: period.isExplained ? null : remedyOf(period),
  };
}
