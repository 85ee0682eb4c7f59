import { expect, test } from 'vitest';
import type { UsageEvent } from '../../../src/events/event.ts';
import {
  COST_EXCHANGE,
  ENTRY_WITHOUT_A_CALL,
  LAYERS_SOURCE,
  markRated,
  reference,
  SCALED,
  usageEntry,
} from '../../../src/ledger/entries/entry.ts';
import type { Placement } from '../../../src/periods/placement.ts';
import type { BookVersion } from '../../../src/rating/books/price-catalog.ts';
import type { Rate } from '../../../src/rating/books/rate.ts';
import type { RatedPart } from '../../../src/rating/rate-event.ts';

const AT = Date.parse('2026-10-15T12:00:00Z');

const TAGS = {
  ...{ tenantId: 'acme', userId: 'ann', feature: 'chat' },
  ...{ agentRunId: 'run', promptVersion: '3' },
};

const EVENT: UsageEvent = {
  ...{ source: 'app', eventId: 'evt', occurredAt: AT, startedAt: AT - 1 },
  ...{ status: 'ok', errorType: 'none', operation: 'chat', provider: 'openai' },
  ...{ requestedModel: 'gpt-4o', executedModel: 'gpt-4o-mini', responseId: 'resp' },
  ...{ serviceTier: 'batch', gatewayCache: 'exact', attempt: 2, usageSource: 'estimated' },
  usage: { ...usage(9, 8, 7, 6, 5), units: null },
  reportedCost: { amount: 3n, currency: 'EUR', source: 'litellm' },
  ...{ callId: 'call', holdId: 'hold', layers: null, tags: { ...TAGS, userId: 'other' } },
  ...{ furtherTags: { team: 'a' }, traceId: 'trace', spanId: 'span', parentSpanId: 'parent' },
  members: null,
};

const VERSION = { book: 'standard', effectiveFrom: AT - 5 } as BookVersion;
const FOUND = { version: VERSION, rate: { rateId: 41n } as Rate };

const PART: RatedPart = {
  ...{ tenantId: 'acme', memberId: 'm', tags: TAGS, status: 'error' },
  usage: { ...usage(1, 2, 3, 4, 2), units: { searches: 1 } },
  ...{ callShare: 500_000, contextTokens: 60, callUsage: EVENT.usage },
  layers: { prompt: 1, tool: 2, memory: 3, response: 4 },
  ...{ layersScaled: false, outcome: 'charged', charge: 11n, unpriced: [], cost: 7n },
  ...{ requestedCost: 8n, currency: 'USD', chargeRate: FOUND },
  costRate: { ...FOUND, rate: { rateId: 42n } as Rate, conversion: null },
};

const PLACEMENT = {
  period: { startDate: '2026-10-01' },
  ...{ late: true, due: false },
} as Placement;

test('an entry of usage says what the event said, how it was rated, and where it is placed', () => {
  const digest = Buffer.from('digest');
  expect(usageEntry({ event: EVENT, digest, part: PART, placement: PLACEMENT })).toEqual({
    ...{
      tenantId: 'acme',
      source: 'app',
      eventId: 'evt',
      memberId: 'm',
      revision: 0,
      kind: 'usage',
    },
    ...{ outcome: 'charged', status: 'error', errorType: 'none' },
    ...{ occurredAt: AT, startedAt: AT - 1, periodStart: '2026-10-01', late: true, due: false },
    ...{ operation: 'chat', provider: 'openai', requestedModel: 'gpt-4o' },
    ...{ executedModel: 'gpt-4o-mini', responseId: 'resp', sharesResponse: false },
    ...{ serviceTier: 'batch', gatewayCache: 'exact' },
    ...{ uncachedInputTokens: 1, cacheReadTokens: 2, cacheWriteTokens: 3, outputTokens: 4 },
    ...{ reasoningTokens: 2, units: { searches: 1 }, contextTokens: 60, callShare: 500_000 },
    ...{ callUsage: EVENT.usage, usageSource: 'estimated', layers: PART.layers },
    ...{ charge: 11n, cost: 7n, requestedCost: 8n, reportedCost: EVENT.reportedCost },
    currency: 'USD',
    chargeRate: { book: 'standard', version: AT - 5, rateId: 41n },
    costRate: { book: 'standard', version: AT - 5, rateId: 42n },
    ...{ userId: 'ann', feature: 'chat', agentRunId: 'run', promptVersion: '3' },
    ...{ furtherTags: { team: 'a' }, traceId: 'trace', spanId: 'span', parentSpanId: 'parent' },
    ...{ attempt: 2, callId: 'call', correctsEntryId: null, isReversal: false },
    ...{ reason: null, actor: null, eventDigest: digest },
  });
});

test.each([
  [
    'the requested model answers itself where no other is named',
    'gpt-4o',
    null,
    ['gpt-4o', 'gpt-4o'],
  ],
  ['what names no model has an empty one', null, null, ['', '']],
  ['what names the one that ran alone keeps it', null, 'o3', ['', 'o3']],
] as const)('%s', (_, requestedModel, executedModel, models) => {
  const event = { ...EVENT, requestedModel, executedModel };
  const entry = usageEntry({ event, digest: Buffer.of(), part: PART, placement: PLACEMENT });
  expect([entry.requestedModel, entry.executedModel]).toEqual(models);
});

test('an entry without a call has nothing of one', () => {
  expect(ENTRY_WITHOUT_A_CALL).toEqual({
    ...{ memberId: '', status: 'ok', errorType: null, startedAt: null, provider: null },
    ...{ responseId: null, sharesResponse: false, serviceTier: 'standard', gatewayCache: 'none' },
    ...{ uncachedInputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0 },
    ...{ reasoningTokens: 0, units: null, contextTokens: 0, callShare: 0, callUsage: null },
    ...{ usageSource: 'reported', layers: null, requestedCost: null, reportedCost: null },
    ...{ chargeRate: null, costRate: null, userId: null, feature: null, agentRunId: null },
    ...{ promptVersion: null, traceId: null, spanId: null, parentSpanId: null, attempt: 1 },
    ...{ callId: null, correctsEntryId: null, isReversal: false },
  });
});

test('rating marks the tags of what it scaled or converted, and keeps nobody else from theirs', () => {
  const unmarked = { layersScaled: false, costRate: null };
  const converted = {
    ...{ ...FOUND, rate: { rateId: 42n } as Rate },
    conversion: { versionId: 12n },
  } as NonNullable<RatedPart['costRate']>;
  const tags = { team: 'a' };
  expect(markRated(tags, unmarked)).toBe(tags);
  expect(markRated(tags, { ...unmarked, layersScaled: true })).toEqual({
    team: 'a',
    [LAYERS_SOURCE]: SCALED,
  });
  expect(markRated(tags, { ...unmarked, costRate: converted })).toEqual({
    team: 'a',
    [COST_EXCHANGE]: '12',
  });
  expect(markRated({ ...tags, [COST_EXCHANGE]: 'mine' }, unmarked)).toEqual(tags);
  expect([LAYERS_SOURCE, SCALED, COST_EXCHANGE]).toEqual([
    ...['layers_source', 'scaled', 'cost_exchange'],
  ]);
});

test('no rate has no reference', () => {
  expect(reference(null)).toBeNull();
});

function usage(...[uncachedInput, cacheRead, cacheWrite, output, reasoning]: readonly number[]) {
  const counts = { uncachedInput, cacheRead, cacheWrite, output, reasoning };
  return counts as Record<keyof typeof counts, number>;
}
