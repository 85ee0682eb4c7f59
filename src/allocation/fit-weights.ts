import { divideHalfUp } from '../money.ts';
import { present } from '../present.ts';
import type { TokenSums, TokenWeights } from './token-weights.ts';
import { BUCKETS } from './token-weights.ts';

/** What one tenant used, and what that really cost. Neither is negative. */
export interface Observation {
  readonly tokens: TokenSums;
  readonly directCost: bigint;
}

/**
 * Returns the weights under which an allocation by weighted tokens diverges least from direct
 * attribution: of all weights that are not negative and by which the weighted tokens of all tenants
 * together come to the whole cost, those with the least sum of squared differences. That sum is the
 * square of the divergence that `backtest` prints, so no other weights have a smaller one, but for
 * their rounding to millionths.
 *
 * There are four buckets, so fifteen sets of buckets that may weigh something; each has one linear
 * system, and the best of the solutions without a negative weight is the answer. Everything is an
 * exact fraction of whole numbers. Null where no bucket can explain any cost.
 *
 * With fewer tenants than buckets several weights fit alike; the set with the fewest buckets is taken.
 */
export function fitWeights(observations: readonly Observation[]): TokenWeights | null {
  let best: Solution | null = null;
  for (const keys of bucketSets()) {
    const solution = solve(observations, keys);
    if (solution !== null && (best === null || isSmaller(solution, best))) best = solution;
  }
  return best === null ? null : toWeights(best);
}

type Key = keyof TokenSums;

/** Every set of buckets but the empty one, small sets first. */
function bucketSets(): readonly (readonly Key[])[] {
  const sets = Array.from({ length: 2 ** BUCKETS.length - 1 }, (_, bits) =>
    BUCKETS.filter((_, place) => ((bits + 1) >> place) % 2 === 1).map(({ key }) => key),
  );
  return sets.sort((a, b) => a.length - b.length);
}

interface Solution {
  readonly keys: readonly Key[];
  /** Weights are numerators over one denominator, which is positive. */
  readonly numerators: readonly bigint[];
  readonly denominator: bigint;
  /** The sum of squared differences, times the denominator squared. */
  readonly squares: bigint;
}

/**
 * Least squares of cost on the tokens of these buckets, on condition that both have the same sum, by
 * Lagrange's multiplier and Cramer's rule. Null where the system has no single solution, or one with
 * a negative weight.
 */
function solve(observations: readonly Observation[], keys: readonly Key[]): Solution | null {
  const dot = (a: (o: Observation) => bigint, b: (o: Observation) => bigint) =>
    observations.reduce((sum, one) => sum + a(one) * b(one), 0n);
  const column = (key: Key) => (one: Observation) => one.tokens[key];
  const cost = (one: Observation) => one.directCost;
  const unit = () => 1n;
  const matrix = [
    ...keys.map((row) => [
      ...keys.map((key) => dot(column(row), column(key))),
      dot(column(row), unit),
    ]),
    [...keys.map((key) => dot(column(key), unit)), 0n],
  ];
  const right = [...keys.map((key) => dot(column(key), cost)), dot(cost, unit)];
  const whole = determinant(matrix);
  if (whole === 0n) return null;
  const sign = whole < 0n ? -1n : 1n;
  const numerators = keys.map((_, place) => sign * determinant(withColumn(matrix, place, right)));
  if (numerators.some((numerator) => numerator < 0n)) return null;
  const denominator = sign * whole;
  const squares = observations.reduce((sum, one) => {
    const weighed = keys.reduce(
      (all, key, place) => all + one.tokens[key] * present(numerators[place], 'a numerator'),
      0n,
    );
    const difference = weighed - one.directCost * denominator;
    return sum + difference * difference;
  }, 0n);
  return { keys, numerators, denominator, squares };
}

function withColumn(
  matrix: readonly (readonly bigint[])[],
  place: number,
  column: readonly bigint[],
): readonly (readonly bigint[])[] {
  return matrix.map((row, index) => row.with(place, present(column[index], 'a row of the column')));
}

/** The determinant is expanded by the first column; the matrices have five rows at the most. */
function determinant(matrix: readonly (readonly bigint[])[]): bigint {
  if (matrix.length === 0) return 1n;
  return matrix.reduce((sum, row, index) => {
    const first = present(row[0], 'the first of a row');
    const minor = matrix.filter((_, other) => other !== index).map((other) => other.slice(1));
    const term = first === 0n ? 0n : first * determinant(minor);
    return index % 2 === 0 ? sum + term : sum - term;
  }, 0n);
}

function isSmaller(a: Solution, b: Solution): boolean {
  return a.squares * b.denominator ** 2n < b.squares * a.denominator ** 2n;
}

/** Only ratios matter: input becomes 1, or where input weighs nothing the heaviest bucket does. */
function toWeights(solution: Solution): TokenWeights | null {
  const of = (key: Key) => solution.numerators[solution.keys.indexOf(key)] ?? 0n;
  const heaviest = solution.numerators.reduce((a, b) => (b > a ? b : a), 0n);
  const one = of('uncachedInput') > 0n ? of('uncachedInput') : heaviest;
  if (one === 0n) return null;
  const weight = (key: Key) => divideHalfUp(of(key) * 1_000_000n, one);
  return {
    uncachedInput: weight('uncachedInput'),
    cacheRead: weight('cacheRead'),
    cacheWrite: weight('cacheWrite'),
    output: weight('output'),
  };
}
