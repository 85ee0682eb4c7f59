import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { priceOf, replacementOf, reversalOf } from '../../../src/ledger/corrections/correction.ts';
import type { StoredEntry } from '../../../src/ledger/entries/entry.ts';
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
    const { entryId: _, ...facts } = ENTRY;
    expect(reversalOf(ENTRY, NOTE, NOVEMBER)).toEqual({
      ...facts,
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

describe('a replacement', () => {
  const of = { pricing: PRICING, placement: NOVEMBER, note: NOTE };

  it('keeps what is not changed, points at the entry and is priced anew', () => {
    const { entryId: _, ...facts } = ENTRY;
    expect(replacementOf(ENTRY, { outputTokens: 8, feature: 'chat' }, of)).toEqual({
      ...facts,
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
