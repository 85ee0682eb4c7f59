import { describe, expect, it } from 'vitest';
import { digestEvent } from '../../src/events/digest.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import { nativeEvent } from '../support/ledger.ts';

function digest(change: Readonly<Record<string, unknown>> = {}): string {
  const reading = readNativeEvent(nativeEvent(change), Date.parse('2026-10-20T12:00:00Z'));
  if (reading.kind === 'refused') throw new Error(reading.detail);
  return digestEvent(reading.event).toString('hex');
}

const members = [
  { member_id: 'a', weight: 1 },
  { member_id: 'b', weight: 2 },
];

describe('the digest of an event (R9)', () => {
  it('never changes: events received in any year compare with it', () => {
    expect(digest()).toMatchInlineSnapshot(
      `"d8a5733f5b8b33928e1d25e7da266dd2ed4d835a14702b5a9496978790bad4c1"`,
    );
    expect(digest(EVERYTHING)).toMatchInlineSnapshot(
      `"a04f6b0e35321f1178638959bc2f7bbceddb818d40323be6383765802b1aa05b"`,
    );
  });

  it.each([
    ['its id', { event_id: 'other' }],
    ['its source', { source: 'other' }],
    ['defaults written out', { operation: 'chat', attempt: 1, gateway_cache: 'none' }],
    ['another offset of the same instant', { occurred_at: '2026-10-15T14:00:00+02:00' }],
    ['customer_id for tenant_id', { tenant_id: undefined, customer_id: 'acme' }],
    ['fields that nobody knows', { comment: 'hello' }],
    ['absent written as null', { user_id: null, tags: null, members: null }],
    [
      'zero where nothing was said',
      { usage: { input_tokens: 1000, output_tokens: 100, cache_read_tokens: 0 } },
    ],
  ])('is the same with %s', (_, change) => {
    expect(digest(change)).toBe(digest());
  });

  it.each([
    { occurred_at: '2026-10-15T12:00:00.001Z' },
    { started_at: '2026-10-15T11:59:59Z' },
    { status: 'error' },
    { error_type: 'x' },
    { operation: 'embeddings' },
    { provider: 'azure' },
    { requested_model: 'gpt-4o-mini', executed_model: 'gpt-4o' },
    { executed_model: 'gpt-4o-mini' },
    { response_id: 'r' },
    { service_tier: 'batch' },
    { gateway_cache: 'exact' },
    { attempt: 2 },
    { usage: { input_tokens: 1001, output_tokens: 100 } },
    { usage: { input_tokens: 1000, output_tokens: 101 } },
    { usage: { input_tokens: 1000, output_tokens: 100, cache_read_tokens: 1 } },
    { usage: { input_tokens: 1000, output_tokens: 100, cache_write_tokens: 1 } },
    { usage: { input_tokens: 1000, output_tokens: 100, reasoning_tokens: 1 } },
    { usage: { input_tokens: 1000, output_tokens: 100, estimated: true } },
    { layers: { prompt: 1 } },
    { tenant_id: 'bolt' },
    { user_id: 'u' },
    { feature: 'f' },
    { agent_run_id: 'r' },
    { prompt_version: 'p' },
    { tags: { a: 'b' } },
    { trace_id: 't' },
    { span_id: 's' },
    { parent_span_id: 'p' },
    { members },
  ])('differs with %j', (change) => {
    expect(digest(change)).not.toBe(digest());
  });

  it('tells the order of members, which decides ties of the split', () => {
    expect(digest({ members: [...members].reverse() })).not.toBe(digest({ members }));
  });

  it('ignores the order of tags', () => {
    expect(digest({ tags: { a: '1', b: '2' } })).toBe(digest({ tags: { b: '2', a: '1' } }));
  });

  it('cannot be made to collide by values that look like its own form', () => {
    expect(digest({ user_id: 'u', feature: 'f' })).not.toBe(digest({ user_id: 'u feature=f' }));
    expect(digest({ tags: { a: '1', b: '2' } })).not.toBe(digest({ tags: { 'a"=1 tag:"b': '2' } }));
  });
});

const EVERYTHING = {
  started_at: '2026-10-15T11:59:58.250Z',
  error_type: 'none',
  executed_model: 'gpt-4o-2024-08-06',
  response_id: 'resp-1',
  service_tier: 'flex',
  gateway_cache: 'semantic',
  attempt: 3,
  usage: {
    input_tokens: 1000,
    output_tokens: 100,
    cache_read_tokens: 10,
    cache_write_tokens: 5,
    reasoning_tokens: 7,
    estimated: true,
  },
  layers: { prompt: 1, tool: 2, memory: 3, response: 4 },
  user_id: 'u',
  feature: 'f',
  agent_run_id: 'r',
  prompt_version: 'p',
  tags: { plan: 'gold', 'key with "quotes"': 'ü' },
  trace_id: 't',
  span_id: 's',
  parent_span_id: 'q',
  members: [
    { member_id: 'a', tenant_id: 'x', weight: 0.5, status: 'cancelled' },
    { member_id: 'b', input_tokens: 3, output_tokens: 4 },
  ],
};
