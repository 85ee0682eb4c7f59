import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MANIFEST_FORMAT, makeManifest } from '../../../src/ledger/closes/manifest.ts';
import { chargesOfEntries, layersOf } from '../../../src/ledger/closes/manifest-layers.ts';
import type { EntryGroup } from '../../../src/ledger/closes/manifest-lines.ts';
import { formatPico, parseDecimal } from '../../../src/money.ts';
import { cases } from '../../support/cases.ts';
import { groupOfCall, groupOfCalls } from '../../support/layered-group.ts';

const layersIn = (...groups: readonly EntryGroup[]) => layersOf(groups, chargesOfEntries);

const LAYERED = groupOfCall({
  ...{ input: 700n, cached: 300n, output: 100n },
  layers: { tool: 200n, memory: 100n },
});

it('tells what each layer came to, and all that no layer is told of as other', () => {
  const bare = groupOfCall({ input: 1000n, cached: 0n, output: 10n });
  // 700 x 3 µ = 0.0021, 200 x 3 µ = 0.0006, 100 x 3 µ = 0.0003, 100 x 12 µ = 0.0012; the other call's
  // 1,000 x 3 µ + 10 x 12 µ = 0.00312, and 0.001 for each of two calls
  expect(layersIn(LAYERED, bare)).toEqual({
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

it('under cache prices shares the input of a call by tokens, whatever of it was cached', () => {
  const own = { input: 700n, cached: 300n, output: 0n, caching: 'pass_through' as const };
  const layers = layersIn(groupOfCall({ ...own, layers: { tool: 333n } }));
  // 700 x 3 µ + 300 x 1.5 µ = 0.00255; a third of a thousand tokens of it is 0.00084915
  expect(layers?.lines.slice(0, 2)).toEqual([
    { layer: 'prompt', tokens: '667', exact: '0.00170085' },
    { layer: 'tool', tokens: '333', exact: '0.00084915' },
  ]);
});

it('gives each layer what its own calls came to, where those of one price differ in what was cached', () => {
  const caching = 'pass_through' as const;
  const group = groupOfCalls([
    { input: 0n, cached: 1000n, output: 0n, caching, layers: { tool: 1000n } },
    { input: 1000n, cached: 0n, output: 0n, caching, layers: {} },
  ]);
  // 1,000 x 3 µ of the one, and 1,000 x 1.5 µ of the other; two fees of 0.001
  expect(layersIn(group)?.lines).toEqual([
    { layer: 'prompt', tokens: '1000', exact: '0.003' },
    { layer: 'tool', tokens: '1000', exact: '0.0015' },
    { layer: 'memory', tokens: '0', exact: '0' },
    { layer: 'response', tokens: '0', exact: '0' },
    { layer: 'other', tokens: '0', exact: '0.002' },
  ]);
});

it('takes back what a call came to, where corrections nearly take the input back', () => {
  const caching = 'pass_through' as const;
  const tools = {
    input: 0n,
    cached: 1_000_000n,
    output: 0n,
    caching,
    layers: { tool: 1_000_000n },
  };
  const group = groupOfCalls([
    { ...tools, isReversed: true },
    { input: 1_000_001n, cached: 0n, output: 0n, caching, layers: {} },
  ]);
  // A million x 1.5 µ are taken back, and 1,000,001 x 3 µ come to it: a token and 1.500003 are left of both.
  expect(layersIn(group)?.lines.slice(0, 2)).toEqual([
    { layer: 'prompt', tokens: '1000001', exact: '3.000003' },
    { layer: 'tool', tokens: '-1000000', exact: '-1.5' },
  ]);
});

it('counts tokens of failed calls, and no charge', () => {
  const failed = groupOfCall({
    ...{ input: 50n, cached: 0n, output: 0n, price: null },
    layers: { tool: 20n },
  });
  expect(layersIn(failed)?.lines.slice(0, 2)).toEqual([
    { layer: 'prompt', tokens: '30', exact: '0' },
    { layer: 'tool', tokens: '20', exact: '0' },
  ]);
});

it('says nothing where no entry has layers', () => {
  expect(layersIn(groupOfCall({ input: 1n, cached: 0n, output: 1n }))).toBe(null);
});

const FACTS = {
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

const tokens = fc.bigInt({ min: 0n, max: 5000n });
const anyLayers = fc.record({ tool: tokens, memory: tokens });
const anyCall = fc.record({
  input: tokens,
  cached: tokens,
  output: tokens,
  caching: fc.constantFrom('work_done' as const, 'pass_through' as const),
  isReversed: fc.boolean(),
});

it('layers of any calls sum to the tokens and to the exact charge of the manifest', () => {
  const anyGroup = fc
    .record({ call: anyCall, layers: fc.option(anyLayers) })
    .map(({ call, layers }) => groupOfCall(layers === null ? call : { ...call, layers }));
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

it('layers of any calls are those of each call, however they are grouped', () => {
  const calls = fc.array(fc.record({ call: anyCall, layers: anyLayers }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      calls,
      fc.constantFrom('work_done' as const, 'pass_through' as const),
      (all, caching) => {
        const specs = all.map(({ call, layers }) => ({ ...call, caching, layers }));
        expect(layersIn(groupOfCalls(specs))).toEqual(layersIn(...specs.map(groupOfCall)));
      },
    ),
    cases(100),
  );
});
