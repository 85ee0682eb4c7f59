import { periodKey } from '../periods/period-key.ts';
import { monthsPushed } from '../push/intent-store.ts';
import type { ReconciledPeriod } from './reconcile-answer.ts';
import { compareMonth } from './reconcile-month.ts';
import type { StripeParts } from './stripe-parts.ts';

/** Months that are asked for: older invoices are final, and reads are counted by Stripe. */
const MONTHS_CHECKED = 2;

const NOTHING: ReadonlySet<string> = new Set();

function keyOf({ tenant_id: tenantId, period_start: periodStart }: ReconciledPeriod): string {
  return periodKey({ tenantId, periodStart });
}

function isCounted({ stripe, confirmed, settled }: ReconciledPeriod): boolean {
  return stripe === String(BigInt(confirmed) - BigInt(settled));
}

/**
 * Checks law 6: what Stripe's summaries show is what we have confirmed as pushed. A summary that
 * only lags, one that lost later what a final invoice bills, and a push still in flight, are no
 * violation; a period of which it was said already, by its `periodKey`, is not named again.
 */
export async function checkSummaries(parts: StripeParts, said: ReadonlySet<string> = NOTHING) {
  const months = (await monthsPushed(parts.database)).slice(0, MONTHS_CHECKED);
  const compared = months.map((month) => compareMonth(parts, { month, tenant_id: null }));
  const rows = (await Promise.all(compared)).flat().filter((row) => !said.has(keyOf(row)));
  const asked = rows.filter((row) => row.stripe !== null);
  const unread = rows.filter((row) => row.difference === 'unread');
  const wrong = asked.filter(
    (row) => !isCounted(row) && !['lag', 'in_flight', 'billed'].includes(row.difference),
  );
  return {
    law: 6,
    name: "Stripe's summary = what is confirmed as pushed",
    checked: asked.length,
    violations: [
      ...wrong.map(
        (row) =>
          `tenant "${row.tenant_id}" period ${row.period_start}: Stripe ${row.stripe} µ, confirmed ${row.confirmed} µ (${row.difference})`,
      ),
      ...unread.map(
        (row) =>
          `tenant "${row.tenant_id}" period ${row.period_start}: confirmed ${row.confirmed} µ and cannot be compared: ${row.detail}`,
      ),
    ],
  };
}
