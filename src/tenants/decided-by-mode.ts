import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { formatPico } from '../money.ts';
import { advise } from '../remedy.ts';
import { readEndedPeriods, wasBilled } from './ended-periods-store.ts';
import type { Tenant } from './tenant.ts';
import type { SetTenantAnswer } from './tenant-answer.ts';

/**
 * Names what a change of mode decides beyond the running period. What has ended and is not shut is closed in the mode that
 * the tenant has then (R19), and in shadow nothing bills or credits what comes late to a month that was billed.
 */
export async function nameDecidedByMode(
  transaction: Transaction,
  { tenantId, mode }: Tenant,
  of: { readonly becomes: Tenant['mode'] | undefined; readonly at: InstantMs },
): Promise<SetTenantAnswer['decided_by_mode']> {
  const { becomes, at } = of;
  if (becomes === undefined || becomes === mode) return [];
  const ended = await readEndedPeriods(transaction, tenantId, at);
  const periods = ended.map(({ periodStart, currency, charge }) => {
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
      'what comes late to its months that were billed, and what is corrected of them, is neither billed nor credited while it is in shadow',
    remedy: advise`credit or charge it with ${{ operation: 'adjust' }} once it is live again`,
  };
  return [...periods, late];
}
