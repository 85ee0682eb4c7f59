import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LinePart } from '../../../src/ledger/closes/line-of-entry.ts';
import { linesOfEntry } from '../../../src/ledger/closes/line-of-entry.ts';
import { MANIFEST_FORMAT, makeManifest } from '../../../src/ledger/closes/manifest.ts';
import type { EntryGroup, GroupPrice } from '../../../src/ledger/closes/manifest-lines.ts';
import { formatPico, parseDecimal } from '../../../src/money.ts';
import { amountOf } from '../../../src/rating/rate-usage.ts';
import { cases } from '../../support/cases.ts';

/** gpt-4o at 3.00 in, 1.50 from the cache and 12.00 out a million, and 0.001 a call. */
const price = (caching: 'work_done' | 'pass_through'): GroupPrice => ({
  book: 'standard',
  version: Date.parse('2026-01-01T00:00:00Z'),
  caching,
  rate: {
    rateId: 1n,
    book: 'standard',
    provider: null,
    model: 'gpt-4o',
    serviceTier: 'standard',
    aboveInputTokens: 0n,
    perCall: 1_000_000_000n,
    input: 3_000_000n,
    output: 12_000_000n,
    cacheRead: 1_500_000n,
    cacheWrite: 3_000_000n,
    units: null,
  },
});

function entry(change: Partial<EntryGroup> & { readonly times?: bigint } = {}): EntryGroup {
  const { times = 1n, ...rest } = change;
  const tokens = {
    uncachedInput: times * 1000n,
    cacheRead: times * 500n,
    cacheWrite: 0n,
    output: times * 100n,
    callShare: times * 1_000_000n,
    units: null,
  };
  const priced = rest.price === undefined ? price('pass_through') : rest.price;
  return {
    requestedModel: 'gpt-4o',
    serviceTier: 'standard',
    late: false,
    due: true,
    currency: 'USD',
    kind: 'usage',
    outcome: 'charged',
    entries: 1n,
    calls: 1n,
    tokens,
    charge: priced === null ? 0n : (amountOf(tokens, priced.rate, priced.caching) ?? 0n),
    price: priced,
    ...rest,
  };
}

const linesOf = (groups: readonly EntryGroup[]) =>
  makeManifest(
    {
      tenantId: 'acme',
      periodStart: '2026-10-01',
      startsAt: Date.parse('2026-10-01T00:00:00Z'),
      endsAt: Date.parse('2026-11-01T00:00:00Z'),
      timeZone: 'UTC',
      currency: 'USD',
      carriedIn: 0n,
      carriedInDue: 0n,
      carriesDue: false,
      format: MANIFEST_FORMAT,
      entriesRoot: null,
    },
    groups,
  ).manifest.lines;

it('an entry stands in a line for each bucket that it was charged for', () => {
  const lines = linesOf([entry({ times: 3n })]);
  // 1,000 x 3 µ = 0.003; 500 cached x 1.5 µ = 0.00075; 100 x 12 µ = 0.0012; 1 call = 0.001
  expect(linesOfEntry(entry(), lines)).toEqual([
    { line: 1, meter: 'input', quantity: '1000', rate: '3', exact: '0.003' },
    { line: 2, meter: 'cache_read', quantity: '500', rate: '1.5', exact: '0.00075' },
    { line: 3, meter: 'output', quantity: '100', rate: '12', exact: '0.0012' },
    { line: 4, meter: 'calls', quantity: '1.000000', rate: '0.001', exact: '0.001' },
  ]);
});

it('what was not charged stands in no line', () => {
  const failed = entry({ outcome: 'failed', price: null });
  expect(linesOfEntry(failed, linesOf([entry(), failed]))).toEqual([]);
});

it('a correction that is corrected in the same period may leave no line', () => {
  const replacement = entry({ kind: 'correction' });
  const reversal = entry({ kind: 'correction', times: -1n });
  // The close sums both into one group of nothing.
  const lines = linesOf([entry({ kind: 'correction', times: 0n })]);
  expect(linesOfEntry(replacement, lines).map(({ line }) => line)).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect(sumBy([replacement, reversal], lines).get(null)).toBe('0');
});

it('the parts of all entries sum to their lines, and those of one to its charge', () => {
  const anyEntry = fc
    .record({
      times: fc.bigInt({ min: -3n, max: 40n }),
      late: fc.boolean(),
      requestedModel: fc.constantFrom('gpt-4o', 'gpt-4o-mini'),
      serviceTier: fc.constantFrom('standard', 'batch'),
      kind: fc.constantFrom('usage' as const, 'correction' as const),
      price: fc.constantFrom(price('work_done'), price('pass_through'), null),
    })
    .map(entry);
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 30 }), (entries) => {
      const lines = linesOf(entries);
      const sums = sumBy(entries, lines);
      for (const [index, line] of lines.entries()) {
        if (line.meter.startsWith('carried')) continue;
        expect(sums.get(index + 1) ?? '0').toBe(line.exact);
      }
      expect(sums.get(null) ?? '0').toBe('0');
      for (const one of entries) expect(exactSum(linesOfEntry(one, lines))).toBe(one.charge);
    }),
    cases(60),
  );
});

function exactSum(parts: readonly LinePart[]): bigint {
  return parts.reduce((sum, { exact }) => sum + (parseDecimal(exact, 12) ?? 0n), 0n);
}

function sumBy(entries: readonly EntryGroup[], lines: Parameters<typeof linesOfEntry>[1]) {
  const parts = entries.flatMap((one) => linesOfEntry(one, lines));
  const byLine = Map.groupBy(parts, ({ line }) => line);
  return new Map([...byLine].map(([line, own]) => [line, formatPico(exactSum(own))]));
}
