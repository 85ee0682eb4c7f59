/** What several measurements of one figure came to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: quantile(values, 0), max: quantile(values, 1) };
}

/** Milliseconds; the half, and all but one in a hundred, were at most so long. */
export interface Latency {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
}

export function latencyOf(millis: readonly number[]): Latency {
  return { samples: millis.length, p50: quantile(millis, 0.5), p99: quantile(millis, 0.99) };
}

/** Between two values where the quantile falls between them; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}
