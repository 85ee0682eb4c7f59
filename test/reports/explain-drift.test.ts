import fc from 'fast-check';
import { expect, it } from 'vitest';
import { explainDrift } from '../../src/reports/explain-drift.ts';

/** Sums of calls that are told as [drift, count of a, count of b]. */
function sumsOf(calls: readonly (readonly [drift: bigint, a: bigint, b: bigint])[]) {
  const sum = (of: (call: readonly [bigint, bigint, bigint]) => bigint) =>
    calls.reduce((total, call) => total + of(call), 0n);
  return {
    calls: calls.length,
    squared: sum(([d]) => d * d),
    regressors: [
      { name: 'a', withDrift: sum(([d, a]) => d * a), squared: sum(([, a]) => a * a) },
      { name: 'b', withDrift: sum(([d, , b]) => d * b), squared: sum(([, , b]) => b * b) },
    ],
  };
}

it('one price that differs explains all of the drift, by its difference', () => {
  // 3 more for each of b: 3 x 10, 3 x 40, 3 x 5.
  const explained = explainDrift(
    sumsOf([
      [30n, 7n, 10n],
      [120n, 900n, 40n],
      [15n, 12n, 5n],
    ]),
  );
  expect(explained).toMatchObject({ name: 'b', share: 10_000n });
  const [numerator, denominator] = explained?.slope ?? [0n, 1n];
  expect(numerator / denominator).toBe(3n);
});

it('two prices that differ are explained by neither', () => {
  expect(
    explainDrift(
      sumsOf([
        [100n, 100n, 1n],
        [90n, 0n, 90n],
        [7n, 3n, 4n],
      ]),
    ),
  ).toBeNull();
});

it('calls that are all alike cannot be told apart, and one call explains nothing', () => {
  expect(
    explainDrift(
      sumsOf([
        [20n, 10n, 10n],
        [40n, 20n, 20n],
      ]),
    ),
  ).toBeNull();
  expect(explainDrift(sumsOf([[20n, 10n, 3n]]))).toBeNull();
});

it('no drift needs no explanation', () => {
  expect(
    explainDrift(
      sumsOf([
        [0n, 10n, 3n],
        [0n, 4n, 9n],
      ]),
    ),
  ).toBeNull();
});

it('an exact explanation is found whatever the counts and the difference are', () => {
  const call = fc.tuple(fc.bigInt(0n, 10n ** 9n), fc.bigInt(0n, 10n ** 9n));
  fc.assert(
    fc.property(
      fc.array(call, { minLength: 2, maxLength: 30 }),
      fc.bigInt(1n, 10n ** 9n),
      (calls, price) => {
        const sums = sumsOf(calls.map(([a, b]) => [price * a, a, b]));
        const explained = explainDrift(sums);
        // Where b goes with a as well, nobody can tell; else it is a, by its price.
        if (explained === null) return;
        expect(explained.name).toBe('a');
        expect(explained.slope[0]).toBe(price * explained.slope[1]);
      },
    ),
  );
});
