import type { Database } from '../../database/database.ts';
import type { KeptAlert } from '../../push/alert.ts';
import { readOpenAlerts } from '../../push/alert-store.ts';
import { readToldPeriods } from '../../stripe/invoices/unbilled-usage.ts';
import type { Scope } from './completeness-store.ts';
import { readFinalInvoices } from './completeness-store.ts';

/**
 * Finds the pauses of collection under which what a month came to is not paid: a draft that is kept names its pause
 * itself, and an invoice that is void or uncollectible as soon as it is made leaves none. An invoice that was final
 * before the pause is none of its business.
 */
export async function findPauses(
  database: Database,
  { month, tenantId }: Pick<Scope, 'month' | 'tenantId'>,
): Promise<readonly KeptAlert[]> {
  // Without a month every alert is named.
  if (month === null) return [];
  const open = (await readOpenAlerts(database, null)).filter(
    ({ kind }) => kind === 'collection_paused',
  );
  const pauses = open.filter(
    (alert) => alert.periodStart === null && (tenantId === null || alert.tenantId === tenantId),
  );
  if (pauses.length === 0) return [];
  const { targets } = await readToldPeriods(database, { month, tenantId });
  const final = await readFinalInvoices(database, { month, tenantId });
  return pauses.filter(({ tenantId: paused, raisedAt }) => {
    const owes = targets.some((of) => of.tenantId === paused && of.billableMicro > 0n);
    const isNamed = open.some(
      (alert) => alert.tenantId === paused && alert.periodStart?.startsWith(month) === true,
    );
    const isPast = final.some((of) => of.tenantId === paused && of.finalizedAt < raisedAt);
    return owes && !isNamed && !isPast;
  });
}
