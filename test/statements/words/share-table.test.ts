import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDecimal } from '../../../src/money.ts';
import { viewShares } from '../../../src/statements/words/share-table.ts';
import { cases } from '../../support/cases.ts';
import { type SampleUsage, sampleStatement } from '../sample.ts';

const USAGE = { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 0 };

function cents(amount: string): bigint {
  return parseDecimal(amount.replaceAll(/[$,]/g, '').replace('−', '-'), 2) ?? -1n;
}

it('names eight of many, sums the others, and adds up to the total', () => {
  const usages = Array.from({ length: 12 }, (_, index) => ({
    ...USAGE,
    input: 1_000_000 * (12 - index),
    ...(index === 3 ? {} : { feature: `f${index}` }),
  }));
  const [table] = viewShares(sampleStatement(usages));
  expect(table?.rows.map(({ name, amount }) => `${name} ${amount}`)).toEqual([
    // 12,000,000 × 3.00 a million = 36.00, and so on down
    ...['f0 $36.00', 'f1 $33.00', 'f2 $30.00', 'f4 $24.00', 'f5 $21.00', 'f6 $18.00'],
    ...['f7 $15.00', 'f8 $12.00', '3 others $18.00', 'No feature named $27.00'],
  ]);
  expect(table?.total).toEqual({ name: 'Total', calls: '12', amount: '$234.00' });
});

it('says what no call caused, so that the sum is the total', () => {
  const document = sampleStatement([{ ...USAGE, user: 'ann' }], {
    adjustments: [{ reason: 'sorry', amount: -1_000_000_000_000n }],
  });
  const [table] = viewShares(document);
  expect(table?.rows).toEqual([
    { name: 'ann', calls: '1', amount: '$3.00' },
    { name: 'Of no call: shared, adjusted or carried', calls: '', amount: '−$1.00' },
  ]);
  expect(table?.total.amount).toBe('$2.00');
});

it('is left out where no call names any', () => {
  expect(viewShares(sampleStatement([USAGE]))).toEqual([]);
});

it('adds up whatever is rounded', () => {
  const usage: fc.Arbitrary<SampleUsage> = fc.record({
    day: fc.constant('2026-10-05'),
    model: fc.constantFrom('a', 'b', 'c', 'd'),
    input: fc.nat(900_000),
    output: fc.nat(90_000),
    late: fc.boolean(),
    feature: fc.constantFrom('x', 'y', 'z', 'u', 'v', 'w', 'r', 's', 't', 'q', 'p'),
  });
  fc.assert(
    fc.property(fc.array(usage, { maxLength: 40 }), (usages) => {
      const document = sampleStatement(usages);
      for (const { rows, total } of viewShares(document)) {
        const sum = rows.reduce((all, { amount }) => all + cents(amount), 0n);
        expect(sum).toBe(cents(total.amount));
        const calls = rows.reduce((all, row) => all + Number(row.calls), 0);
        expect(calls).toBe(document.usage.calls);
      }
    }),
    cases(100),
  );
});
