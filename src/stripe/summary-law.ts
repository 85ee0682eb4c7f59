import { periodKey } from '../periods/period-key.ts';
import { monthsPushed } from '../push/intent-store.ts';
import { Refusal } from '../refusal.ts';
import { readMeters, refuseOtherKey } from './meters/meter-store.ts';
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
 * only lags, one that lost later what a final invoice bills, one of which a person has said what
 * else it holds, and a push still in flight, are no violation; a period of which it was said already, by its `periodKey`, is not named again. A key
 * that this ledger told nothing by is refused, before the first push, too: nothing that it is shown would be ours.
 */
export async function checkSummaries(parts: StripeParts, said: ReadonlySet<string> = NOTHING) {
  const months = (await monthsPushed(parts.database)).slice(0, MONTHS_CHECKED);
  const rows = (await askEach(parts, months)).filter((row) => !said.has(keyOf(row)));
  const asked = rows.filter((row) => row.stripe !== null);
  const unread = rows.filter((row) => row.difference === 'unread');
  const wrong = asked.filter(
    (row) => !isCounted(row) && !['lag', 'in_flight', 'billed', 'excused'].includes(row.difference),
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

/** Where nothing was pushed yet, the key is still held against the meters that were set up. */
async function askEach(
  parts: StripeParts,
  months: readonly string[],
): Promise<readonly ReconciledPeriod[]> {
  try {
    if (months.length === 0) await refuseForeignKey(parts);
    const compared = months.map((month) => compareMonth(parts, { month, tenant_id: null }));
    return (await Promise.all(compared)).flat();
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'misconfigured') throw error;
    throw new Refusal(error.kind, `law 6 cannot be asked of this account: ${error.message}`, [
      ...error.remedy,
      '; without STRIPE_API_KEY the other laws are checked alone',
    ]);
  }
}

async function refuseForeignKey(parts: StripeParts): Promise<void> {
  const modes = [true, false].map((livemode) => readMeters(parts.database, livemode));
  const isSetUp = (await Promise.all(modes)).some((meters) => meters.size > 0);
  if (isSetUp) await refuseOtherKey(parts);
}
