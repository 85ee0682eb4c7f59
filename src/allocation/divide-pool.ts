import type { Pico } from '../money.ts';
import { allocate } from '../money.ts';
import { present } from '../present.ts';

/** The basis of a tenant's share of a pool. */
export interface Weighed {
  readonly tenantId: string;
  /** Whole units of the basis; never negative. */
  readonly weight: bigint;
}

/** One tenant's part of a pool, with everything that it takes to recompute it. */
export interface Share extends Weighed {
  readonly share: Pico;
  /**
   * Its place, from 1, among the remainders that the division leaves, the largest first and the
   * earlier tenant first among equals. Those in the first places have one picodollar more than the
   * floor of their exact share.
   */
  readonly remainderPlace: number;
  readonly roundedUp: boolean;
}

/**
 * Divides a pool by weight (R20): exact to the picodollar by largest remainder, ties to the earlier
 * tenant id. A tenant that weighs nothing has no share. An empty answer means that nobody weighs.
 */
export function dividePool(amount: Pico, weighed: readonly Weighed[]): readonly Share[] {
  const sharing = weighed
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
  if (sharing.length === 0) return [];
  const total = sharing.reduce((sum, { weight }) => sum + weight, 0n);
  const shares = allocate(
    amount,
    sharing.map(({ weight }) => weight),
  );
  const ranked = sharing
    .map(({ weight }, index) => ({ index, remainder: (amount * weight) % total }))
    .sort((a, b) => Number(b.remainder > a.remainder) - Number(b.remainder < a.remainder));
  const places = new Map(ranked.map(({ index }, rank) => [index, rank + 1]));
  return sharing.map(({ tenantId, weight }, index) => {
    const share = present(shares[index], `the share of "${tenantId}"`);
    const roundedUp = share > (amount * weight) / total;
    const remainderPlace = present(places.get(index), `the place of "${tenantId}"`);
    return { tenantId, weight, share, remainderPlace, roundedUp };
  });
}
