import { expect, it } from 'vitest';
import { compareMonths } from '../../../src/statements/words/comparison.ts';
import { sampleStatement } from '../sample.ts';

const USAGE = { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 0 };

function compare(total: string, lines: readonly { model: string; amount: string }[] = []) {
  const before = { start: '2026-09-01', total, lines };
  return compareMonths(sampleStatement([USAGE], { beside: { month_before: before } }));
}

it('says the difference in money, in percent and by model', () => {
  const lines = [
    { model: 'gpt-4o', amount: '1.50' },
    { model: 'gpt-4-turbo', amount: '0.50' },
  ];
  expect(compare('2.00', lines)).toEqual({
    summary: 'September 2026 came to $2.00: this period comes to $1.00 more (+50.0 %).',
    models: [
      { label: 'gpt-4o', amount: '+$1.50' },
      { label: 'gpt-4-turbo', amount: '−$0.50' },
    ],
  });
  expect(compare('6.00')?.summary).toContain('$3.00 less (−50.0 %)');
  expect(compare('3.00')?.summary).toContain('this period comes to the same');
});

it('the differences that it names add up to the whole one', () => {
  // What came late in September is in its total, and in no line of a model.
  expect(compare('2.75', [{ model: 'gpt-4o', amount: '1.50' }])).toMatchObject({
    models: [
      { label: 'gpt-4o', amount: '+$1.50' },
      { label: 'everything else', amount: '−$1.25' },
    ],
  });
});

it('gives no percent of nothing, and no models where they are many', () => {
  const lines = 'abcdefg'.split('').map((model) => ({ model, amount: '0.00' }));
  const compared = compare('0.00', lines);
  expect(compared?.summary).toBe('September 2026 came to $0.00: this period comes to $3.00 more.');
  expect(compared?.models).toEqual([]);
});

it('compares no open period, and none without one before it', () => {
  const preview = {
    ...{ as_of: '2026-10-10T00:00:00Z', earlier_open: null, projection: null },
    ...{ waiting: 0, left_owed: [] },
  };
  const before = { start: '2026-09-15', total: '2.00', lines: [] };
  const open = sampleStatement([USAGE], { preview, beside: { month_before: before } });
  expect(compareMonths(open)).toEqual({
    summary: 'The period that began in September 2026 came to $2.00.',
    models: [],
  });
  expect(compareMonths(sampleStatement([USAGE]))).toBeNull();
});
