/**
 * This finds the one thing that explains a drift. Where a single price differs, the drift of each call is that price's
 * difference times the count, so that the least-squares fit of the drift on that count alone leaves nothing.
 * Everything is a fraction of whole numbers, so that an exact explanation is known to be exact.
 */

/** Sums over calls: of what may explain, times the drift and times itself. */
export interface Regressor {
  readonly name: string;
  readonly withDrift: bigint;
  readonly squared: bigint;
}

export interface DriftSums {
  readonly calls: number;
  /** The sum of the squared drifts of the calls. */
  readonly squared: bigint;
  readonly regressors: readonly Regressor[];
}

export interface Explained {
  readonly name: string;
  /** Ten-thousandths of the squared drift, rounded down, so that all is only claimed where it is all. */
  readonly share: bigint;
  /** The drift of one, as a fraction. */
  readonly slope: readonly [numerator: bigint, denominator: bigint];
}

/** Less than this much explained is no explanation, in ten-thousandths. */
const LEAST_SHARE = 9_900n;

/**
 * Reports the best explanation; null where there is no drift, where none explains nearly all of it,
 * and where two do so alike, as they do of calls that are all of one kind.
 */
export function explainDrift({ calls, squared, regressors }: DriftSums): Explained | null {
  if (calls < 2 || squared === 0n) return null;
  const candidates = regressors.filter((one) => one.squared > 0n);
  const fits = candidates.map(({ name, withDrift, squared: own }): Explained => {
    // The explained part of the squares is withDrift² / own, of all `squared`.
    const share = (withDrift * withDrift * 10_000n) / (own * squared);
    return { name, share, slope: [withDrift, own] };
  });
  const [best, next] = fits.sort((a, b) => Number(b.share - a.share));
  if (best === undefined || best.share < LEAST_SHARE) return null;
  return next !== undefined && next.share >= best.share ? null : best;
}
