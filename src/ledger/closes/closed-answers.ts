import type { Database } from '../../database/database.ts';
import { formatMinor, formatPico, type Pico } from '../../money.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { ClosedTime } from '../../periods/placement.ts';
import type { ClosedPeriod, CloseRequest } from './close-answer.ts';
import type { PeriodRow } from './close-store.ts';
import { readClosedAmounts } from './closed-periods-store.ts';

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
    detail: creditCarriedOn(close),
    charge_total: formatMinor(close.chargeTotal, close.currency),
    currency: close.currency,
    manifest_hash: close.manifestHash,
  }));
}

/** A credit that exceeds what was used is named, since nothing is billed and nothing is paid out. */
export function creditCarriedOn(close: {
  readonly carriedOut: Pico;
  readonly currency: string;
  readonly mode: ClosedTime['mode'];
}): string | null {
  const { carriedOut, currency, mode } = close;
  if (carriedOut >= 0n) return null;
  // What was never billed is carried to no bill (R19).
  const where = mode === 'live' ? '' : ' in shadow, and comes off no bill';
  return `${formatPico(-carriedOut)} ${currency} more was credited than charged; that is carried on${where}`;
}
