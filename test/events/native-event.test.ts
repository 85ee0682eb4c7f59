import { describe, expect, it } from 'vitest';
import { isModelCall } from '../../src/events/event.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import { readBody } from '../../src/events/read-body.ts';
import { nativeEvent } from '../support/ledger.ts';

const RECEIVED_AT = Date.parse('2026-10-20T12:00:00Z');

function refusalOf(value: unknown): string {
  const reading = readNativeEvent(value, RECEIVED_AT);
  return reading.kind === 'refused' ? `${reading.reason}: ${reading.detail}` : 'accepted';
}

function eventOf(change: Readonly<Record<string, unknown>>) {
  const reading = readNativeEvent(nativeEvent(change), RECEIVED_AT);
  if (reading.kind === 'refused') throw new Error(reading.detail);
  return reading.event;
}

const TEXT_200 = 'a string of 1 to 200 characters without NUL or lone surrogates';
const INSTANT =
  'an RFC 3339 instant with seconds and an offset, such as "2026-10-01T12:00:00Z" or "…+02:00"';
const COUNT = 'a whole number from 0 to 1000000000000';

describe('a refusal names the field, the value and what is allowed', () => {
  it.each([
    [{ event_id: undefined }, `event_id: is missing; it must be ${TEXT_200}`],
    [{ event_id: '' }, `event_id: a string ("") is not ${TEXT_200}`],
    [{ event_id: 7 }, `event_id: a number (7) is not ${TEXT_200}`],
    [{ event_id: 'a\u0000' }, `event_id: a string ("a\\u0000") is not ${TEXT_200}`],
    [{ user_id: '\udc00' }, `user_id: a string ("\\udc00") is not ${TEXT_200}`],
    [{ source: 'x'.repeat(101) }, 'is not a string of 1 to 100 characters'],
    [{ occurred_at: 1_760_000_000 }, `occurred_at: a number (1760000000) is not ${INSTANT}`],
    [{ occurred_at: '2026-10-15' }, `occurred_at: a string ("2026-10-15") is not ${INSTANT}`],
    [{ occurred_at: '2026-10-15T12:00:00' }, `("2026-10-15T12:00:00") is not ${INSTANT}`],
    [{ occurred_at: '2026-13-01T00:00:00Z' }, `("2026-13-01T00:00:00Z") is not ${INSTANT}`],
    [{ started_at: 'yesterday' }, `started_at: a string ("yesterday") is not ${INSTANT}`],
    [{ status: 'OK' }, 'status: a string ("OK") is not one of "ok", "error", "cancelled"'],
    [{ status: undefined }, 'status: is missing; it must be one of "ok", "error", "cancelled"'],
    [
      { service_tier: 'turbo' },
      'service_tier: a string ("turbo") is not one of "standard", "batch"',
    ],
    [{ gateway_cache: true }, 'gateway_cache: a boolean (true) is not one of "none", "exact"'],
    [{ attempt: 0 }, 'attempt: a number (0) is not a whole number from 1 to 1000000'],
    [{ attempt: 1.5 }, 'attempt: a number (1.5) is not a whole number from 1'],
    [
      { usage: 'many' },
      'usage: a string ("many") is not an object {input_tokens, output_tokens, …}',
    ],
    [{ usage: { output_tokens: 1 } }, `usage.input_tokens: is missing; it must be ${COUNT}`],
    [
      { usage: { input_tokens: -1, output_tokens: 0 } },
      `usage.input_tokens: a number (-1) is not ${COUNT}`,
    ],
    [
      { usage: { input_tokens: 1e13, output_tokens: 0 } },
      `usage.input_tokens: a number (10000000000000) is not ${COUNT}`,
    ],
    [
      { usage: { input_tokens: 1, output_tokens: 1, estimated: 'no' } },
      'usage.estimated: a string ("no") is not true or false',
    ],
    [{ layers: [] }, 'layers: an array is not an object {prompt, tool, memory, response}'],
    [{ layers: { tool: '3' } }, `layers.tool: a string ("3") is not ${COUNT}`],
    [{ tags: { plan: 3 } }, 'tags.plan: a number (3) is not a string of 1 to 500 characters'],
    [{ tags: [] }, 'tags: an array is not an object of up to 20 strings'],
    [{ members: 'm1' }, 'members: a string ("m1") is not an array of members'],
    [{ members: [] }, 'members: an array is not an array of at least one member'],
    [{ members: [null] }, 'members[0]: null is not an object with a member_id'],
    [{ members: [{}] }, `members[0].member_id: is missing; it must be ${TEXT_200}`],
    [
      { members: [{ member_id: 'a', weight: -1 }] },
      'members[0].weight: a number (-1) is not a number from 0 to 1,000,000,000',
    ],
    [{ requested_model: undefined }, 'requested_model: is missing; a chat call is charged on'],
    [{ usage: undefined }, 'usage: is missing; it is required with status "ok"'],
    [
      { usage: { input_tokens: 1, cache_read_tokens: 2, output_tokens: 0 } },
      'usage.input_tokens: 1 is below cache_read_tokens + cache_write_tokens',
    ],
    [
      { usage: { input_tokens: 1, output_tokens: 1, reasoning_tokens: 2 } },
      'usage.reasoning_tokens: 2 is above output_tokens 1',
    ],
    [
      { usage: { input_tokens: 9, output_tokens: 1, text: 4, other: 2 } },
      'usage.text (and 1 more): is not a known field; send the count under one of these: input_tokens, ',
    ],
    [
      { usage: { input_tokens: 100, input_audio_tokens: 101, output_tokens: 0 } },
      'usage.input_audio_tokens: 101 is above input_tokens 100; input_tokens includes input_audio_tokens',
    ],
    [
      {
        usage: {
          ...{ input_tokens: 100, cache_read_tokens: 60, input_image_tokens: 50, output_tokens: 0 },
        },
      },
      'usage.cache_read_tokens + input_image_tokens: 110 is above input_tokens 100',
    ],
    [
      { usage: { input_tokens: 9, output_tokens: 0, cache_read_audio_tokens: 1 } },
      'usage.cache_read_audio_tokens: 1 is above cache_read_tokens 0',
    ],
    [
      { usage: { input_tokens: 9, output_tokens: 9, output_audio_tokens: 5, reasoning_tokens: 5 } },
      'usage.reasoning_tokens: 5 is above output_tokens 9 without output_audio_tokens, which is 4',
    ],
    [{ usage: { input_audio_tokens: 3 } }, `usage.input_tokens: is missing; it must be ${COUNT}`],
    [{ usage: { audio_ms: 3, input_tokens: 4 } }, 'usage.output_tokens: is missing'],
    [
      { reported_cost: { amount: 0.5, currency: 'USD', source: 'x' } },
      'reported_cost.amount: a number (0.5) is not a plain decimal string',
    ],
    [
      { reported_cost: { amount: '1e-5', currency: 'USD', source: 'x' } },
      'reported_cost.amount: a string ("1e-5") is not a plain decimal string',
    ],
    [
      { reported_cost: { amount: '1', currency: 'dollar', source: 'x' } },
      'reported_cost.currency: a string ("dollar") is not an ISO 4217 currency',
    ],
    [{ customer_id: 'bolt' }, 'customer_id: "bolt" contradicts tenant_id "acme"'],
    [
      { members: [{ member_id: 'a' }, { member_id: 'a' }] },
      'members[1].member_id: "a" stands twice',
    ],
  ])('%j', (change, detail) => {
    const refusal = refusalOf(nativeEvent(change));
    expect(refusal).toContain('invalid_field: ');
    expect(refusal).toContain(detail);
  });

  it('counts what else is wrong behind the first', () => {
    const refusal = refusalOf(nativeEvent({ event_id: 1, status: 2, attempt: 0 }));
    expect(refusal).toContain('event_id: a number (1)');
    expect(refusal).toContain('; and 2 more');
  });

  it('shows of a long value its beginning only', () => {
    expect(refusalOf(nativeEvent({ event_id: 'x'.repeat(100_000) })).length).toBeLessThan(300);
  });

  it.each([null, 1, 'x', [], undefined])('refuses %j, which is no object', (value) => {
    expect(refusalOf(value)).toMatch(/^invalid_field: event: /);
  });

  it('takes an instant whose letters are in lower case for what it is, and no other spelling', () => {
    const lower = nativeEvent({
      occurred_at: '2026-10-15t12:00:00z',
      started_at: '2026-10-15t11:00:00+02:00',
    });
    const reading = readNativeEvent(lower, RECEIVED_AT);
    expect(reading).toMatchObject({
      event: {
        occurredAt: Date.parse('2026-10-15T12:00:00Z'),
        startedAt: Date.parse('2026-10-15T09:00:00Z'),
      },
    });
    expect(refusalOf(nativeEvent({ occurred_at: '2026-10-15 12:00:00z' }))).toContain(
      'occurred_at',
    );
  });

  it('tells more than 24 hours ahead from exactly 24 hours', () => {
    expect(refusalOf(nativeEvent({ occurred_at: '2026-10-21T12:00:00Z' }))).toBe('accepted');
    expect(refusalOf(nativeEvent({ occurred_at: '2026-10-21T12:00:00.001Z' }))).toContain(
      'occurred_in_future: occurred_at: 2026-10-21T12:00:00.001Z is more than 24 hours after its receipt at 2026-10-20T12:00:00.000Z',
    );
  });

  it('refuses more than 20 tags', () => {
    const tags = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`t${index}`, 'x']));
    expect(refusalOf(nativeEvent({ tags }))).toContain(
      'tags: an object is not an object of up to 20',
    );
  });
});

describe('an accepted event', () => {
  it('has a default for each field that may be left out', () => {
    const event = eventOf({});
    expect(event).toMatchObject({
      source: 'default',
      operation: 'chat',
      executedModel: 'gpt-4o',
      serviceTier: 'standard',
      gatewayCache: 'none',
      attempt: 1,
      usageSource: 'reported',
      layers: null,
      members: null,
      furtherTags: {},
    });
  });

  it('takes null for absent, as many producers write it', () => {
    const nulls = { source: null, executed_model: null, usage: null, status: 'error', tags: null };
    expect(eventOf(nulls)).toMatchObject({ source: 'default', executedModel: 'gpt-4o' });
  });

  it('has disjoint buckets: 1000 with 600 read and 100 written are 300 + 600 + 100', () => {
    const usage = {
      input_tokens: 1000,
      cache_read_tokens: 600,
      cache_write_tokens: 100,
      output_tokens: 50,
      reasoning_tokens: 20,
    };
    expect(eventOf({ usage }).usage).toEqual({
      uncachedInput: 300,
      cacheRead: 600,
      cacheWrite: 100,
      output: 50,
      reasoning: 20,
      units: null,
    });
  });

  it('takes every part out of its total, so that no token stands in two units', () => {
    const usage = {
      ...{ input_tokens: 1000, cache_read_tokens: 300, cache_write_tokens: 100 },
      ...{ cache_write_1h_tokens: 40, input_audio_tokens: 200, input_image_tokens: 50 },
      ...{ cache_read_audio_tokens: 30, cache_read_image_tokens: 20, input_video_tokens: 10 },
      ...{ output_tokens: 500, output_audio_tokens: 400, reasoning_tokens: 60, searches: 2 },
    };
    // Text in: 1000 - 300 - 100 - 200 - 50 - 10; read: 300 - 30 - 20; written: 100 - 40; out: 500 - 400.
    expect(eventOf({ usage }).usage).toEqual({
      ...{ uncachedInput: 340, cacheRead: 250, cacheWrite: 60, output: 100, reasoning: 60 },
      units: {
        ...{ cache_write_1h_tokens: 40, input_audio_tokens: 200, input_image_tokens: 50 },
        ...{ cache_read_audio_tokens: 30, cache_read_image_tokens: 20, input_video_tokens: 10 },
        ...{ output_audio_tokens: 400, searches: 2 },
      },
    });
  });

  it.each([
    [{ images: 2 }, { images: 2 }],
    [{ audio_ms: 61_500, output_tokens: null }, { audio_ms: 61_500 }],
    [{ characters: 0 }, null],
    [{}, null],
  ])('needs no tokens where none were counted: %j', (usage, units) => {
    expect(eventOf({ usage }).usage).toMatchObject({ uncachedInput: 0, output: 0, units });
  });

  it('keeps what the producer says of the cost, the call and the hold', () => {
    const event = eventOf({
      reported_cost: { amount: '0.0012345678901239', currency: 'USD', source: 'litellm' },
      call_id: 'call-1',
      hold_id: 'hold-1',
    });
    expect(event).toMatchObject({
      reportedCost: { amount: 1_234_567_890n, currency: 'USD', source: 'litellm' },
      callId: 'call-1',
      holdId: 'hold-1',
    });
    expect(eventOf({})).toMatchObject({ reportedCost: null, callId: null, holdId: null });
  });

  it.each([
    ['an unknown operation with a model', { operation: 'dance', usage: {} }, true],
    ['a listed wrapper with a model', { operation: 'invoke_agent' }, false],
    [
      'an unknown operation with neither',
      { operation: 'dance', requested_model: undefined, usage: undefined },
      false,
    ],
    ['a generated image', { operation: 'image', usage: { images: 1 } }, true],
  ])('%s is a call: %j', (_, change, call) => {
    expect(isModelCall(eventOf(change))).toBe(call);
  });

  it('asks an unknown operation that was measured for its model', () => {
    expect(refusalOf(nativeEvent({ operation: 'dance', requested_model: undefined }))).toContain(
      'requested_model: is missing; a dance call',
    );
  });

  it.each([
    [{ estimated: true }, 'estimated'],
    [{ estimated: false }, 'reported'],
    [{ assumed: true }, 'assumed'],
    [{ assumed: true, estimated: true }, 'estimated'],
  ])('says where its counts come from: %j is %s', (flags, usageSource) => {
    const usage = { input_tokens: 1, output_tokens: 1, ...flags };
    expect(eventOf({ usage }).usageSource).toBe(usageSource);
  });

  it('reads an instant by its offset', () => {
    const event = eventOf({ occurred_at: '2026-10-15T14:00:00.5+02:00' });
    expect(event.occurredAt).toBe(Date.parse('2026-10-15T12:00:00.500Z'));
  });

  it('gives members the tags of the event unless they have their own', () => {
    const members = [{ member_id: 'a' }, { member_id: 'b', customer_id: 'bolt', feature: 'chat' }];
    const [first, second] = eventOf({ feature: 'search', members }).members ?? [];
    expect(first?.tags).toMatchObject({ tenantId: 'acme', feature: 'search' });
    expect(second?.tags).toMatchObject({ tenantId: 'bolt', feature: 'chat' });
    expect(second?.status).toBe('ok');
  });

  it('needs neither model nor usage for a span that is no model call', () => {
    const span = { operation: 'execute_tool', requested_model: undefined, usage: undefined };
    expect(eventOf(span)).toMatchObject({ operation: 'execute_tool', requestedModel: null });
  });

  it('ignores and drops what it does not know', () => {
    expect(JSON.stringify(eventOf({ prompt: 'the secret text' }))).not.toContain('secret');
  });
});

describe('tokens of a provider under a name that nobody knows', () => {
  const sourceOf = (usage: object, provider = 'openai') =>
    eventOf({ provider, usage: undefined, provider_usage: usage }).usageSource;
  const itemOf = (usage: object) => {
    const event = nativeEvent({ usage: undefined, provider_usage: usage });
    const context = { receivedAt: RECEIVED_AT, litellmKey: null, attributes: {} };
    const [item] = readBody(JSON.stringify(event), context);
    if (item?.kind !== 'event') throw new Error(JSON.stringify(item));
    return item;
  };
  const chat = { prompt_tokens: 100, completion_tokens: 10 };
  const message = { input_tokens: 100, output_tokens: 10 };

  it.each<[string, object, string?]>([
    ['beside counts without a total', { ...chat, new_exotic_tokens: 500 }],
    ['of another form', { ...message, new_exotic_tokens: 1 }, 'anthropic'],
    ['in capitals', { inputTokens: 100, outputTokens: 10, exoticTokens: 5 }, 'aws.bedrock'],
    ['of Gemini', { promptTokenCount: 100, candidatesTokenCount: 10, exoticTokenCount: 5 }],
    ['that a total counts', { ...chat, new_exotic_tokens: 500, total_tokens: 610 }],
  ])('%s make its usage assumed', (_, usage, provider) => {
    expect(sourceOf(usage, provider)).toBe('assumed');
  });

  it.each<[string, object, string?]>([
    ['of none', { ...chat, new_exotic_tokens: 0 }],
    ['within the total', { ...chat, new_exotic_tokens: 50, total_tokens: 110 }],
    ['that are no tokens', { ...chat, queue_time: 0.5, total_time: 2 }],
    ['of DeepSeek, which are known', { ...chat, prompt_cache_miss_tokens: 40 }],
    ['of Anthropic, which are known', { ...message, cache_read_input_tokens: 40 }, 'anthropic'],
  ])('%s leave it reported', (_, usage, provider) => {
    expect(sourceOf(usage, provider)).toBe('reported');
  });

  it('are no conflict with what was received before they were looked at', () => {
    const [doubted, before] = [itemOf({ ...chat, new_exotic_tokens: 500 }), itemOf(chat)];
    expect(doubted.digest).not.toEqual(before.digest);
    expect(doubted.otherDigests?.()).toContainEqual(before.digest);
  });
});

it("a tier in a provider's usage that nobody has heard of is named in a tag, and standard", () => {
  const usage = { prompt_tokens: 100, completion_tokens: 10, service_tier: 'express' };
  const own = { usage: undefined, provider: 'openai', tags: { team: 'blue' } };
  const told = eventOf({ ...own, provider_usage: usage });
  expect(told).toMatchObject({
    serviceTier: 'standard',
    furtherTags: { team: 'blue', service_tier: 'express' },
  });
  expect(
    eventOf({ ...own, provider_usage: { ...usage, service_tier: 'auto' } }).furtherTags,
  ).toEqual({ team: 'blue' });
});

describe('a call that gives out no tokens', () => {
  it.each(['embeddings', 'rerank', 'moderation'])('%s needs no count of them', (operation) => {
    const usage = { input_tokens: 1000, cache_read_tokens: 200 };
    const short = eventOf({ operation, usage });
    expect(short.usage).toMatchObject({ uncachedInput: 800, cacheRead: 200, output: 0 });
    expect(short).toEqual(eventOf({ operation, usage: { ...usage, output_tokens: 0 } }));
  });

  it.each<[string, object, string]>([
    ['chat', { input_tokens: 1000 }, 'usage.output_tokens: is missing'],
    ['embeddings', { output_tokens: 1 }, 'usage.input_tokens: is missing'],
    ['embeddings', { input_tokens: 9, reasoning_tokens: 1 }, 'usage.reasoning_tokens: 1 is above'],
  ])('%s with %o is refused', (operation, usage, message) => {
    expect(refusalOf(nativeEvent({ operation, usage }))).toContain(message);
  });
});
