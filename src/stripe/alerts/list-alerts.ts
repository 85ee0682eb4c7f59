import type { Parts } from '../../parts.ts';
import { readAlerts, readOpenAlerts } from '../../push/alert-store.ts';
import type { AlertsAnswer, AlertsRequest } from './alert-answer.ts';
import { alertShown } from './alert-answer.ts';

/** Lists what a person must look at, and, where it is asked for, what was done about the rest. */
export async function listAlerts(
  { database }: Pick<Parts, 'database'>,
  { all }: AlertsRequest,
): Promise<AlertsAnswer> {
  const alerts = all ? await readAlerts(database) : await readOpenAlerts(database, null);
  return alerts.map(alertShown);
}
