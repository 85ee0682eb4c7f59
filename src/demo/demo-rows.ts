import { picoPerMinor } from '../currencies.ts';
import type { CloseAnswer } from '../ledger/closes/close-answer.ts';
import { divideHalfUp, exactPico, formatMinor, type Pico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { reportUsage } from '../reports/report-usage.ts';
import type { UsageGroup } from '../reports/usage-answer.ts';
import type { ReconciledPeriod } from '../stripe/reconcile-answer.ts';
import { DEMO_TENANTS } from './cast.ts';
import type { DemoRow, DemoTotal } from './demo-answer.ts';

/**
 * Returns what the month came to, for each tenant and in all: closed, told to Stripe, and its
 * margin.
 */
export async function demoFigures(
  parts: Pick<Parts, 'database' | 'clock'>,
  of: { readonly closes: CloseAnswer; readonly reconciled: readonly ReconciledPeriod[] },
): Promise<{ readonly tenants: readonly DemoRow[]; readonly total: DemoTotal }> {
  const everything = { tenant_id: null, month: null, from: null, to: null, as_of: null };
  const byTenant = await reportUsage(parts, { ...everything, by: ['tenant'] });
  const byOutcome = await reportUsage(parts, { ...everything, by: ['tenant', 'outcome'] });
  const tenants = of.closes.map(({ tenant_id, charge_total }): DemoRow => {
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
      cost: inCents(knownPico(usage?.cost)),
      margin: inCents(knownPico(usage?.margin)),
      pushed: told?.confirmed ?? '0',
      stripe: told?.stripe ?? null,
    };
  });
  const closed = new Set(of.closes.map(({ tenant_id }) => tenant_id));
  const usage = byTenant.rows.filter(({ tenant }) => closed.has(tenant ?? ''));
  return { tenants, total: totalOf(tenants, usage) };
}

/** Amounts are summed as they are and rounded once; rounded rows would add up to another cent. */
export function totalOf(
  tenants: readonly DemoRow[],
  usage: readonly Pick<UsageGroup, 'charge' | 'cost' | 'margin'>[],
): DemoTotal {
  const cents = (amount: 'charge' | 'cost' | 'margin') =>
    inCents(usage.reduce((sum, row) => sum + knownPico(row[amount]), 0n));
  const whole = (figure: 'tokens' | 'pushed' | 'stripe') =>
    String(tenants.reduce((sum, row) => sum + BigInt(row[figure] ?? '0'), 0n));
  return {
    calls: tenants.reduce((sum, { calls }) => sum + calls, 0),
    failed: tenants.reduce((sum, { failed }) => sum + failed, 0),
    tokens: whole('tokens'),
    charge: cents('charge'),
    cost: cents('cost'),
    margin: cents('margin'),
    pushed: whole('pushed'),
    stripe: whole('stripe'),
  };
}

/** A tenant without usage has cost nothing. Every model of the demo has a cost, so that one without is a fault of it. */
function knownPico(amount: string | null = '0'): Pico {
  if (amount === null) throw new Error('a cost of the demo is unknown');
  return exactPico(amount);
}

function inCents(amount: Pico): string {
  return formatMinor(divideHalfUp(amount, picoPerMinor('USD')), 'USD');
}
