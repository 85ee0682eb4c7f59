import { billableOf } from '../../ledger/closes/billable.ts';
import { exactPico, formatMinor, type Pico } from '../../money.ts';
import { projectMonth } from '../../periods/project-month.ts';
import type { DailyUsage } from '../statement-answer.ts';

/** The projected total of a running period if usage continues at its pace. */
export interface ProjectedTotal {
  /** The total at the currency's precision. */
  readonly total: string;
  /** The method in a sentence. */
  readonly method: string;
}

interface Running {
  /** Every day of the period in its own zone. */
  readonly days: readonly string[];
  /** The day in the zone that runs now. */
  readonly today: string;
  /**
   * What was used on each day. Shares of pools stand among it, and are late in a period that runs: a pool is divided
   * once the periods that it is divided by have ended.
   */
  readonly daily: readonly Pick<DailyUsage, 'day' | 'late' | 'charge'>[];
  readonly currency: string;
  readonly exact: Pico;
  readonly carriedIn: Pico;
}

/**
 * Projects the total: each day to come counts as the days before it did, by the method of every
 * projection; what does not go on, such as a credit or usage of an earlier period, counts once. It
 * is null on the first day, and of a period that does not run.
 */
export function projectTotal(of: Running): ProjectedTotal | null {
  const place = of.days.indexOf(of.today);
  if (place < 0) return null;
  const charges = new Map<string, Pico>();
  for (const { day, late, charge } of of.daily) {
    if (late) continue;
    charges.set(day, (charges.get(day) ?? 0n) + exactPico(charge));
  }
  const chargeOn = (day: string) => charges.get(day) ?? 0n;
  const first = of.days.findIndex((day) => charges.has(day));
  const projected = projectMonth({
    toDate: of.exact,
    today: chargeOn(of.today),
    daysToCome: of.days.length - place - 1,
    daysBefore: of.days.slice(Math.max(0, first), place).reverse().map(chargeOn),
  });
  if (projected === null) return null;
  const { total } = billableOf(projected.charge, of.carriedIn, of.currency);
  return {
    total: formatMinor(total, of.currency),
    method: `${METHODS[projected.method](projected.fromDays)}; late usage, shared spend, adjustments and what is carried in count once.`,
  };
}

const METHODS = {
  weekdays: (days: number) =>
    `Each day to come counts as the same weekdays of the last ${days} days did on the average`,
  days: (days: number) =>
    days === 1
      ? 'Each day to come counts as the first whole day did'
      : `Each day to come counts as the ${days} whole days since the first usage did on the average`,
} as const;
