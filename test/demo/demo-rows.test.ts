import { expect, it } from 'vitest';
import { totalOf } from '../../src/demo/demo-rows.ts';

const row = (charge: string, stripe: string | null) => ({
  ...({ tenant_id: 'acme', mode: stripe === null ? 'shadow' : 'live' } as const),
  ...{ calls: 2, failed: 1, tokens: '10', charge, cost: '0.00', margin: charge },
  ...{ pushed: stripe ?? '0', stripe },
});

it('the total sums what was charged exactly and rounds once, although the rows add up to more', () => {
  const exact = ['0.005', '0.005', '0.004'];
  const usage = exact.map((charge) => ({ charge, cost: '0.001', margin: '0.00149' }));
  const total = totalOf([row('0.01', '5000'), row('0.01', '5000'), row('0.00', null)], usage);
  expect(total).toEqual({
    ...{ calls: 6, failed: 3, tokens: '30' },
    ...{ charge: '0.01', cost: '0.00', margin: '0.00', pushed: '10000', stripe: '10000' },
  });
});

it('the total of amounts of which one is unknown is refused', () => {
  const usage = [{ charge: '1', cost: null, margin: null }];
  expect(() => totalOf([], usage)).toThrow('a cost of the demo is unknown');
});
