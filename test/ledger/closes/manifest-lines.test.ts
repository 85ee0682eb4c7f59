import { expect, it } from 'vitest';
import type { EntryGroup } from '../../../src/ledger/closes/manifest-lines.ts';
import {
  describeLine,
  exactLines,
  METERS,
  notDueOf,
} from '../../../src/ledger/closes/manifest-lines.ts';
import { PRICE } from '../../support/group-price.ts';

/** 10,000 tokens of gpt-4o at 3.00 a million, which are 0.03. */
const GROUP: EntryGroup = {
  requestedModel: 'gpt-4o',
  serviceTier: 'standard',
  late: true,
  due: false,
  currency: 'USD',
  kind: 'usage',
  outcome: 'charged',
  entries: 1n,
  calls: 1n,
  tokens: {
    uncachedInput: 10_000n,
    cacheRead: 0n,
    cacheWrite: 0n,
    output: 0n,
    callShare: 1_000_000n,
    units: null,
  },
  charge: 30_000_000_000n,
  price: PRICE,
};

it('a dinar that nobody is billed for is rounded to the hundredth that Stripe bills, and written in thousandths', () => {
  // 0.03 and 10,500 x 3 = 0.0315 are 0.0615; of hundredths that are six, three for each line.
  const later = { ...GROUP, late: false, charge: 31_500_000_000n };
  const tokens = { ...GROUP.tokens, uncachedInput: 10_500n };
  const [sum, ...others] = notDueOf([
    { ...GROUP, currency: 'KWD' },
    { ...later, tokens, currency: 'KWD' },
  ]);
  expect(others).toEqual([]);
  expect(sum).toMatchObject({ currency: 'KWD', exact: '0.0615', total: '0.060' });
  expect(sum?.lines.map(({ late, amount }) => [late, amount])).toEqual([
    [false, '0.030'],
    [true, '0.030'],
  ]);
});

it('a currency in which nothing was charged has no sum of its own', () => {
  const free = { ...GROUP, currency: 'EUR', charge: 0n, price: null };
  expect(notDueOf([GROUP, free]).map(({ currency }) => currency)).toEqual(['USD']);
});

it('a share of a pool and an adjustment are lines of their amount alone, and none where that is nothing', () => {
  for (const kind of ['allocation', 'adjustment'] as const) {
    const group = { ...GROUP, kind, price: null, requestedModel: 'a gift', charge: -5_000_000n };
    expect(exactLines(group)).toEqual([
      {
        model: 'a gift',
        serviceTier: 'standard',
        late: true,
        meter: kind,
        quantity: 0n,
        rate: 0n,
        exact: -5_000_000n,
      },
    ]);
    expect(exactLines({ ...group, charge: 0n })).toEqual([]);
  }
});

it('a charge that its prices do not give is no line, and says what they give', () => {
  expect(() => exactLines({ ...GROUP, charge: 7n })).toThrow(
    'entries of gpt-4o hold a charge of 7 p, but their prices give 30000000000 p; verify the ledger',
  );
  const tokens = { ...GROUP.tokens, units: { input_audio_tokens: 1n } };
  expect(() => exactLines({ ...GROUP, tokens })).toThrow('but their prices give no amount p');
  expect(() => exactLines({ ...GROUP, price: null })).toThrow(
    'entries of gpt-4o hold a charge of 30000000000 p and no price',
  );
});

it('time is written in seconds, calls in whole ones with their parts, and all else as it is', () => {
  const line = { model: 'm', serviceTier: 'standard', late: false, rate: 2n, exact: 4n };
  const written = (meter: (typeof METERS)[number]) => {
    const { quantity, rate } = describeLine({ ...line, meter, quantity: 1_500_000n });
    return [quantity, rate];
  };
  expect(written('audio_seconds')).toEqual(['1500.000', '0.000000002']);
  expect(written('calls')).toEqual(['1.500000', '0.000000000002']);
  expect(written('input')).toEqual(['1500000', '0.000002']);
});

it('what is no usage stands after all usage of its model', () => {
  expect(METERS.slice(-5)).toEqual([
    'calls',
    'allocation',
    'adjustment',
    'carried_in',
    'carried_out',
  ]);
});
