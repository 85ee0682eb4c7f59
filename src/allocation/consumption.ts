import type { InstantMs } from '../clock.ts';
import type { Pico } from '../money.ts';
import { formatDecimal } from '../money.ts';
import type { Weighed } from './divide-pool.ts';
import type { TokenSums, TokenWeights, UnitSums } from './token-weights.ts';
import { weigh } from './token-weights.ts';

/**
 * A pool is divided by the tenants' calls, by their weighted tokens, or by what their own entries
 * cost.
 */
export const BASES = ['activity', 'weighted-tokens', 'direct'] as const;

export type Basis = (typeof BASES)[number];

/** The usage of one tenant in its periods that begin in a month, in one currency. */
export interface Consumption {
  readonly tenantId: string;
  readonly mode: 'shadow' | 'live';
  readonly currency: string;
  /** The instant at which the last of these periods ends. */
  readonly endsAt: InstantMs;
  /** Millionths of a call: a member of a batched request has only its share of the call. */
  readonly calls: bigint;
  readonly tokens: TokenSums;
  /** What it used that is no token. */
  readonly units: UnitSums;
  /** What its entries cost by the cost books. */
  readonly directCost: Pico;
  /** Entries whose cost no book knows; they add nothing to it. */
  readonly entriesWithoutCost: bigint;
  /** The number of them in open periods, in which a correction can still give them a cost. */
  readonly entriesToCost: bigint;
}

/** Decimals of each basis's unit: calls and weighted tokens in millionths, costs in picodollars. */
const DECIMALS: Readonly<Record<Basis, number>> = {
  activity: 6,
  'weighted-tokens': 6,
  direct: 12,
};

/**
 * Returns what a tenant weighs. Corrections may take back more in a period than was used in it;
 * such a tenant weighs nothing, since a share is never negative.
 */
export function weightOf(
  consumption: Consumption,
  basis: Basis,
  weights: TokenWeights | null,
): Weighed {
  const { tenantId } = consumption;
  const units = unitsOf(consumption, basis, weights);
  return { tenantId, weight: units > 0n ? units : 0n };
}

function unitsOf(consumption: Consumption, basis: Basis, weights: TokenWeights | null): bigint {
  switch (basis) {
    case 'activity':
      return consumption.calls;
    case 'direct':
      return consumption.directCost;
    case 'weighted-tokens':
      if (weights === null) throw new Error('weighted tokens need weights');
      return weigh(consumption.tokens, weights, consumption.units);
  }
}

export function formatWeight(weight: bigint, basis: Basis): string {
  return formatDecimal(weight, DECIMALS[basis]).replace(/\.?0+$/, '');
}

/** What one unit of each basis is called. */
export const UNIT_NAMES: Readonly<Record<Basis, string>> = {
  activity: 'calls',
  'weighted-tokens': 'weighted tokens',
  direct: 'of direct cost',
};
