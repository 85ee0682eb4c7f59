import type { Parts } from '../../parts.ts';
import { markResolved } from '../../push/alert-store.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { refuseWithoutNote } from '../../request.ts';
import type { AlertAnswer, ResolveRequest } from './alert-answer.ts';
import { alertShown } from './alert-answer.ts';

/**
 * Keeps what a person did about an alert. Refuses an alert that is not there or was resolved before, so
 * that no account of it is lost, and an account that says nothing.
 */
export async function resolveAlert(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: ResolveRequest,
): Promise<AlertAnswer> {
  const { alert_id: alertId, reason, actor } = request;
  const remedy = 'say what was done, such as the credit note that was made, and who did it';
  refuseWithoutNote(`resolving alert ${alertId}`, request, remedy);
  const given = { alertId: BigInt(alertId), resolution: reason, by: actor, at: clock() };
  const resolved = await markResolved(database, given);
  if (resolved !== null) return alertShown(resolved);
  throw new Refusal(
    'not_found',
    `there is no open alert ${alertId}`,
    advise`${{ operation: 'stripe alerts', all: false }} lists the open ones, and ${{ operation: 'stripe alerts', all: true }} the others, too`,
  );
}
