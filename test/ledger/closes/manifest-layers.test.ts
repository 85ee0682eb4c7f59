import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MANIFEST_FORMAT, makeManifest } from '../../../src/ledger/closes/manifest.ts';
import type { LayeredUsage } from '../../../src/ledger/closes/manifest-layers.ts';
import { layersOf } from '../../../src/ledger/closes/manifest-layers.ts';
import type { EntryGroup, GroupPrice } from '../../../src/ledger/closes/manifest-lines.ts';
import { formatPico, parseDecimal } from '../../../src/money.ts';
import type { Caching } from '../../../src/rating/rate-usage.ts';
import { amountOf } from '../../../src/rating/rate-usage.ts';
import { cases } from '../../support/cases.ts';

/** 3.00 in, 1.50 from the cache and 12.00 out a million, and 0.001 a call. */
const price = (caching: Caching): GroupPrice => ({
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

interface GroupSpec {
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  readonly layered?: Partial<LayeredUsage>;
  readonly caching?: Caching;
  readonly price?: null;
}

function group(spec: GroupSpec): EntryGroup {
  const buckets = {
    uncachedInput: spec.input,
    cacheRead: spec.cached,
    cacheWrite: 0n,
    output: spec.output,
    units: null,
  };
  const tokens = { ...buckets, callShare: 1_000_000n };
  const own = spec.price === null ? null : price(spec.caching ?? 'work_done');
  return {
    requestedModel: 'gpt-4o',
    serviceTier: 'standard',
    late: false,
    due: true,
    currency: 'USD',
    kind: 'usage',
    outcome: own === null ? 'failed' : 'charged',
    entries: 1n,
    calls: 1n,
    tokens,
    charge: own === null ? 0n : (amountOf(tokens, own.rate, own.caching) ?? 0n),
    price: own,
    layered:
      spec.layered === undefined
        ? undefined
        : { calls: 1n, scaled: 0n, tokens: buckets, tool: 0n, memory: 0n, ...spec.layered },
  };
}

const LAYERED = group({
  input: 700n,
  cached: 300n,
  output: 100n,
  layered: { tool: 200n, memory: 100n },
});

it('tells what each layer came to, and all that no layer is told of as other', () => {
  const bare = group({ input: 1000n, cached: 0n, output: 10n });
  // 700 x 3 µ = 0.0021, 200 x 3 µ = 0.0006, 100 x 3 µ = 0.0003, 100 x 12 µ = 0.0012; the other call's
  // 1,000 x 3 µ + 10 x 12 µ = 0.00312, and 0.001 for each of two calls
  expect(layersOf([LAYERED, bare])).toEqual({
    calls: 1,
    scaled_calls: 0,
    lines: [
      { layer: 'prompt', tokens: '700', exact: '0.0021' },
      { layer: 'tool', tokens: '200', exact: '0.0006' },
      { layer: 'memory', tokens: '100', exact: '0.0003' },
      { layer: 'response', tokens: '100', exact: '0.0012' },
      { layer: 'other', tokens: '1010', exact: '0.00512' },
    ],
  });
});

it('under cache prices shares the input by tokens, whatever was cached', () => {
  const own = { input: 700n, cached: 300n, output: 0n, caching: 'pass_through' as const };
  const layers = layersOf([group({ ...own, layered: { tool: 333n } })]);
  // 700 x 3 µ + 300 x 1.5 µ = 0.00255; a third of a thousand tokens of it is 0.00084915
  expect(layers?.lines.slice(0, 2)).toEqual([
    { layer: 'prompt', tokens: '667', exact: '0.00170085' },
    { layer: 'tool', tokens: '333', exact: '0.00084915' },
  ]);
});

it('counts tokens of failed calls, and no charge', () => {
  const failed = group({ input: 50n, cached: 0n, output: 0n, price: null, layered: { tool: 20n } });
  expect(layersOf([failed])?.lines.slice(0, 2)).toEqual([
    { layer: 'prompt', tokens: '30', exact: '0' },
    { layer: 'tool', tokens: '20', exact: '0' },
  ]);
});

it('says nothing where no entry has layers', () => {
  expect(layersOf([group({ input: 1n, cached: 0n, output: 1n })])).toBe(null);
});

const FACTS = {
  tenantId: 'acme',
  periodStart: '2026-10-01',
  startsAt: Date.parse('2026-10-01T00:00:00Z'),
  endsAt: Date.parse('2026-11-01T00:00:00Z'),
  timeZone: 'UTC',
  currency: 'USD',
  carriedIn: 0n,
  format: MANIFEST_FORMAT,
  entriesRoot: '00'.repeat(32),
};

/** A close of before the seals and the layers. */
const OLD_FACTS = { ...FACTS, format: 'spanledger-manifest-1' as const, entriesRoot: null };

it('a manifest of before has none, and so recomputes to the bytes that it had', () => {
  const { layered: _, ...bare } = LAYERED;
  expect(makeManifest(OLD_FACTS, [LAYERED]).text).toBe(makeManifest(OLD_FACTS, [bare]).text);
  expect(makeManifest(FACTS, [bare]).manifest).not.toHaveProperty('layers');
  expect(makeManifest(FACTS, [LAYERED]).manifest.layers?.calls).toBe(1);
});

it('layers of any groups sum to the tokens and to the exact charge of the manifest', () => {
  const tokens = fc.bigInt({ min: -5000n, max: 5000n });
  const anyGroup = fc
    .record({
      input: tokens,
      cached: tokens,
      output: tokens,
      caching: fc.constantFrom('work_done' as const, 'pass_through' as const),
      layered: fc.option(fc.record({ tool: tokens, memory: tokens }), { nil: undefined }),
    })
    .map(({ layered, ...rest }) => group(layered === undefined ? rest : { ...rest, layered }));
  fc.assert(
    fc.property(fc.array(anyGroup, { maxLength: 8 }), (groups) => {
      const { manifest } = makeManifest(FACTS, groups);
      const hasLayers = groups.some(({ layered }) => layered !== undefined);
      expect(manifest.layers !== undefined).toBe(hasLayers);
      if (manifest.layers === undefined) return;
      const { lines } = manifest.layers;
      const exact = lines.reduce((sum, line) => sum + (parseDecimal(line.exact, 12) ?? 0n), 0n);
      expect(formatPico(exact)).toBe(manifest.charge_exact);
      const all = lines.reduce((sum, line) => sum + BigInt(line.tokens), 0n);
      expect(all).toBe(BigInt(manifest.tokens.input) + BigInt(manifest.tokens.output));
    }),
    cases(100),
  );
});
