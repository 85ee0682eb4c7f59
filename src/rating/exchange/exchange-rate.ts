import type { InstantMs } from '../../clock.ts';
import { divideHalfUp, type Pico } from '../../money.ts';
import { beginOf } from '../begin-of.ts';

/** Rates of one base from one instant on; immutable, so that an entry can point at them forever. */
export interface ExchangeVersion {
  readonly versionId: bigint;
  readonly base: string;
  readonly effectiveFrom: InstantMs;
  /** How many of each currency one of the base is, in 10⁻¹². */
  readonly rates: ReadonlyMap<string, bigint>;
}

/** The factor for converting an amount: a fraction of two rates of one version. */
export interface Conversion {
  readonly versionId: bigint;
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const ONE = 1_000_000_000_000n;

/**
 * Finds the rate that held at an instant: of the newest version that knows both currencies,
 * directly or through its base. Null where there is none, so that what would be converted stays
 * unknown.
 */
export function findConversion(
  newestFirst: readonly ExchangeVersion[],
  of: { readonly from: string; readonly to: string; readonly at: InstantMs },
): Conversion | null {
  for (const version of newestFirst) {
    if (beginOf(version) > of.at) continue;
    const numerator = rateOf(version, of.to);
    const denominator = rateOf(version, of.from);
    if (numerator === null || denominator === null) continue;
    return { versionId: version.versionId, numerator, denominator };
  }
  return null;
}

function rateOf({ base, rates }: ExchangeVersion, currency: string): bigint | null {
  return currency === base ? ONE : (rates.get(currency) ?? null);
}

/** Converts an amount into another currency, rounded half up once, to a picounit of it. */
export function convert(amount: Pico, { numerator, denominator }: Conversion): Pico {
  return divideHalfUp(amount * numerator, denominator);
}
