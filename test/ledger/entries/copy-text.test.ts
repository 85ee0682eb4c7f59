import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { COPY_COLUMNS, copyLine } from '../../../src/ledger/entries/copy-line.ts';
import type { NewEntry } from '../../../src/ledger/entries/entry.ts';

const at = parseInstant('2026-10-15T12:00:00Z');

const ENTRY: NewEntry = {
  tenantId: 'acme',
  source: 'app',
  eventId: 'e1',
  memberId: 'm1',
  revision: 2,
  kind: 'correction',
  outcome: 'charged',
  status: 'ok',
  errorType: 'none',
  occurredAt: at,
  startedAt: at - 1000,
  periodStart: '2026-10-01',
  late: true,
  due: false,
  operation: 'chat',
  provider: 'east',
  requestedModel: 'large',
  executedModel: 'small',
  responseId: 'r1',
  sharesResponse: true,
  serviceTier: 'batch',
  gatewayCache: 'exact',
  uncachedInputTokens: 60,
  cacheReadTokens: 30,
  cacheWriteTokens: 10,
  outputTokens: 5,
  reasoningTokens: 2,
  units: { searches: 2, audio_ms: 61_500, input_image_tokens: 7, input_audio_tokens: 9 },
  contextTokens: 100,
  callShare: 500_000,
  callUsage: {
    ...{ uncachedInput: 120, cacheRead: 60, cacheWrite: 20, output: 10, reasoning: 4 },
    units: { searches: 4 },
  },
  usageSource: 'estimated',
  layers: { prompt: 50, tool: 40, memory: 11, response: 6 },
  charge: 123n,
  cost: 45n,
  requestedCost: 67n,
  reportedCost: { amount: 68n, currency: 'GBP', source: 'gateway' },
  currency: 'EUR',
  chargeRate: { book: 'standard', version: at, rateId: 7n },
  costRate: { book: 'paid', version: at + 1, rateId: 8n },
  userId: 'u1',
  feature: 'search',
  agentRunId: 'run-1',
  promptVersion: 'v1',
  furtherTags: { region: 'c', zone: 'b', area: 'a' },
  traceId: 't1',
  spanId: 's1',
  parentSpanId: 'p1',
  attempt: 3,
  callId: 'call-1',
  correctsEntryId: 12n,
  isReversal: true,
  reason: 'twice',
  actor: 'ada',
  eventDigest: Buffer.alloc(32, 0xab),
};

const given = { entryId: 99n, recordedAt: '2026-10-20T12:00:00.000Z', salt: '00ff' };

it('writes every fact of an entry under its own column', () => {
  expect(columnsOf(ENTRY)).toEqual({
    tenant_id: 'acme',
    source: 'app',
    event_id: 'e1',
    member_id: 'm1',
    revision: '2',
    entry_id: '99',
    kind: 'correction',
    outcome: 'charged',
    status: 'ok',
    error_type: 'none',
    occurred_at: '2026-10-15T12:00:00.000Z',
    started_at: '2026-10-15T11:59:59.000Z',
    recorded_at: '2026-10-20T12:00:00.000Z',
    period_start: '2026-10-01',
    late: 't',
    not_due: 't',
    operation: 'chat',
    provider: 'east',
    requested_model: 'large',
    executed_model: 'small',
    response_id: 'r1',
    service_tier: 'batch',
    gateway_cache: 'exact',
    uncached_input_tokens: '60',
    cache_read_tokens: '30',
    cache_write_tokens: '10',
    output_tokens: '5',
    reasoning_tokens: '2',
    context_tokens: '100',
    units: '{"audio_ms": 61500, "searches": 2, "input_audio_tokens": 9, "input_image_tokens": 7}',
    reported_cost: '68',
    reported_cost_currency: 'GBP',
    reported_cost_source: 'gateway',
    call_id: 'call-1',
    call_usage:
      '{"searches": 4, "output_tokens": 10, "reasoning_tokens": 4, "cache_read_tokens": 60, "cache_write_tokens": 20, "uncached_input_tokens": 120}',
    shares_response: 't',
    call_share: '500000',
    usage_source: 'estimated',
    layer_prompt_tokens: '50',
    layer_tool_tokens: '40',
    layer_memory_tokens: '11',
    layer_response_tokens: '6',
    charge: '123',
    cost: '45',
    requested_cost: '67',
    currency: 'EUR',
    charge_book: 'standard',
    charge_version: '2026-10-15T12:00:00.000Z',
    charge_rate_id: '7',
    cost_book: 'paid',
    cost_version: '2026-10-15T12:00:00.001Z',
    cost_rate_id: '8',
    user_id: 'u1',
    feature: 'search',
    agent_run_id: 'run-1',
    prompt_version: 'v1',
    // Shorter names first, and spaces, as jsonb writes an object.
    further_tags: '{"area": "a", "zone": "b", "region": "c"}',
    trace_id: 't1',
    span_id: 's1',
    parent_span_id: 'p1',
    attempt: '3',
    corrects_entry_id: '12',
    is_reversal: 't',
    reason: 'twice',
    actor: 'ada',
    event_digest: `\\\\x${'ab'.repeat(32)}`,
    entry_hash: expect.stringMatching(/^\\\\x[0-9a-f]{64}$/),
  });
});

it('writes what is absent as null, and an amount of zero as zero', () => {
  const absent = {
    errorType: null,
    startedAt: null,
    provider: null,
    responseId: null,
    layers: null,
    charge: null,
    cost: null,
    requestedCost: null,
    chargeRate: null,
    costRate: null,
    userId: null,
    feature: null,
    agentRunId: null,
    promptVersion: null,
    furtherTags: {},
    traceId: null,
    spanId: null,
    parentSpanId: null,
    correctsEntryId: null,
    reason: null,
    actor: null,
  };
  const columns = columnsOf({ ...ENTRY, ...absent, late: false, due: true, isReversal: false });
  const nulls = Object.entries(columns).filter(([, value]) => value === '\\N');
  // 17 columns of one fact each, four layers, and three of each rate.
  expect(nulls).toHaveLength(17 + 4 + 2 * 3 + 2);
  expect(columns).toMatchObject({ late: 'f', is_reversal: 'f' });
  const free = columnsOf({ ...ENTRY, charge: 0n, cost: 0n, requestedCost: 0n });
  expect(free).toMatchObject({ charge: '0', cost: '0', requested_cost: '0' });
});

it('writes tags as jsonb keeps them, shorter names first, in whatever order the producer gave them', () => {
  const further_tags = '{"area": "a", "zone": "b", "middle": "m"}';
  for (const furtherTags of [
    { area: 'a', middle: 'm', zone: 'b' },
    { zone: 'b', middle: 'm', area: 'a' },
  ]) {
    expect(columnsOf({ ...ENTRY, furtherTags })).toMatchObject({ further_tags });
  }
});

it.each([
  ['a\tb', 'a\\tb'],
  ['a\nb', 'a\\nb'],
  ['a\rb', 'a\\rb'],
  ['a\\b', 'a\\\\b'],
  ['\\N', '\\\\N'],
  ['\t', '\\t'],
  ['a\\\t\t\n\n\r\r\\', 'a\\\\\\t\\t\\n\\n\\r\\r\\\\'],
])('escapes %j', (text, escaped) => {
  expect(columnsOf({ ...ENTRY, tenantId: text, reason: text })).toMatchObject({
    tenant_id: escaped,
    reason: escaped,
  });
});

function columnsOf(entry: NewEntry): Readonly<Record<string, string>> {
  const line = copyLine(entry, given);
  expect(line.endsWith('\n')).toBe(true);
  const values = line.slice(0, -1).split('\t');
  const names = COPY_COLUMNS.split(',').map((name) => name.trim());
  expect(values).toHaveLength(names.length);
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
