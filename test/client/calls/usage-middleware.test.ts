import { generateText, simulateReadableStream, streamText, wrapLanguageModel } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { describe, expect, it } from 'vitest';
import { usageMiddleware } from '../../../src/client/calls/usage-middleware.ts';
import { withUsage } from '../../../src/client/usage-scope.ts';
import type { NativeEvent } from '../../../src/events/native-event.ts';
import { readProviderUsage } from '../../../src/events/provider-usage.ts';
import { collectEvents } from '../../support/event-collector.ts';
import { MESSAGE_USAGE } from '../../support/provider-answers.ts';

// The model is the AI SDK's own for tests; everything around it is the SDK itself.

const RAW = { ...MESSAGE_USAGE, output_tokens: 50 };
const COUNTED = {
  inputTokens: { total: 1210, noCache: 10, cacheRead: 1000, cacheWrite: 200 },
  outputTokens: { total: 50, text: 50, reasoning: undefined },
};
const RESPONSE = { id: 'msg_01XFDUDYJgAACzvnptvVoYEL', modelId: 'claude-sonnet-9-20270101' };
const STOP = { unified: 'stop' as const, raw: 'end_turn' };
const PROMPT = 'what is the weather';

type Generated = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>;
type Part =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer Each>
    ? Each
    : never;

const generated = (change: Partial<Generated> = {}): Generated => ({
  ...{ content: [{ type: 'text', text: 'sunny' }], finishReason: STOP, warnings: [] },
  ...{ usage: { ...COUNTED, raw: RAW }, response: RESPONSE },
  ...change,
});

async function scene(doGenerate: () => Promise<Generated>, parts: readonly Part[] = []) {
  const collected = await collectEvents();
  const model = wrapLanguageModel({
    model: new MockLanguageModelV4({
      ...{ provider: 'anthropic.messages', modelId: 'claude-sonnet-9', doGenerate },
      doStream: async () => ({ stream: simulateReadableStream({ chunks: [...parts] }) }),
    }),
    middleware: usageMiddleware(collected.usage),
  });
  return { ...collected, model };
}

describe('the middleware for the AI SDK', () => {
  it("records each call with the provider's own counts and the tags of whoever asks", async () => {
    const { model, events, unmetered } = await scene(async () => generated());
    const { text } = await withUsage({ tenantId: 'acme', feature: 'search' }, () =>
      generateText({ model, prompt: PROMPT }),
    );
    expect(text).toBe('sunny');
    const { cache_creation, ...flat } = RAW;
    expect(await events()).toMatchObject([
      {
        event_id: 'anthropic:chat:msg_01XFDUDYJgAACzvnptvVoYEL',
        ...{ status: 'ok', operation: 'chat', provider: 'anthropic', tenant_id: 'acme' },
        ...{ requested_model: 'claude-sonnet-9', executed_model: 'claude-sonnet-9-20270101' },
        provider_usage: { ...flat, cache_creation },
        layers: { prompt: 1210, tool: 0, memory: 0, response: 50 },
      },
    ]);
    expect(unmetered).toEqual([]);
  });

  it('takes the totals of the SDK where a provider gives none of its own', async () => {
    const { model, events } = await scene(async () => generated({ usage: COUNTED }));
    await generateText({ model, prompt: PROMPT });
    expect(await events()).toMatchObject([
      {
        provider_usage: {
          ...{ input_tokens: 1210, output_tokens: 50 },
          input_tokens_details: { cached_tokens: 1000, cache_write_tokens: 200 },
        },
      },
    ]);
  });

  it('records no counts where the SDK has none', async () => {
    const none = {
      inputTokens: {
        total: undefined,
        noCache: undefined,
        cacheRead: undefined,
        cacheWrite: undefined,
      },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    };
    const { model, events } = await scene(async () => generated({ usage: none }));
    await generateText({ model, prompt: PROMPT });
    const [event] = await events();
    expect(event).toMatchObject({ status: 'ok', usage: {} });
    expect(event).not.toHaveProperty('provider_usage');
  });

  it('records a failed call as failed, each try of it', async () => {
    let tries = 0;
    const { model, events } = await scene(async () => {
      tries += 1;
      if (tries === 1) throw new DOMException('stopped', 'AbortError');
      throw Object.assign(new Error('busy'), { statusCode: 529 });
    });
    for (const _ of [1, 2]) {
      await expect(generateText({ model, prompt: PROMPT, maxRetries: 0 })).rejects.toThrow();
    }
    expect(await events()).toMatchObject([
      { status: 'cancelled', requested_model: 'claude-sonnet-9' },
      { status: 'error', error_type: 'http_529', requested_model: 'claude-sonnet-9' },
    ]);
  });

  const parts: readonly Part[] = [
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', ...RESPONSE },
    { type: 'text-start', id: '1' },
    { type: 'text-delta', id: '1', delta: 'sunny ' },
    { type: 'text-delta', id: '1', delta: 'day' },
    { type: 'text-end', id: '1' },
    { type: 'finish', usage: { ...COUNTED, raw: RAW }, finishReason: STOP },
  ];

  it('streams every part, and counts what the last one says', async () => {
    const { model, events } = await scene(async () => generated(), parts);
    expect(await streamText({ model, prompt: PROMPT }).text).toBe('sunny day');
    expect(await events()).toMatchObject([
      { status: 'ok', response_id: RESPONSE.id, provider_usage: RAW },
    ]);
  });

  it('of a stream that is left counts what came, as an estimate', async () => {
    const { model, events } = await scene(async () => generated(), parts);
    const { stream } = await model.doStream({
      prompt: [{ role: 'user', content: [{ type: 'text', text: PROMPT }] }],
    });
    const reader = stream.getReader();
    for (let read = 0; read < 4; read += 1) await reader.read();
    await reader.cancel();
    const [event] = await events();
    expect(event).toMatchObject({
      status: 'cancelled',
      usage: { output_tokens: 2, estimated: true },
    });
    expect(event?.usage?.input_tokens).toBeGreaterThan(5);
  });
});

describe('the middleware for version 5 of the AI SDK, whose counts are those of the provider', () => {
  const GEMINI = {
    ...{ promptTokenCount: 100, candidatesTokenCount: 400, thoughtsTokenCount: 300 },
    ...{ cachedContentTokenCount: 40, totalTokenCount: 800 },
  };
  const gemini = { inputTokens: 100, outputTokens: 400, reasoningTokens: 300, totalTokens: 800 };
  const claude = { inputTokens: 2000, outputTokens: 50, totalTokens: 2050 };

  it.each<[string, { of: string; id: string; usage: object; metadata?: object }, object]>([
    [
      'the thoughts of Gemini, and its cache',
      {
        ...{ of: 'google.generative-ai', id: 'gemini-2.5-pro', usage: gemini },
        metadata: { google: { usageMetadata: GEMINI } },
      },
      {
        usage: {
          ...{ input_tokens: 100, cache_read_tokens: 40 },
          ...{ output_tokens: 700, reasoning_tokens: 300 },
        },
      },
    ],
    [
      'those of Vertex AI',
      {
        ...{ of: 'google.vertex.chat', id: 'gemini-2.5-pro', usage: gemini },
        metadata: { vertex: { usageMetadata: GEMINI } },
      },
      {
        usage: {
          ...{ input_tokens: 100, cache_read_tokens: 40 },
          ...{ output_tokens: 700, reasoning_tokens: 300 },
        },
      },
    ],
    [
      'the cache of Bedrock, read and written',
      {
        ...{ of: 'amazon-bedrock', id: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
        usage: { ...claude, cachedInputTokens: 1167, totalTokens: 3717 },
        metadata: { bedrock: { usage: { cacheWriteInputTokens: 500 } } },
      },
      {
        usage: {
          ...{ input_tokens: 3667, cache_read_tokens: 1167, cache_write_tokens: 500 },
          output_tokens: 50,
        },
      },
    ],
    [
      // Its total leaves out what was cached.
      'the cache of Bedrock beside a total of the SDK',
      {
        ...{ of: 'amazon-bedrock', id: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
        usage: { ...claude, cachedInputTokens: 1167 },
        metadata: { bedrock: { usage: { cacheWriteInputTokens: 500 } } },
      },
      {
        usage: {
          ...{ input_tokens: 3667, cache_read_tokens: 1167, cache_write_tokens: 500 },
          output_tokens: 50,
        },
      },
    ],
    [
      'a call of Bedrock that cached nothing',
      {
        ...{ of: 'amazon-bedrock', id: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
        usage: { ...claude, cachedInputTokens: 0 },
      },
      { usage: { input_tokens: 2000, output_tokens: 50 } },
    ],
    [
      'the cache that Bedrock read, where its metadata has no write',
      {
        ...{ of: 'amazon-bedrock', id: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
        usage: { ...claude, cachedInputTokens: 1167 },
        metadata: { bedrock: {} },
      },
      { usage: { input_tokens: 3167, cache_read_tokens: 1167, output_tokens: 50 } },
    ],
    [
      'the cache that Bedrock read, without its metadata',
      {
        ...{ of: 'amazon-bedrock', id: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
        usage: { ...claude, cachedInputTokens: 1167 },
      },
      {
        usage: { input_tokens: 3167, cache_read_tokens: 1167, output_tokens: 50 },
        // What was written to the cache is told by nothing.
        assumed: true,
      },
    ],
    [
      'what Anthropic read from its cache in a stream',
      {
        ...{ of: 'anthropic.messages', id: 'claude-sonnet-4-5' },
        usage: { ...claude, cachedInputTokens: 1167 },
      },
      {
        usage: { input_tokens: 3167, cache_read_tokens: 1167, output_tokens: 50 },
        // What was written to the cache is told by nothing.
        assumed: true,
      },
    ],
    [
      'what OpenAI counts within its totals',
      {
        ...{ of: 'openai.responses', id: 'gpt-5' },
        usage: { ...claude, cachedInputTokens: 1167, reasoningTokens: 30 },
      },
      {
        usage: {
          ...{ input_tokens: 2000, cache_read_tokens: 1167 },
          ...{ output_tokens: 50, reasoning_tokens: 30 },
        },
      },
    ],
  ])('records %s', async (_, { of, id, usage: counted, metadata }, expected) => {
    const { usage, events } = await collectEvents();
    const { wrapGenerate } = usageMiddleware(usage, { specificationVersion: 'v2' });
    const model = { provider: of, modelId: id };
    const result = { usage: counted, content: [], providerMetadata: metadata, response: RESPONSE };
    await wrapGenerate({ model, params: {}, doGenerate: async () => result });
    const [event] = await events();
    const { provider, provider_usage, requested_model } = event as NativeEvent;
    const read = readProviderUsage({ usage: provider_usage, provider, model: requested_model });
    expect(read).toMatchObject({ assumed: false, ...expected });
  });
});

it('a result that cannot be read is handed on, and told', async () => {
  const { usage, events, unmetered } = await collectEvents();
  const result = Object.defineProperty({ content: [] }, 'usage', {
    get() {
      throw new Error('not for you');
    },
  });
  const model = { provider: 'anthropic.messages', modelId: 'claude-sonnet-9' };
  const call = { params: {}, model, doGenerate: async () => result };
  expect(await usageMiddleware(usage).wrapGenerate(call)).toBe(result);
  expect(await events()).toEqual([]);
  expect(unmetered).toEqual([{ reason: 'the metering failed: Error: not for you', event: null }]);
});
