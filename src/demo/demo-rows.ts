import { picoPerMinor } from '../currencies.ts';
import type { CloseAnswer } from '../ledger/closes/close-answer.ts';
import { divideHalfUp, formatMinor, parseDecimal } from '../money.ts';
import type { Parts } from '../parts.ts';
import { reportUsage } from '../reports/report-usage.ts';
import type { ReconciledPeriod } from '../stripe/reconcile-answer.ts';
import { DEMO_TENANTS } from './cast.ts';
import type { DemoRow } from './demo-answer.ts';

/** What the month came to for each tenant: closed, told to Stripe, and its margin. */
export async function demoRows(
  parts: Pick<Parts, 'database' | 'clock'>,
  of: { readonly closes: CloseAnswer; readonly reconciled: readonly ReconciledPeriod[] },
): Promise<readonly DemoRow[]> {
  const everything = { tenant_id: null, from: null, to: null, as_of: null };
  const byTenant = await reportUsage(parts, { ...everything, by: ['tenant'] });
  const byOutcome = await reportUsage(parts, { ...everything, by: ['tenant', 'outcome'] });
  return of.closes.map(({ tenant_id, charge_total }) => {
    const usage = byTenant.rows.find((row) => row.tenant === tenant_id);
    const failed = byOutcome.rows
      .filter((row) => row.tenant === tenant_id)
      .filter((row) => row.outcome === 'failed' || row.outcome === 'cancelled');
    const told = of.reconciled.find((row) => row.tenant_id === tenant_id);
    return {
      tenant_id,
      mode: DEMO_TENANTS.find((tenant) => tenant.tenant_id === tenant_id)?.mode ?? 'shadow',
      calls: usage?.entries ?? 0,
      failed: failed.reduce((sum, { entries }) => sum + entries, 0),
      tokens: String(BigInt(usage?.input_tokens ?? 0) + BigInt(usage?.output_tokens ?? 0)),
      charge: charge_total ?? '0',
      cost: inCents(usage?.cost),
      margin: inCents(usage?.margin),
      pushed: told?.confirmed ?? '0',
      stripe: told?.stripe ?? null,
    };
  });
}

/** Every model of the demo has a cost, so that one without is a fault of it. */
function inCents(amount: string | null = '0'): string {
  if (amount === null) throw new Error('a cost of the demo is unknown');
  const pico = parseDecimal(amount, 12);
  if (pico === null) throw new Error(`"${amount}" is not an exact amount`);
  return formatMinor(divideHalfUp(pico, picoPerMinor('USD')), 'USD');
}
