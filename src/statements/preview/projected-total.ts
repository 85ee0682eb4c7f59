import type { InstantMs } from '../../clock.ts';
import { billableOf } from '../../ledger/closes/billable.ts';
import type { ManifestLine } from '../../ledger/closes/manifest-lines.ts';
import { exactPico, floorDivide, formatMinor, type Pico } from '../../money.ts';

/** What a running period would come to at the pace that it has. */
export interface ProjectedTotal {
  /** The total at the currency's precision. */
  readonly total: string;
  /** The method in a sentence. */
  readonly method: string;
}

const DAY_MS = 86_400_000;

/**
 * Usage goes on at the pace that it had so far; what has no pace, such as a credit or usage of an earlier period,
 * counts once. A first day tells no pace, and a period that has ended has none to come: both give null.
 */
export function projectTotal(of: {
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly now: InstantMs;
  readonly currency: string;
  readonly lines: readonly ManifestLine[];
  readonly exact: Pico;
  readonly carriedIn: Pico;
}): ProjectedTotal | null {
  const passed = of.now - of.startsAt;
  const whole = of.endsAt - of.startsAt;
  if (passed < DAY_MS || passed >= whole) return null;
  const usage = of.lines.filter(hasPace).reduce((sum, line) => sum + exactPico(line.exact), 0n);
  const projected = floorDivide(usage * BigInt(whole), BigInt(passed)) + of.exact - usage;
  const { total } = billableOf(projected, of.carriedIn, of.currency);
  return {
    total: formatMinor(total, of.currency),
    method: `Usage goes on at the pace of the first ${days(passed)} of ${days(whole)} days; late usage, shared spend, adjustments and what is carried in count once.`,
  };
}

function hasPace({ late, meter }: ManifestLine): boolean {
  return !late && !['allocation', 'adjustment', 'carried_in', 'carried_out'].includes(meter);
}

/** It is true to a tenth: 30, or 14.5. */
function days(ms: number): string {
  return String(Math.round((ms / DAY_MS) * 10) / 10);
}
