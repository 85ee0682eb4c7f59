import type { EntryGroup, GroupPrice } from '../../src/ledger/closes/manifest-lines.ts';
import type { Caching } from '../../src/rating/rate-usage.ts';
import { amountOf, inputOf, outputOf, rateUsage } from '../../src/rating/rate-usage.ts';

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

export interface CallSpec {
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  /** Counts of the input; absent where nothing is told of layers. */
  readonly layers?: { readonly tool?: bigint; readonly memory?: bigint };
  readonly caching?: Caching;
  readonly price?: null;
  /** Whether the call is taken back by a reversal. */
  readonly isReversed?: boolean;
}

/** A group of the one entry of a call, whose layers come to their share of its own input. */
export function groupOfCall(spec: CallSpec): EntryGroup {
  const sign = spec.isReversed === true ? -1n : 1n;
  const buckets = {
    uncachedInput: sign * spec.input,
    cacheRead: sign * spec.cached,
    cacheWrite: 0n,
    output: sign * spec.output,
    units: null,
  };
  const tokens = { ...buckets, callShare: sign * 1_000_000n };
  const own = spec.price === null ? null : price(spec.caching ?? 'work_done');
  const parts = own === null ? null : rateUsage(tokens, own.rate, own.caching);
  const charge = own === null ? 0n : (amountOf(tokens, own.rate, own.caching) ?? 0n);
  const tool = sign * (spec.layers?.tool ?? 0n);
  const memory = sign * (spec.layers?.memory ?? 0n);
  const ofInput = parts === null ? 0n : inputOf(parts);
  const share = (part: bigint) =>
    inputOf(tokens) === 0n ? 0n : (ofInput * part) / inputOf(tokens);
  const charges = {
    ...{ all: charge, tool: share(tool), memory: share(memory) },
    ...{ output: parts === null ? 0n : outputOf(parts), other: parts?.calls ?? 0n },
  };
  return {
    requestedModel: 'gpt-4o',
    serviceTier: 'standard',
    late: false,
    due: true,
    currency: 'USD',
    kind: sign < 0n ? 'correction' : 'usage',
    outcome: own === null ? 'failed' : 'charged',
    entries: 1n,
    calls: sign,
    tokens,
    charge,
    price: own,
    layered:
      spec.layers === undefined
        ? undefined
        : { calls: sign, scaled: 0n, tokens: buckets, tool, memory, charges },
  };
}

/** The group of some calls of one price, which all have layers. */
export function groupOfCalls(specs: readonly CallSpec[]): EntryGroup {
  return specs.map(groupOfCall).reduce(together);
}

function together(all: EntryGroup, one: EntryGroup): EntryGroup {
  const [a, b] = [all.layered, one.layered];
  if (a === undefined || b === undefined) throw new Error('a call without layers');
  return {
    ...all,
    ...sumOf(all, one, ['entries', 'calls', 'charge']),
    tokens: { ...sumOf(all.tokens, one.tokens, [...BUCKETS, 'callShare']), units: null },
    layered: {
      ...sumOf(a, b, ['calls', 'scaled', 'tool', 'memory']),
      tokens: { ...sumOf(a.tokens, b.tokens, BUCKETS), units: null },
      charges: sumOf(a.charges, b.charges, ['all', 'tool', 'memory', 'output', 'other']),
    },
  };
}

const BUCKETS = ['uncachedInput', 'cacheRead', 'cacheWrite', 'output'] as const;

function sumOf<Name extends string>(
  a: Readonly<Record<Name, bigint>>,
  b: Readonly<Record<Name, bigint>>,
  names: readonly Name[],
): Readonly<Record<Name, bigint>> {
  const sums = names.map((name) => [name, a[name] + b[name]] as const);
  return Object.fromEntries(sums) as Record<Name, bigint>;
}
