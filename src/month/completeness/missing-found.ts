import { picoPerMinor } from '../../currencies.ts';
import { formatMinor, formatPico } from '../../money.ts';
import type { MissingThing } from './missing-answer.ts';
import { missingRemedy } from './missing-remedy.ts';

/** A thing that is missing, and what stays the same of it while its counts grow. */
export interface MissingFound {
  readonly thing: MissingThing;
  /** What it is about, among those of its kind, tenant and period; '' where there is one alone. */
  readonly about: string;
  /** What it names: models, reasons, tenants, words. One that was not named before is news. */
  readonly names: readonly string[];
  /** The rows of the quarantine that it counts: a batched request is counted for each tenant that it names. */
  readonly quarantined?: readonly bigint[];
}

/** Returns each name once, in a fixed order. */
export function namesOf(all: readonly string[]): readonly string[] {
  return [...new Set(all)].sort();
}

export const NO_AMOUNT = { amount: null, currency: null };

/** Returns a charge with its one currency; amounts of two currencies are never added. */
export function chargeOf(charge: bigint | null, currencies: readonly string[]) {
  const [currency = null, ...others] = new Set(currencies);
  if (currency === null || others.length > 0) return NO_AMOUNT;
  return { amount: charge === null ? null : formatPico(charge), currency };
}

/** Begins a thing of a kind, with its remedy, and without an amount. */
export function thing(
  kind: Parameters<typeof missingRemedy>[0],
  tenantId: string | null,
  periodStart: string | null = null,
) {
  const remedy = missingRemedy(kind, { tenantId, periodStart });
  return { kind, tenant_id: tenantId, period_start: periodStart, ...NO_AMOUNT, remedy };
}

/**
 * Returns an exact amount for people: with its cents, where there are no more decimals than those.
 */
export function money(amount: bigint, currency: string): string {
  const unit = picoPerMinor(currency);
  return `${amount % unit === 0n ? formatMinor(amount / unit, currency) : formatPico(amount)} ${currency}`;
}
