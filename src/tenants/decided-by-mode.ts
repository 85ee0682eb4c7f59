import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { formatPico } from '../money.ts';
import { advise } from '../remedy.ts';
import { readEndedPeriods, wasBilled } from './ended-periods-store.ts';
import type { Tenant } from './tenant.ts';
import type { SetTenantAnswer } from './tenant-answer.ts';

/**
 * Names what a change of mode decides beyond the running period. What has ended and is not shut is closed in the mode that
 * the tenant has then (R19), and what comes late to a month that was billed waits in shadow for the next live one.
 */
export async function nameDecidedByMode(
  transaction: Transaction,
  { tenantId, mode }: Tenant,
  of: { readonly becomes: Tenant['mode'] | undefined; readonly at: InstantMs },
): Promise<SetTenantAnswer['decided_by_mode']> {
  const { becomes, at } = of;
  if (becomes === undefined || becomes === mode) return [];
  const ended = await readEndedPeriods(transaction, tenantId, at);
  const decided = ended
    .map((period) => ({
      ...period,
      charge: becomes === 'live' ? period.charge : period.charge - period.late,
    }))
    .filter(({ charge }) => charge !== 0n);
  const periods = decided.map(({ periodStart, currency, charge }) => {
    const what = `its period from ${periodStart} has ended and is not closed: ${formatPico(charge)} ${currency} of it`;
    const close = {
      operation: 'close',
      month: periodStart.slice(0, 7),
      tenant_id: tenantId,
    } as const;
    return becomes === 'live'
      ? {
          detail: `${what} will be billed`,
          remedy: advise`if it is not to be, set the mode back to shadow, close it with ${close}, and set live again`,
        }
      : {
          detail: `${what} will not be billed`,
          remedy: advise`if it is to be, set the mode back to live, close it with ${close}, and set shadow again`,
        };
  });
  if (becomes === 'live' || !(await wasBilled(transaction, tenantId))) return periods;
  const late = {
    detail:
      'what comes late to its months that were billed, and what is corrected of them, waits while it is in shadow: it is carried to its next live period',
    remedy: advise`set live again with ${{ operation: 'tenant set', tenant_id: tenantId, give: null, from: null }} to have it billed or credited by the close after that`,
  };
  return [...periods, late];
}
