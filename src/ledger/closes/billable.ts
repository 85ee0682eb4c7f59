import { minorPerBilled, picoPerBilled } from '../../currencies.ts';
import type { Pico } from '../../money.ts';
import { divideHalfUp, floorDivide, PICO_PER_MICRO } from '../../money.ts';

/** The billable amount of a period's exact sum, and what it carries on (R14). */
export interface Billable {
  /** The amount that Stripe is told: whole micro-dollars, never negative. */
  readonly billableMicro: bigint;
  /** What is left for the tenant's next period: below a micro-dollar, or the whole of a negative sum. */
  readonly carriedOut: Pico;
  /** Minor units: the billable amount rounded once, half up, as Stripe rounds an invoice line. */
  readonly total: bigint;
}

/**
 * Splits an exact total into what is billed and what is carried on: `exact + carriedIn =
 * billableMicro × 10⁶ + carriedOut`, always.
 */
export function billableOf(exact: Pico, carriedIn: Pico, currency: string): Billable {
  const due = exact + carriedIn;
  const billableMicro = due > 0n ? floorDivide(due, PICO_PER_MICRO) : 0n;
  const billable = billableMicro * PICO_PER_MICRO;
  return {
    billableMicro,
    carriedOut: due - billable,
    total: divideHalfUp(billable, picoPerBilled(currency)) * minorPerBilled(currency),
  };
}
