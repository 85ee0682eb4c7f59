import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import type { StoredEntry } from '../../../src/ledger/entries/entry.ts';
import {
  freeReplacementOf,
  priceOf,
  refuseUnfitChange,
  refuseUnfitNote,
  replacementOf,
  reversalOf,
} from '../../../src/ledger/reversals/correction.ts';
import type { BookVersion } from '../../../src/rating/books/price-catalog.ts';
import { buildCatalog } from '../../../src/rating/books/price-catalog.ts';
import type { Rate } from '../../../src/rating/books/rate.ts';
import { buildRates } from '../../../src/rating/books/rate-index.ts';

const NOTE = { reason: 'counted twice', actor: 'ada' };
const NOVEMBER = {
  period: {
    startDate: '2026-11-01',
    startsAt: parseInstant('2026-11-01T00:00:00Z'),
    endsAt: parseInstant('2026-12-01T00:00:00Z'),
    timeZone: 'UTC',
  },
  late: true,
  due: true,
};

const RATE: Rate = {
  rateId: 7n,
  book: 'standard',
  provider: null,
  model: 'large',
  serviceTier: 'standard',
  aboveInputTokens: 0n,
  perCall: 2_000_000n,
  input: 10n,
  output: 100n,
  cacheRead: 1n,
  cacheWrite: 5n,
  units: { images: 0n },
};
const LONG: Rate = { ...RATE, rateId: 8n, aboveInputTokens: 1000n, input: 20n };

const from = parseInstant('2026-01-01T00:00:00Z');

function version(kind: 'charge' | 'cost', book: string): BookVersion {
  const rates = buildRates([RATE, LONG].map((rate) => ({ ...rate, book })));
  const of = { book, effectiveFrom: from, kind, currency: 'USD', caching: 'work_done' } as const;
  return { ...of, baseBook: null, costFactor: null, baseFactor: null, rates };
}

const PRICING = {
  catalog: buildCatalog([version('charge', 'standard'), version('cost', 'paid')]),
  bookOf: () => ({ book: 'standard', currency: 'USD' }),
};

const ENTRY: StoredEntry = {
  entryId: 12n,
  tenantId: 'acme',
  source: 'app',
  eventId: 'e1',
  memberId: '',
  revision: 2,
  kind: 'usage',
  outcome: 'charged',
  status: 'ok',
  errorType: null,
  occurredAt: parseInstant('2026-10-15T12:00:00Z'),
  startedAt: null,
  periodStart: '2026-10-01',
  late: false,
  due: true,
  operation: 'chat',
  provider: 'east',
  requestedModel: 'large',
  executedModel: 'large',
  responseId: 'r1',
  sharesResponse: false,
  serviceTier: 'standard',
  gatewayCache: 'none',
  uncachedInputTokens: 60,
  cacheReadTokens: 30,
  cacheWriteTokens: 10,
  outputTokens: 5,
  reasoningTokens: 2,
  units: { images: 4 },
  contextTokens: 100,
  callShare: 1_000_000,
  callUsage: null,
  usageSource: 'reported',
  layers: { prompt: 50, tool: 40, memory: 10, response: 5 },
  charge: 123n,
  cost: 45n,
  requestedCost: 67n,
  reportedCost: { amount: 50n, currency: 'USD', source: 'gateway' },
  currency: 'USD',
  chargeRate: { book: 'standard', version: from, rateId: 7n },
  costRate: { book: 'paid', version: from, rateId: 7n },
  userId: 'u1',
  feature: 'search',
  agentRunId: 'run-1',
  promptVersion: 'v1',
  furtherTags: { team: 'x' },
  traceId: 't1',
  spanId: 's1',
  parentSpanId: 'p1',
  attempt: 1,
  callId: 'call-1',
  correctsEntryId: null,
  isReversal: false,
  reason: null,
  actor: null,
  eventDigest: Buffer.alloc(32, 1),
};

describe('a reversal', () => {
  it('has every fact of its entry, and every count and amount negated', () => {
    expect(reversalOf(ENTRY, NOTE, NOVEMBER)).toEqual({
      ...ENTRY,
      revision: 3,
      kind: 'correction',
      periodStart: '2026-11-01',
      late: true,
      uncachedInputTokens: -60,
      cacheReadTokens: -30,
      cacheWriteTokens: -10,
      outputTokens: -5,
      reasoningTokens: -2,
      units: { images: -4 },
      reportedCost: { amount: -50n, currency: 'USD', source: 'gateway' },
      callShare: -1_000_000,
      layers: { prompt: -50, tool: -40, memory: -10, response: -5 },
      charge: -123n,
      cost: -45n,
      requestedCost: -67n,
      correctsEntryId: 12n,
      isReversal: true,
      ...NOTE,
    });
  });

  it('of an amount that is not known is not known either', () => {
    const unknown = { ...ENTRY, charge: null, cost: null, requestedCost: null, layers: null };
    expect(reversalOf(unknown, NOTE, NOVEMBER)).toMatchObject({
      charge: null,
      cost: null,
      requestedCost: null,
      layers: null,
    });
  });
});

it.each([
  ['usage', 'correction'],
  ['correction', 'correction'],
  ['allocation', 'allocation'],
  ['adjustment', 'adjustment'],
] as const)('the reversal of what is %s is %s', (kind, reversed) => {
  expect(reversalOf({ ...ENTRY, kind }, NOTE, NOVEMBER).kind).toBe(reversed);
});

it('a reversal of what had no further unit and no reported cost has none', () => {
  const plain = { ...ENTRY, units: null, reportedCost: null };
  expect(reversalOf(plain, NOTE, NOVEMBER)).toMatchObject({ units: null, reportedCost: null });
});

describe('a change', () => {
  it.each([
    ['tenantId', 200, 'tenant'],
    ['userId', 200, 'user'],
    ['feature', 200, 'feature'],
    ['agentRunId', 200, 'agent run'],
    ['promptVersion', 200, 'prompt version'],
    ['requestedModel', 200, 'requested model'],
    ['executedModel', 200, 'executed model'],
    ['provider', 100, 'provider'],
  ] as const)('of %s has 1 to %d characters, and is named in words', (field, longest, words) => {
    const change = (length: number) => () => refuseUnfitChange({ [field]: 'x'.repeat(length) });
    expect(change(1)).not.toThrow();
    expect(change(longest)).not.toThrow();
    expect(change(0)).toThrow(`the ${words} would have 0 characters`);
    expect(change(longest + 1)).toThrow(`the ${words} would have ${longest + 1} characters`);
  });

  it('may take a tag away, and says what a text may have', () => {
    expect(() => refuseUnfitChange({ userId: null })).not.toThrow();
    const change = () => refuseUnfitChange({ provider: '' });
    expect(change).toThrow(
      expect.objectContaining({ kind: 'bad_request', remedy: ['give it 1 to 100 characters'] }),
    );
  });
});

it.each([
  [{ reason: ' ', actor: 'ada' }, 'a correction needs a reason'],
  [{ reason: 'why', actor: ' ' }, 'a correction needs a name'],
  [{ reason: '', actor: '' }, 'a correction needs a reason'],
])('a note such as %o is refused', (note, message) => {
  expect(() => refuseUnfitNote(note)).toThrow(
    expect.objectContaining({
      ...{ kind: 'bad_request', message },
      remedy: ['say why it is made, and who makes it'],
    }),
  );
  expect(() => refuseUnfitNote(NOTE)).not.toThrow();
});

describe('an entry that a person takes as free', () => {
  const of = { pricing: PRICING, placement: NOVEMBER, note: NOTE };
  const entry: StoredEntry = { ...ENTRY, layers: null, units: null };
  const unmeasured: StoredEntry = {
    ...entry,
    ...{ outcome: 'unmeasured', charge: null, chargeRate: null, contextTokens: 0 },
    ...{ uncachedInputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0 },
  };
  const taken = (from: StoredEntry): StoredEntry => ({
    ...freeReplacementOf(from, of),
    entryId: 13n,
  });

  it.each<[string, StoredEntry]>([
    ['charged', entry],
    ['unrated', { ...entry, requestedModel: 'unknown' }],
    ['unmeasured', unmeasured],
  ])('though it was %s is charged nothing, at no price', (_outcome, before) => {
    const free = freeReplacementOf(before, of);
    expect(free).toMatchObject({ outcome: 'charged', charge: 0n, chargeRate: null });
    expect(free).toMatchObject({ kind: 'correction', isReversal: false, correctsEntryId: 12n });
  });

  it('though it failed stays a failure', () => {
    expect(freeReplacementOf({ ...entry, status: 'error' }, of).outcome).toBe('failed');
  });

  it('stays free when it is priced again or another fact of it changes', () => {
    expect(priceOf(taken(entry), PRICING)).toMatchObject({ charge: 0n, chargeRate: null });
    const moved = replacementOf(taken(unmeasured), { feature: 'chat' }, of);
    expect(moved).toMatchObject({ outcome: 'charged', charge: 0n, feature: 'chat' });
  });

  it.each([
    { uncachedInputTokens: 1 },
    { cacheReadTokens: 1 },
    { cacheWriteTokens: 1 },
    { outputTokens: 1 },
    { units: { images: 1 } },
  ])('has a price once it is said what it counted: %o', (change) => {
    const replacement = replacementOf(taken(unmeasured), change, of);
    expect(replacement.chargeRate?.rateId).toBe(7n);
    expect(replacement.charge).toBeGreaterThanOrEqual(2_000_000n);
  });

  it.each<[string, Partial<StoredEntry>]>([
    ['usage', { kind: 'usage' }],
    ['a reversal', { isReversal: true }],
    ['unrated', { outcome: 'unrated' }],
    ['charged at a price', { chargeRate: { book: 'standard', version: from, rateId: 7n } }],
  ])('is none where it is %s', (_what, change) => {
    expect(priceOf({ ...taken(entry), ...change }, PRICING).charge).toBe(2_001_500n);
  });
});

describe('a call is measured', () => {
  const nothing: StoredEntry = {
    ...{ ...ENTRY, layers: null, units: null, contextTokens: 0 },
    ...{ uncachedInputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0 },
  };
  const tokens = { uncachedInput: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, units: null };
  /** Prices by the token alone: what a call alone costs would hide that nothing was counted. */
  const byToken = [RATE].map((rate) => ({ ...rate, perCall: 0n, book: 'standard' }));
  const book = { ...version('charge', 'standard'), rates: buildRates(byToken) };
  const pricing = { ...PRICING, catalog: buildCatalog([book]) };

  it.each<[string, Partial<StoredEntry>, string]>([
    ['by nothing', {}, 'unmeasured'],
    ['by a call that counted nothing', { callUsage: { ...tokens, output: 0 } }, 'unmeasured'],
    ['by the whole call of a member', { callUsage: { ...tokens, output: 3 } }, 'charged'],
    ['by its context', { contextTokens: 1 }, 'charged'],
    ['by a token in', { uncachedInputTokens: 1 }, 'charged'],
    ['by a token out', { outputTokens: 1 }, 'charged'],
    ['by a further unit', { units: { images: 1 } }, 'charged'],
  ])('%s', (_by, change, outcome) => {
    expect(priceOf({ ...nothing, ...change }, pricing).outcome).toBe(outcome);
  });
});

describe('a replacement of units', () => {
  const of = { pricing: PRICING, placement: NOVEMBER, note: NOTE };
  const held: StoredEntry = { ...ENTRY, units: { images: 4, input_audio_tokens: 7 } };

  it.each([
    [undefined, { images: 4, input_audio_tokens: 7 }],
    [{ images: 5 }, { images: 5, input_audio_tokens: 7 }],
    [{ images: 0 }, { input_audio_tokens: 7 }],
    [{ searches: 2 }, { images: 4, input_audio_tokens: 7, searches: 2 }],
    [{ images: 0, input_audio_tokens: 0 }, null],
  ])('by %o leaves %o', (units, left) => {
    const replacement = replacementOf(held, units === undefined ? {} : { units }, of);
    expect(replacement.units).toEqual(left);
    // 60 + 30 + 10 of text, and audio where it is left; an image is no token.
    expect(replacement.contextTokens).toBe(100 + (replacement.units?.input_audio_tokens ?? 0));
  });

  it('keeps no more reasoning than the output that it is a part of', () => {
    const reasoning = (outputTokens?: number) =>
      replacementOf(ENTRY, outputTokens === undefined ? {} : { outputTokens }, of).reasoningTokens;
    expect([reasoning(1), reasoning(9), reasoning()]).toEqual([1, 2, 2]);
  });
});

describe('a replacement', () => {
  const of = { pricing: PRICING, placement: NOVEMBER, note: NOTE };

  it('keeps what is not changed, points at the entry and is priced anew', () => {
    expect(replacementOf(ENTRY, { outputTokens: 8, feature: 'chat' }, of)).toEqual({
      ...ENTRY,
      revision: 4,
      kind: 'correction',
      periodStart: '2026-11-01',
      late: true,
      outputTokens: 8,
      feature: 'chat',
      layers: { prompt: 50, tool: 40, memory: 10, response: 8 },
      // The response is no longer the producer's own count of it.
      furtherTags: { team: 'x', layers_source: 'scaled' },
      // work_done: 100 × 10 + 8 × 100 + a call of 2,000,000
      charge: 2_001_800n,
      // 60 × 10 + 30 × 1 + 10 × 5 + 8 × 100 + 2,000,000
      cost: 2_001_480n,
      requestedCost: null,
      chargeRate: { book: 'standard', version: from, rateId: 7n },
      costRate: { book: 'paid', version: from, rateId: 7n },
      correctsEntryId: 12n,
      isReversal: false,
      ...NOTE,
    });
  });

  it.each([
    [{ uncachedInputTokens: 961 }, 1001, 8n],
    [{ uncachedInputTokens: 960 }, 1000, 7n],
    [{ cacheReadTokens: 931 }, 1001, 8n],
    [{ cacheWriteTokens: 911 }, 1001, 8n],
  ])('with %o has a context of %d tokens, and the rate for it', (change, contextTokens, rateId) => {
    const replacement = replacementOf(ENTRY, change, of);
    expect(replacement.contextTokens).toBe(contextTokens);
    expect(replacement.chargeRate?.rateId).toBe(rateId);
  });

  it('of a member keeps the context of the whole call', () => {
    const member = { ...ENTRY, memberId: 'm1', contextTokens: 5000 };
    const replacement = replacementOf(member, { uncachedInputTokens: 1 }, of);
    expect(replacement).toMatchObject({ contextTokens: 5000, memberId: 'm1' });
    expect(replacement.chargeRate?.rateId).toBe(8n);
  });

  it('that did not fail after all has no error', () => {
    const failed: StoredEntry = { ...ENTRY, status: 'error', errorType: 'timeout' };
    expect(replacementOf(failed, { status: 'ok' }, of).errorType).toBeNull();
    expect(replacementOf(failed, { status: 'cancelled' }, of).errorType).toBe('timeout');
    expect(replacementOf(failed, { feature: 'chat' }, of).errorType).toBe('timeout');
  });

  it('for another tenant is priced by that tenant', () => {
    const bookOf = (tenantId: string) =>
      tenantId === 'birch' ? null : { book: 'standard', currency: 'USD' };
    const pricing = { ...PRICING, bookOf };
    const replacement = replacementOf(ENTRY, { tenantId: 'birch' }, { ...of, pricing });
    expect(replacement).toMatchObject({ tenantId: 'birch', outcome: 'unrated', charge: null });
    expect(replacement.chargeRate).toBeNull();
  });
});

it('an entry is priced from its facts, not from the amounts that it has', () => {
  const { charge, cost, outcome } = priceOf({ ...ENTRY, reasoningTokens: 1 }, PRICING);
  // 100 × 10 + 5 × 100 + 2,000,000; 60 × 10 + 30 × 1 + 10 × 5 + 5 × 100 + 2,000,000
  expect({ charge, cost, outcome }).toEqual({
    charge: 2_001_500n,
    cost: 2_001_180n,
    outcome: 'charged',
  });
});
