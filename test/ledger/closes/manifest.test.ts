import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeriodFacts } from '../../../src/ledger/closes/manifest.ts';
import { MANIFEST_FORMAT, makeManifest } from '../../../src/ledger/closes/manifest.ts';
import type { EntryGroup, GroupPrice } from '../../../src/ledger/closes/manifest-lines.ts';
import { parseDecimal } from '../../../src/money.ts';
import type { UnitAmounts } from '../../../src/rating/rate-usage.ts';
import { amountOf } from '../../../src/rating/rate-usage.ts';
import { cases } from '../../support/cases.ts';
import { PRICE, RATE } from '../../support/group-price.ts';

const FACTS: PeriodFacts = {
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
  entriesRoot: 'ab'.repeat(32),
};

interface GroupSpec {
  readonly input?: bigint;
  readonly cacheRead?: bigint;
  readonly output?: bigint;
  readonly calls?: bigint;
  readonly units?: UnitAmounts;
  readonly price?: GroupPrice;
  readonly model?: string;
  readonly late?: boolean;
  readonly due?: boolean;
  readonly currency?: string;
}

/** A group of charged entries whose charge follows from its tokens. */
function group(spec: GroupSpec): EntryGroup {
  const { input = 0n, cacheRead = 0n, output = 0n, calls = 1n, price = PRICE } = spec;
  const tokens = {
    uncachedInput: input,
    cacheRead,
    cacheWrite: 0n,
    output,
    callShare: calls * 1_000_000n,
    units: spec.units ?? null,
  };
  return {
    requestedModel: spec.model ?? 'gpt-4o',
    serviceTier: 'standard',
    late: spec.late ?? false,
    due: spec.due ?? true,
    currency: spec.currency ?? 'USD',
    kind: 'usage',
    outcome: 'charged',
    entries: calls < 0n ? -calls : calls,
    calls,
    tokens,
    charge: amountOf(tokens, price.rate, price.caching) ?? 0n,
    price,
  };
}

const manifestOf = (groups: readonly EntryGroup[], facts: Partial<PeriodFacts> = {}) =>
  makeManifest({ ...FACTS, ...facts }, groups).manifest;

describe('a manifest', () => {
  it('has a line for each model, tier, meter and rate, with quantity x rate = exact', () => {
    // 1,000,000 x 3 = 3.00; 200,000 cached at the input rate (work_done) = 0.60; 100,000 x 12 = 1.20
    const { lines, charge_total } = manifestOf([
      group({ input: 1_000_000n, cacheRead: 200_000n, output: 100_000n, calls: 10n }),
    ]);
    expect(
      lines.map((line) => [line.meter, line.quantity, line.rate, line.exact, line.amount]),
    ).toEqual([
      ['input', '1000000', '3', '3', '3.00'],
      ['cache_read', '200000', '3', '0.6', '0.60'],
      ['output', '100000', '12', '1.2', '1.20'],
    ]);
    expect(charge_total).toBe('4.80');
  });

  it('leaves what is not due out of every sum and line of the bill, and shows it by currency', () => {
    // Due are 100,000 x 3 = 0.30. Not due are 10,000 x 3 = 0.03 and, in euros, 2,000 x 3 taken back = -0.006.
    const { not_due, lines, charge_exact, charge_total, entries, late_entries } = manifestOf([
      group({ input: 100_000n }),
      group({ input: 10_000n, late: true, due: false }),
      group({ input: -2_000n, calls: -1n, late: true, due: false, currency: 'EUR' }),
    ]);
    expect({ charge_exact, charge_total, entries, late_entries }).toEqual({
      ...{ charge_exact: '0.3', charge_total: '0.30', entries: 3, late_entries: 2 },
    });
    expect(lines.map(({ late, exact }) => [late, exact])).toEqual([[false, '0.3']]);
    expect(not_due).toMatchObject([
      { currency: 'EUR', exact: '-0.006', total: '-0.01', lines: [{ amount: '-0.01' }] },
      { currency: 'USD', exact: '0.03', total: '0.03', lines: [{ late: true, amount: '0.03' }] },
    ]);
  });

  it('shows calls as calls where a call has a price', () => {
    const price = { ...PRICE, rate: { ...RATE, perCall: 10_000_000_000n } };
    // 3 calls x 0.01 = 0.03
    const { lines } = manifestOf([group({ calls: 3n, price })]);
    expect(lines).toMatchObject([
      { meter: 'calls', quantity: '3.000000', rate: '0.01', exact: '0.03', amount: '0.03' },
    ]);
  });

  it('merges what a customer need not tell apart and keeps two prices of a month apart', () => {
    const dearer = { ...PRICE, rate: { ...RATE, rateId: 2n, input: 4_000_000n } };
    const { lines } = manifestOf([
      group({ input: 10_000n }),
      group({ input: 20_000n }),
      group({ input: 5_000n, price: dearer }),
    ]);
    expect(lines.map((line) => [line.quantity, line.rate, line.exact])).toEqual([
      ['30000', '3', '0.09'],
      ['5000', '4', '0.02'],
    ]);
  });

  it('lists late usage after the rest', () => {
    const { lines, late_entries } = manifestOf([
      group({ input: 10_000n, late: true, model: 'a' }),
      group({ input: 10_000n, model: 'b' }),
    ]);
    expect(lines.map((line) => [line.model, line.late])).toEqual([
      ['b', false],
      ['a', true],
    ]);
    expect(late_entries).toBe(1);
  });

  it('shows a negative period as zero, with the negative carried on as a line', () => {
    // -1,000,000 x 3 = -3.00: nothing is billed, -3.00 is carried out, the lines sum to 0.
    const manifest = manifestOf([group({ input: -1_000_000n, calls: -1n })]);
    expect(manifest).toMatchObject({
      charge_exact: '-3',
      billable: '0.000000',
      carried_out: '-3',
      charge_total: '0.00',
    });
    expect(manifest.lines.map((line) => [line.meter, line.amount])).toEqual([
      ['input', '-3.00'],
      ['carried_out', '3.00'],
    ]);
  });

  it('shows a carried negative where it is used up', () => {
    // 5.00 of usage, -3.00 carried in: total 2.00.
    const manifest = manifestOf([group({ input: 1_000_000n, output: 166_667n })], {
      carriedIn: -3_000_000_000_000n,
    });
    expect(manifest.charge_total).toBe('2.00');
    expect(manifest.lines.at(-1)).toMatchObject({ meter: 'carried_in', amount: '-3.00' });
  });

  it('freezes the root over its entries, which one of before the seals does not have', () => {
    const groups = [group({ input: 1000n })];
    expect(manifestOf(groups)).toMatchObject({
      format: 'spanledger-manifest-4',
      entries_root: 'ab'.repeat(32),
    });
    const old = manifestOf(groups, { format: 'spanledger-manifest-1', entriesRoot: null });
    expect(Object.keys(old)).not.toContain('entries_root');
  });

  it('refuses to freeze a charge that its prices do not give', () => {
    const wrong = { ...group({ input: 1000n }), charge: 1n };
    expect(() => manifestOf([wrong])).toThrow(
      /hold a charge of 1 p, but their prices give 3000000000 p/,
    );
    expect(() => manifestOf([{ ...wrong, price: null }])).toThrow(
      'hold a charge of 1 p and no price',
    );
  });

  it('has no lines for what was not charged', () => {
    const failed = { ...group({ input: 1000n }), outcome: 'failed', charge: 0n, price: null };
    expect(manifestOf([failed])).toMatchObject({ lines: [], outcomes: { failed: 1 }, entries: 1 });
  });

  it('has lines that add up to its total, for any usage, corrections and remainders', () => {
    const tokens = fc.bigInt({ min: -10_000_000n, max: 1_000_000_000n });
    const rate = fc.bigInt({ min: 0n, max: 100_000_000n });
    const anyGroup = fc
      .record({
        input: tokens,
        cacheRead: tokens,
        output: tokens,
        inputRate: rate,
        outputRate: rate,
        model: fc.constantFrom('a', 'b', 'c'),
        late: fc.boolean(),
      })
      .map(({ inputRate, outputRate, ...rest }) => {
        const own = { ...RATE, input: inputRate, output: outputRate };
        return group({ ...rest, price: { ...PRICE, rate: own } });
      });
    const carriedIn = fc.bigInt({ min: -(10n ** 13n), max: 999_999n });
    const currency = fc.constantFrom('USD', 'JPY');
    fc.assert(
      fc.property(
        fc.array(anyGroup, { maxLength: 12 }),
        carriedIn,
        currency,
        (groups, carried, code) => {
          const frozen = makeManifest({ ...FACTS, carriedIn: carried, currency: code }, groups);
          const { manifest } = frozen;
          const minor = (text: string) => parseDecimal(text, code === 'USD' ? 2 : 0) ?? 0n;
          const sum = manifest.lines.reduce((total, line) => total + minor(line.amount), 0n);
          expect(sum).toBe(minor(manifest.charge_total));
          expect(frozen.chargeExact).toBe(groups.reduce((total, one) => total + one.charge, 0n));
        },
      ),
      cases(300),
    );
  });
});

describe('what is due of a billed month', () => {
  const groups = [group({ input: 3n }), group({ input: 2_000_000n, late: true })];

  it('is carried on by a month in shadow, and in no bill of its own', () => {
    const live = makeManifest(FACTS, groups);
    const frozen = makeManifest({ ...FACTS, carriesDue: true }, groups);
    const late = groups[1]?.charge ?? 0n;
    expect(frozen.carriedOutDue).toBe(late);
    expect(frozen.manifest.carried_out_due).toBe(frozen.manifest.carried_out);
    const { billable } = frozen;
    expect(billable.billableMicro * 1_000_000n + billable.carriedOut).toBe(frozen.chargeExact);
    expect(billable.carriedOut).toBe(late);
    // A close of before, and a live one, say nothing of it, and have the bytes that they had.
    expect(live.carriedOutDue).toBeNull();
    expect(live.text).not.toContain('_due');
  });

  it('leaves no trace where nothing came late', () => {
    const own = groups.slice(0, 1);
    expect(makeManifest({ ...FACTS, carriesDue: true }, own).text).toBe(
      makeManifest(FACTS, own).text,
    );
  });
});

describe('the whole of a manifest', () => {
  const tokens = {
    ...{ uncachedInput: 0n, cacheRead: 0n, cacheWrite: 0n, output: 0n, callShare: 0n },
    units: null,
  };
  const passing: GroupPrice = {
    book: 'a-pass',
    version: Date.parse('2026-02-01T00:00:00Z'),
    caching: 'pass_through',
    rate: { ...RATE, cacheWrite: 4_000_000n },
  };
  const newer = { ...PRICE, version: Date.parse('2026-10-15T00:00:00Z') };
  const dearer = { ...newer, rate: { ...RATE, rateId: 2n, input: 4_000_000n } };
  const perCall = { ...PRICE, rate: { ...RATE, perCall: 10_000_000_000n } };
  const free = { ...PRICE, rate: { ...RATE, input: 0n } };
  const write = { ...tokens, cacheWrite: 100n };
  /** In the order of the lines that they make. */
  const GROUPS: readonly EntryGroup[] = [
    group({ input: 7n, model: 'free', price: free }),
    // 10,000 × 1.5 and 100 × 4.00 and 50 × 12.00, per million.
    {
      ...group({ price: passing }),
      tokens: { ...write, cacheRead: 10_000n, output: 50n },
      charge: 16_000_000_000n,
    },
    group({ input: 30_000n }),
    group({ input: 20_000n, price: dearer }),
    { ...group({ input: 10n, price: perCall }), serviceTier: 'zebra' },
    { ...group({ input: -10n, calls: -1n, model: 'taken-back' }), kind: 'correction' },
    {
      ...group({ input: 0n, calls: 2n }),
      kind: 'allocation',
      charge: 5_000_000n,
      price: null,
      requestedModel: 'gpt-4o',
    },
    {
      ...group({ calls: 3n }),
      outcome: 'failed',
      charge: 0n,
      price: null,
      tokens: { ...tokens, uncachedInput: 9n },
    },
    group({ input: 10_000n, late: true, model: 'a' }),
  ];

  it('follows from its groups, line by line and count by count', () => {
    const { manifest, text, hash } = makeManifest({ ...FACTS, carriedIn: 1_000_000n }, GROUPS);
    expect(manifest).toMatchObject({
      format: 'spanledger-manifest-4',
      entries: 12,
      outcomes: { charged: 9, failed: 3 },
      late_entries: 1,
      corrections: 1,
      allocations: 2,
      // 7 + 10,100 + 30,000 + 20,000 + 10 - 10 + 9 + 10,000
      tokens: { input: '70116', cache_read: '10000', cache_write: '100', output: '50' },
      books: [
        { book: 'a-pass', version: '2026-02-01T00:00:00.000Z', caching: 'pass_through' },
        { book: 'standard', version: '2026-01-01T00:00:00.000Z', caching: 'work_done' },
        { book: 'standard', version: '2026-10-15T00:00:00.000Z', caching: 'work_done' },
      ],
      rounding: 'billable amount rounded once, half up, to 2 decimals',
    });
    expect(
      manifest.lines.map((line) =>
        [line.model, line.service_tier, line.meter, line.quantity, line.rate, line.exact].join(' '),
      ),
    ).toEqual([
      'free standard input 7 0 0',
      'gpt-4o standard input 30000 3 0.09',
      'gpt-4o standard input 20000 4 0.08',
      'gpt-4o standard cache_read 10000 1.5 0.015',
      'gpt-4o standard cache_write 100 4 0.0004',
      'gpt-4o standard output 50 12 0.0006',
      'gpt-4o standard allocation 0 0 0.000005',
      'gpt-4o zebra input 10 3 0.00003',
      'gpt-4o zebra calls 1.000000 0.01 0.01',
      'taken-back standard input -10 3 -0.00003',
      'a standard input 10000 3 0.03',
      '  carried_in 0 0 0.000001',
    ]);
    expect(manifest.lines.map((line) => line.late)).toEqual([
      ...Array(10).fill(false),
      true,
      false,
    ]);
    expect(JSON.parse(text)).toEqual(manifest);
    expect(hash).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('is the same bytes in whatever order the groups come', () => {
    const { text } = makeManifest(FACTS, GROUPS);
    expect(makeManifest(FACTS, [...GROUPS].reverse()).text).toBe(text);
    expect(makeManifest(FACTS, [...GROUPS.slice(7), ...GROUPS.slice(0, 7)]).text).toBe(text);
  });

  it('shows a remainder from a micro-dollar on, in and out, and less than that in the rounding only', () => {
    const meters = (carriedIn: bigint) =>
      makeManifest({ ...FACTS, carriedIn }, []).manifest.lines.map(
        (line) => `${line.meter} ${line.exact}`,
      );
    expect(meters(0n)).toEqual([]);
    expect(meters(999_999n)).toEqual([]);
    expect(meters(1_000_000n)).toEqual(['carried_in 0.000001']);
    expect(meters(-999_999n)).toEqual([]);
    // What is owed to the tenant goes on to the next period, whole.
    expect(meters(-1_000_000n)).toEqual(['carried_in -0.000001', 'carried_out 0.000001']);
  });
});

describe('every part of a manifest', () => {
  const layered = {
    calls: 1n,
    scaled: 0n,
    tokens: { uncachedInput: 10n, cacheRead: 0n, cacheWrite: 0n, output: 0n, units: null },
    tool: 4n,
    memory: 1n,
    charges: { all: 30_000_000n, tool: 12_000_000n, memory: 3_000_000n, output: 0n, other: 0n },
  };
  const full = {
    ...FACTS,
    carriedIn: 500_000n,
    timeZone: 'Europe/Vienna',
    entriesRoot: 'cd'.repeat(32),
  };

  it('stands where readers look for it, and nothing else does', () => {
    const groups: readonly EntryGroup[] = [
      { ...group({ input: 10n }), layered },
      { ...group({ input: 1n, late: true }), kind: 'correction', outcome: 'charged', calls: 0n },
    ];
    // 11 x 3 µ = 0.000033, and with half a micro-dollar carried in nothing of a cent.
    expect(manifestOf(groups, full)).toEqual({
      format: 'spanledger-manifest-4',
      tenant_id: 'acme',
      period_start: '2026-10-01',
      starts_at: '2026-10-01T00:00:00.000Z',
      ends_at: '2026-11-01T00:00:00.000Z',
      time_zone: 'Europe/Vienna',
      currency: 'USD',
      entries: 2,
      entries_root: 'cd'.repeat(32),
      outcomes: { charged: 2 },
      calls: { charged: 1 },
      late_entries: 1,
      corrections: 1,
      tokens: { input: '11', cache_read: '0', cache_write: '0', output: '0' },
      books: [{ book: 'standard', version: '2026-01-01T00:00:00.000Z', caching: 'work_done' }],
      lines: [
        {
          ...{ model: 'gpt-4o', service_tier: 'standard', meter: 'input', late: false },
          ...{ quantity: '10', rate: '3', exact: '0.00003', amount: '0.00' },
        },
        {
          ...{ model: 'gpt-4o', service_tier: 'standard', meter: 'input', late: true },
          ...{ quantity: '1', rate: '3', exact: '0.000003', amount: '0.00' },
        },
      ],
      layers: {
        calls: 1,
        scaled_calls: 0,
        lines: [
          { layer: 'prompt', tokens: '5', exact: '0.000015' },
          { layer: 'tool', tokens: '4', exact: '0.000012' },
          { layer: 'memory', tokens: '1', exact: '0.000003' },
          { layer: 'response', tokens: '0', exact: '0' },
          { layer: 'other', tokens: '1', exact: '0.000003' },
        ],
      },
      charge_exact: '0.000033',
      carried_in: '0.0000005',
      billable: '0.000033',
      carried_out: '0.0000005',
      charge_total: '0.00',
      rounding: 'billable amount rounded once, half up, to 2 decimals',
    });
  });

  it('has the layers of what is due alone', () => {
    const { layers } = manifestOf([
      { ...group({ input: 10n }), layered },
      { ...group({ input: 1000n, late: true, due: false }), layered },
    ]);
    expect(layers?.calls).toBe(1);
  });

  it('counts calls and layers from the format on that has them, and no earlier', () => {
    const groups = [{ ...group({ input: 10n }), layered }];
    const has = (format: PeriodFacts['format']) => {
      const keys = Object.keys(manifestOf(groups, { format }));
      return { calls: keys.includes('calls'), layers: keys.includes('layers') };
    };
    expect(has('spanledger-manifest-1')).toEqual({ calls: false, layers: false });
    expect(has('spanledger-manifest-2')).toEqual({ calls: false, layers: true });
    expect(has('spanledger-manifest-3')).toEqual({ calls: true, layers: true });
    expect(has('spanledger-manifest-4')).toEqual({ calls: true, layers: true });
  });

  it('counts outcomes by their names in order, and leaves out calls that were all taken back', () => {
    const of = (outcome: string, entries: bigint, calls: bigint) => ({
      ...group({ calls: 0n }),
      ...{ outcome, entries, calls, charge: 0n, price: null },
    });
    const groups = [
      of('unattributed', 3n, 3n),
      of('failed', 2n, 2n),
      of('charged', 2n, 1n),
      of('charged', 1n, -1n),
    ];
    const { outcomes, calls } = manifestOf(groups);
    expect(Object.entries(outcomes)).toEqual([
      ['charged', 3],
      ['failed', 2],
      ['unattributed', 3],
    ]);
    expect(Object.entries(calls ?? {})).toEqual([
      ['failed', 2],
      ['unattributed', 3],
    ]);
  });

  it('sums further units, and each total of tokens holds its parts of them', () => {
    const rates = { input_audio_tokens: 40_000_000n, audio_ms: 100_000n };
    const price = { ...PRICE, rate: { ...RATE, units: { ...rates, cache_read_audio_tokens: 2n } } };
    const units = {
      cache_write_1h_tokens: 5n,
      input_audio_tokens: 7n,
      cache_read_audio_tokens: 11n,
      audio_ms: 1_500n,
    };
    const manifest = manifestOf([
      group({ input: 100n, cacheRead: 20n, output: 3n, units, price }),
      group({ input: 1n, units: { input_audio_tokens: 2n }, price }),
      group({ input: 1n }),
    ]);
    // Input: 100 + 20 + 5 + 7 + 11 + 1 + 2 + 1. Of it cached 20 + 11, written 5.
    expect(manifest.tokens).toEqual({
      input: '147',
      cache_read: '31',
      cache_write: '5',
      output: '3',
    });
    expect(manifest.units).toEqual({
      cache_write_1h_tokens: '5',
      input_audio_tokens: '9',
      cache_read_audio_tokens: '11',
      audio_ms: '1500',
    });
    expect(manifestOf([group({ input: 1n })])).not.toHaveProperty('units');
    // Units that corrections took back altogether are as if they had never been.
    const taken = { audio_ms: -1_500n };
    const back = manifestOf([
      group({ units: { audio_ms: 1_500n }, price }),
      { ...group({ units: taken, calls: -1n, price }), kind: 'correction' },
    ]);
    expect(back).not.toHaveProperty('units');
  });

  it('names shares of pools only where there are any, and what is not due likewise', () => {
    const plain = manifestOf([group({ input: 10n })]);
    expect(plain).not.toHaveProperty('allocations');
    expect(plain).not.toHaveProperty('not_due');
    expect(plain).not.toHaveProperty('layers');
    const share = { kind: 'allocation' as const, charge: 1n, price: null };
    expect(manifestOf([{ ...group({}), ...share }]).allocations).toBe(1);
  });

  it('gives what is frozen beside its text', () => {
    const { chargeExact, billable } = makeManifest(full, [group({ input: 10_000n })]);
    // 10,000 x 3 µ = 0.03
    expect(chargeExact).toBe(30_000_000_000n);
    expect(billable).toEqual({ billableMicro: 30_000n, carriedOut: 500_000n, total: 3n });
  });
});
