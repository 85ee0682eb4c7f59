import { expect, it } from 'vitest';
import { backtest } from '../../src/allocation/backtest.ts';
import type { Consumption } from '../../src/allocation/consumption.ts';
import { parseWeights } from '../../src/allocation/token-weights.ts';

/** One cent of cost for every token of output; calls say something else. */
const CONSUMED: readonly Consumption[] = [
  consumption('acme', { calls: 3n, input: 100n, output: 10n }),
  consumption('birch', { calls: 1n, input: 100n, output: 30n }),
];

it('puts direct attribution beside each division of the same amount, with every divergence', () => {
  const given = { amount: 8_000_000_000_000n, weights: parseWeights('input=1,output=10') };
  const { candidates, tenants, amount } = backtest(CONSUMED, given);
  expect(amount).toBe('8');
  // Direct 10:30 → 2 and 6. Activity 3:1 → 6 and 2: 4 of 8 are misallocated.
  // Weighted 100 + 100 : 100 + 300 = 200:400 → 2.666666666667 and 5.333333333333.
  expect(tenants).toEqual([
    {
      tenant_id: 'acme',
      direct: '2',
      shares: [
        { share: '6', divergence: '4', divergence_percent: '200.00' },
        {
          share: '2.666666666667',
          divergence: '0.666666666667',
          divergence_percent: '33.33',
        },
        { share: '2', divergence: '0', divergence_percent: '0.00' },
      ],
    },
    {
      tenant_id: 'birch',
      direct: '6',
      shares: [
        { share: '2', divergence: '-4', divergence_percent: '-66.67' },
        {
          share: '5.333333333333',
          divergence: '-0.666666666667',
          divergence_percent: '-11.11',
        },
        { share: '6', divergence: '0', divergence_percent: '0.00' },
      ],
    },
  ]);
  expect(candidates).toEqual([
    {
      ...{ by: 'activity', weights: null, fitted: false },
      ...{ misallocated: '4', misallocated_percent: '50.00', rms: '4' },
    },
    {
      ...{ by: 'weighted-tokens', weights: 'input=1,cache_read=1,cache_write=1,output=10' },
      ...{ fitted: false, misallocated: '0.666666666667', misallocated_percent: '8.33' },
      rms: '0.666666666667',
    },
    {
      ...{ by: 'weighted-tokens', weights: 'input=0,cache_read=0,cache_write=0,output=1' },
      ...{ fitted: true, misallocated: '0', misallocated_percent: '0.00', rms: '0' },
    },
  ]);
});

it.each([0n, -5_000_000_000_000n])('refuses an amount of %s, as no pool has one', (amount) => {
  const given = { amount, weights: parseWeights('input=1,output=10') };
  expect(() => backtest(CONSUMED, given)).toThrow(/an amount of (0|-5) leaves nothing to divide/);
});

it('without an amount divides what the entries cost', () => {
  expect(
    backtest(CONSUMED, { amount: null, weights: parseWeights('input=1,output=1') }).amount,
  ).toBe('0.4');
});

it('says when there are too few tenants to trust a fit, and when costs are not known', () => {
  const [first] = CONSUMED;
  const unknown = first === undefined ? [] : [{ ...first, entriesWithoutCost: 2n }];
  const { notes } = backtest(unknown, { amount: null, weights: parseWeights('input=1,output=1') });
  expect(notes).toEqual([
    expect.stringContaining('2 entries have no known cost'),
    expect.stringContaining('many weights fit alike with so few tenants (1)'),
  ]);
});

it('a tenant from which corrections took more than it used bears nothing', () => {
  const taken = consumption('cedar', { calls: -1n, input: -5n, output: -5n });
  const given = { amount: 4_000_000_000_000n, weights: parseWeights('input=1,output=1') };
  const { tenants } = backtest([...CONSUMED, taken], given);
  expect(tenants.at(-1)).toMatchObject({
    tenant_id: 'cedar',
    direct: '0',
    shares: [{ share: '0', divergence_percent: null }, { share: '0' }, { share: '0' }],
  });
});

function consumption(
  tenantId: string,
  used: { readonly calls: bigint; readonly input: bigint; readonly output: bigint },
): Consumption {
  const { calls, input, output } = used;
  return {
    tenantId,
    ...{ mode: 'live', currency: 'USD', endsAt: 0, entriesWithoutCost: 0n, entriesToCost: 0n },
    calls: calls * 1_000_000n,
    tokens: { uncachedInput: input, cacheRead: 0n, cacheWrite: 0n, output },
    units: {},
    directCost: output * 10_000_000_000n,
  };
}
