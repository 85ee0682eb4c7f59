import type { Database } from '../../database/database.ts';
import { formatMinor, formatPico, type Pico } from '../../money.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { ClosedTime } from '../../periods/placement.ts';
import type { ClosedPeriod, CloseRequest } from './close-answer.ts';
import { readClosedAmounts } from './closed-periods-store.ts';
import type { PeriodRow } from './period-store.ts';

/** The answers for the periods of a request that are closed; `now` are those that this close has closed. */
export async function answersOfClosed(
  database: Database,
  request: CloseRequest,
  now: readonly PeriodRow[],
): Promise<readonly ClosedPeriod[]> {
  const keys = new Set(now.map((period) => periodKey(period)));
  const closes = await readClosedAmounts(database, {
    month: request.month,
    tenantId: request.tenant_id,
  });
  return closes.map((close) => ({
    tenant_id: close.tenantId,
    period_start: close.periodStart,
    state: keys.has(periodKey(close)) ? 'closed' : 'already_closed',
    detail: tellCarriedOn(close),
    charge_total: formatMinor(close.chargeTotal, close.currency),
    currency: close.currency,
    manifest_hash: close.manifestHash,
  }));
}

/**
 * Names a credit that exceeds what was used, since nothing is billed and nothing is paid out, and what a month in shadow
 * holds for the next bill.
 */
export function tellCarriedOn(close: {
  readonly carriedOut: Pico;
  readonly carriedOutDue: Pico | null;
  readonly currency: string;
  readonly mode: ClosedTime['mode'];
}): string | null {
  const { currency, mode } = close;
  const due = close.carriedOutDue ?? 0n;
  const credited = due - close.carriedOut;
  // What was never billed is carried to no bill (R19).
  const where = mode === 'live' ? '' : ' in shadow, and comes off no bill';
  const told = [
    ...(credited <= 0n
      ? []
      : [
          `${formatPico(credited)} ${currency} more was credited than charged; that is carried on${where}`,
        ]),
    ...(due === 0n
      ? []
      : [
          `${formatPico(due)} ${currency} came late of months that were billed; that is ${due > 0n ? 'billed' : 'credited'} in its next live period`,
        ]),
  ];
  return told.length === 0 ? null : told.join('; ');
}
