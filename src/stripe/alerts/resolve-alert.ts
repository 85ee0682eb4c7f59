import type { Parts } from '../../parts.ts';
import { markResolved, readOpenAlerts } from '../../push/alert-store.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { refuseWithoutNote } from '../../request.ts';
import type { AlertAnswer, ResolveRequest } from './alert-answer.ts';
import { alertShown } from './alert-answer.ts';
import { refuseUntoldBill } from './refuse-untold-bill.ts';

/**
 * Keeps what a person did about an alert. Refuses an alert that is not there or was resolved before, so
 * that no account of it is lost, and an account that says nothing. An invoice that differs is resolved where what is billed next
 * was billed by nobody else, as the record or the person says.
 */
export async function resolveAlert(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: ResolveRequest,
): Promise<AlertAnswer> {
  const { alert_id: alertId, reason, actor, nothing_else_billed: isAllOnRecord } = request;
  const remedy = 'say what was done, such as the credit note that was made, and who did it';
  refuseWithoutNote(`resolving alert ${alertId}`, request, remedy);
  const open = (await readOpenAlerts(database, null)).find(
    (alert) => alert.alertId === BigInt(alertId),
  );
  if (open !== undefined && isAllOnRecord !== true) await refuseUntoldBill(database, open);
  const given = { alertId: BigInt(alertId), resolution: reason, by: actor, at: clock() };
  const resolved = await markResolved(database, given);
  if (resolved !== null) return alertShown(resolved);
  throw new Refusal(
    'not_found',
    `there is no open alert ${alertId}`,
    advise`${{ operation: 'stripe alerts', all: false }} lists the open ones, and ${{ operation: 'stripe alerts', all: true }} the others, too`,
  );
}
