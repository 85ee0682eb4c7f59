import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { formatPico } from '../money.ts';
import { advise } from '../remedy.ts';
import type { Tenant } from './tenant.ts';
import type { SetTenantAnswer } from './tenant-answer.ts';
import { readUnshutPeriods, type UnshutPeriod, wasBilled } from './unshut-periods-store.ts';

/**
 * Names what a change of mode decides. What is not shut is closed in the mode that the tenant has then (R19), with all that
 * was used before the change, and what comes late to a month that was billed waits in shadow for the next live one.
 */
export async function nameDecidedByMode(
  transaction: Transaction,
  { tenantId, mode }: Tenant,
  of: { readonly becomes: Tenant['mode'] | undefined; readonly at: InstantMs },
): Promise<SetTenantAnswer['decided_by_mode']> {
  const { becomes, at } = of;
  if (becomes === undefined || becomes === mode) return [];
  const unshut = await readUnshutPeriods(transaction, tenantId, at);
  const periods = unshut
    .map((period) => ({
      ...period,
      charge: becomes === 'live' ? period.charge : period.charge - period.late,
    }))
    .filter(({ charge }) => charge !== 0n)
    .map((period) => decidedOf(tenantId, period, becomes));
  if (becomes === 'live' || !(await wasBilled(transaction, tenantId))) return periods;
  const late = {
    detail:
      'what comes late to its months that were billed, and what is corrected of them, waits while it is in shadow: it is carried to its next live period',
    remedy: advise`set live again with ${{ operation: 'tenant set', tenant_id: tenantId, give: null, from: null }} to have it billed or credited by the close after that`,
  };
  return [...periods, late];
}

function decidedOf(
  tenantId: string,
  { periodStart, hasEnded, currency, charge }: UnshutPeriod,
  becomes: Tenant['mode'],
): SetTenantAnswer['decided_by_mode'][number] {
  const is = hasEnded ? 'has ended and is not closed' : 'is running';
  const amount = `${formatPico(charge)} ${currency} of it${hasEnded ? '' : ' so far'}`;
  const detail = `its period from ${periodStart} ${is}: ${amount} will ${becomes === 'live' ? '' : 'not '}be billed`;
  const close = {
    operation: 'close',
    month: periodStart.slice(0, 7),
    tenant_id: tenantId,
  } as const;
  if (becomes === 'shadow') {
    return {
      detail,
      remedy: advise`if it is to be, set the mode back to live, close it with ${close}${hasEnded ? '' : ' when it has ended'}, and set shadow again`,
    };
  }
  const makeUpFor = charge < 0n ? 'charge' : 'credit';
  return {
    detail,
    remedy: hasEnded
      ? advise`if it is not to be, set the mode back to shadow, close it with ${close}, and set live again`
      : advise`if it is not to be, ${makeUpFor} it with ${{ operation: 'adjust' }}; or set the mode back to shadow, close it with ${close} when it has ended, and set live again`,
  };
}
