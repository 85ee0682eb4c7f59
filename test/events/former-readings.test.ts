import { expect, test } from 'vitest';
import { readBody } from '../../src/events/read-body.ts';

const context = { receivedAt: 1_792_065_700_000, litellmKey: null, attributes: {} };

function read(message: object) {
  const [item] = readBody(JSON.stringify(message), context);
  if (item?.kind !== 'event') throw new Error(`no event: ${JSON.stringify(item)}`);
  return item;
}

const NATIVE = {
  ...{ event_id: '1', occurred_at: '2026-10-15T12:00:00Z', status: 'ok', provider: 'anthropic' },
  requested_model: 'claude-opus-4-6',
};
const usage = { input_tokens: 20, output_tokens: 5, cache_read_input_tokens: 0 };
const iterations = [
  { type: 'compaction', input_tokens: 100, output_tokens: 10 },
  { type: 'advisor_message', input_tokens: 1, output_tokens: 1 },
];

test('an event is known by the digest that it had when nobody read steps and tiers in its usage', () => {
  const before = read({ ...NATIVE, provider_usage: usage });
  const said = { ...usage, iterations, service_tier: 'batch', trafficType: 'ON_DEMAND' };
  const today = read({ ...NATIVE, provider_usage: said });
  expect(today.event).toMatchObject({ serviceTier: 'batch', usage: { output: 15 } });
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});

test('and by that of the counts of an interaction of Gemini, of which the total was all input', () => {
  const call = { ...NATIVE, provider: 'gemini', requested_model: 'gemini-3-flash' };
  const before = read({ ...call, provider_usage: { total_tokens: 80 } });
  const counts = { total_input_tokens: 10, total_output_tokens: 70, total_tokens: 80 };
  const today = read({ ...call, provider_usage: counts });
  expect(today.event.usage).toMatchObject({ uncachedInput: 10, output: 70 });
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});

test('and by that of an answer of xAI whose searches stood behind a zero', () => {
  const call = { ...NATIVE, provider: 'xai', requested_model: 'grok-4' };
  const sources = { ...usage, num_sources_used: 0 };
  const tools = { web_search_calls: 2, x_search_calls: 1, code_interpreter_calls: 1 };
  const before = read({ ...call, provider_usage: sources });
  const today = read({
    ...call,
    provider_usage: { ...sources, server_side_tool_usage_details: tools },
  });
  expect(today.event.usage.units).toEqual({ searches: 3 });
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});

test('and so is a result of a batch, of which the pages that were opened were searches', () => {
  const search = { type: 'web_search_call' };
  const line = (output: readonly object[]) => ({
    ...{ id: 'b-1', custom_id: 'c', error: null },
    response: { status_code: 200, body: { id: 'r-1', model: 'gpt-5', output, usage } },
  });
  const before = read(line([search, search]));
  const today = read(line([search, { ...search, action: { type: 'open_page' } }]));
  expect(today.event.usage.units).toEqual({ searches: 1 });
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});

test('what is read last is hidden alone, since what was read before it had its digest then', () => {
  const { input_tokens, output_tokens } = usage;
  const body = (items: readonly string[], tools: object) => ({
    ...{ id: 'b-1', custom_id: 'c', error: null },
    response: {
      status_code: 200,
      body: {
        ...{ id: 'r-1', model: 'gpt-5', usage: { input_tokens, output_tokens }, ...tools },
        output: items.map((type) => ({ type: 'web_search_call', action: { type } })),
      },
    },
  });
  const items = ['search', 'search', 'open_page'];
  const before = read(body(items, {}));
  const today = read(body(items, { tool_usage: { web_search: { num_requests: 1 } } }));
  expect([before, today].map(({ event }) => event.usage.units)).toEqual([
    { searches: 2 },
    { searches: 1 },
  ]);
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});

test.each([
  ['steps', { iterations }],
  ['a tier', { service_tier: 'flex' }],
])('and so is the fast mode of Anthropic beside %s', (_, said) => {
  const before = read({ ...NATIVE, provider_usage: { ...usage, ...said } });
  const today = read({ ...NATIVE, provider_usage: { ...usage, ...said, speed: 'fast' } });
  expect(today.event.serviceTier).toBe('priority');
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});

test('what a producer counted in doubt is known by the digest of a usage that it reported', () => {
  const counted = { input_tokens: 20, output_tokens: 5 };
  const before = read({ ...NATIVE, usage: counted });
  const today = read({ ...NATIVE, usage: { ...counted, assumed: true } });
  expect(today.digest).not.toEqual(before.digest);
  expect(today.otherDigests?.()).toContainEqual(before.digest);
});
