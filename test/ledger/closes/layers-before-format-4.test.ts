import { expect, it } from 'vitest';
import { chargesByTokens } from '../../../src/ledger/closes/layers-before-format-4.ts';
import type { PeriodFacts } from '../../../src/ledger/closes/manifest.ts';
import { makeManifest } from '../../../src/ledger/closes/manifest.ts';
import { layersOf } from '../../../src/ledger/closes/manifest-layers.ts';
import type { CallSpec } from '../../support/layered-group.ts';
import { groupOfCall, groupOfCalls } from '../../support/layered-group.ts';

/** What closes froze then, as they must find it again. */

const linesOf = (...calls: readonly CallSpec[]) =>
  layersOf([groupOfCalls(calls)], chargesByTokens)?.lines.map(({ layer, tokens, exact }) =>
    [layer, tokens, exact].join(' '),
  );

it('shares the input of a whole group by tokens, and leaves the rest of a division with the prompt', () => {
  const caching = 'pass_through' as const;
  const of = { input: 1000n, cached: 0n, output: 50n, caching, layers: { memory: 1n } };
  // 1,000 x 3 µ + 501 x 1.5 µ = 0.0037515, of 1,501 tokens: 500 come to 0.00124966688…, and one to 0.00000249933…
  expect(
    linesOf(of, { input: 0n, cached: 501n, output: 0n, caching, layers: { tool: 500n } }),
  ).toEqual([
    'prompt 1000 0.002499333779',
    'tool 500 0.001249666888',
    'memory 1 0.000002499333',
    'response 50 0.0006',
    'other 0 0.002',
  ]);
});

it('divides by the little that is left where corrections nearly take the input back, and shares out nothing of none', () => {
  const caching = 'pass_through' as const;
  const tools = {
    input: 0n,
    cached: 1_000_000n,
    output: 0n,
    caching,
    layers: { tool: 1_000_000n },
  };
  const prompt = { input: 1_000_001n, cached: 0n, output: 0n, caching, layers: {} };
  // 1.500003 for one token, times a million
  expect(linesOf({ ...tools, isReversed: true }, prompt)?.slice(0, 2)).toEqual([
    'prompt 1000001 1500004.500003',
    'tool -1000000 -1500003',
  ]);
  expect(
    linesOf({ ...tools, isReversed: true }, { ...prompt, input: 1_000_000n })?.slice(0, 2),
  ).toEqual(['prompt 1000000 1.5', 'tool -1000000 0']);
});

it('charges nothing for failed calls', () => {
  const failed = { input: 50n, cached: 0n, output: 7n, price: null, layers: { tool: 20n } };
  expect(linesOf(failed)).toEqual([
    ...['prompt 30 0', 'tool 20 0', 'memory 0 0', 'response 7 0', 'other 0 0'],
  ]);
});

it.each(['spanledger-manifest-2', 'spanledger-manifest-3'] as const)(
  'is in a close of %s',
  (format) => {
    const facts: PeriodFacts = {
      ...{ tenantId: 'acme', periodStart: '2026-10-01', timeZone: 'UTC', currency: 'USD' },
      startsAt: Date.parse('2026-10-01T00:00:00Z'),
      endsAt: Date.parse('2026-11-01T00:00:00Z'),
      ...{ carriedIn: 0n, carriedInDue: 0n, carriesDue: false },
      ...{ format, entriesRoot: '00'.repeat(32) },
    };
    const layers = { tool: 1n };
    const caching = 'pass_through' as const;
    const groups = [
      groupOfCalls([
        { input: 1n, cached: 0n, output: 0n, caching, layers: {} },
        { input: 0n, cached: 1n, output: 0n, caching, layers },
      ]),
      groupOfCall({ input: 1n, cached: 0n, output: 0n, caching: 'work_done' }),
    ];
    // A token of 3 µ and one of 1.5 µ come to 2.25 µ each; another call and the fees are of no layer.
    expect(makeManifest(facts, groups).manifest.layers?.lines.map(({ exact }) => exact)).toEqual([
      ...['0.00000225', '0.00000225', '0', '0', '0.003003'],
    ]);
  },
);
