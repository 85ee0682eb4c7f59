import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { meterClient } from '../../../src/client/calls/meter-client.ts';
import { meterFetch } from '../../../src/client/calls/meter-fetch.ts';
import type { MeterOptions } from '../../../src/client/calls/meter-options.ts';
import { withUsage } from '../../../src/client/usage-scope.ts';
import { collectEvents } from '../../support/event-collector.ts';
import {
  CHAT_USAGE,
  chatAnswer,
  chatStream,
  messageAnswer,
  messageStream,
  RESPONSE_USAGE,
  responseAnswer,
  responseStream,
} from '../../support/provider-answers.ts';
import type { ProviderAnswer } from '../../support/provider-double.ts';
import { openProvider } from '../../support/provider-double.ts';

const AT = Date.UTC(2026, 9, 15, 12);

async function scene(
  answer: (path: string, nth: number) => ProviderAnswer,
  options: MeterOptions = {},
) {
  const provider = await openProvider(answer);
  const collected = await collectEvents({ clock: () => AT });
  const of = { baseURL: `${provider.url}/v1`, apiKey: 'sk-test', maxRetries: 2 };
  const plain = new OpenAI(of);
  const openai = meterClient(plain, collected.usage, { provider: 'openai', ...options });
  const claude = new Anthropic({ ...of, baseURL: provider.url });
  const anthropic = meterClient(claude, collected.usage, { provider: 'anthropic', ...options });
  return { ...collected, provider, plain, openai, anthropic };
}

const CHAT = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'what is the weather' }],
};
const MESSAGE = { ...CHAT, model: 'claude-sonnet-9', max_tokens: 100 };

describe('the client of openai, metered', () => {
  it('gives the application the same answer, and the ledger its counts, its tags and no text', async () => {
    const { openai, events, unmetered } = await scene(() => ({ body: chatAnswer() }));
    const answer = await withUsage({ tenantId: 'acme', userId: 'ann', feature: 'search' }, () =>
      openai.chat.completions.create(CHAT),
    );
    expect(answer).toEqual(chatAnswer());
    expect(await events()).toEqual([
      {
        event_id: 'openai:chat:chatcmpl-BnTr8zZ2kQf0aLw5sXyV',
        ...{ occurred_at: '2026-10-15T12:00:00.000Z', started_at: '2026-10-15T12:00:00.000Z' },
        ...{ status: 'ok', operation: 'chat', provider: 'openai', attempt: 1 },
        ...{ requested_model: 'gpt-4o', executed_model: 'gpt-4o-2024-08-06' },
        response_id: 'chatcmpl-BnTr8zZ2kQf0aLw5sXyV',
        provider_usage: CHAT_USAGE,
        layers: { prompt: 1200, tool: 0, memory: 0, response: 300 },
        ...{ tenant_id: 'acme', user_id: 'ann', feature: 'search' },
      },
    ]);
    expect(unmetered).toEqual([]);
  });

  it('is not waited for: the answer is there before the event is, and status has caught up with it', async () => {
    const { usage } = await collectEvents();
    const weighed: string[] = [];
    const isMemory = () => weighed.push('weighed') > 0;
    const metered = meterFetch(usage, { isMemory }, async () => Response.json(chatAnswer()));
    const init = { method: 'POST', body: JSON.stringify(CHAT) };
    const url = 'https://api.openai.com/v1/chat/completions';
    expect(await (await metered(url, init)).json()).toEqual(chatAnswer());
    expect(weighed).toEqual([]);
    expect(usage.status().accepted).toBe(1);
    expect(weighed).toEqual(['weighed']);
  });

  it('streams what the application would have seen, and asks for the usage without it', async () => {
    const asksFor = ({ body }: { readonly body: unknown }) =>
      (body as { stream_options?: unknown }).stream_options;
    const { openai, plain, provider, events } = await scene((_, nth) => ({
      pieces: chatStream(nth === 2),
    }));
    const seen = [];
    for (const client of [plain, openai]) {
      const stream = await client.chat.completions.create({ ...CHAT, stream: true });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      seen.push(chunks);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(provider.requests.map(asksFor)).toEqual([undefined, { include_usage: true }]);
    const [event] = await events();
    expect(event).toMatchObject({ status: 'ok', provider_usage: CHAT_USAGE });
  });

  it('leaves the usage to an application that asks for it itself', async () => {
    const { openai, provider, events } = await scene(() => ({ pieces: chatStream(true) }));
    const stream_options = { include_usage: true, include_obfuscation: false };
    const stream = await openai.chat.completions.create({ ...CHAT, stream: true, stream_options });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: CHAT_USAGE });
    expect(provider.requests[0]?.body).toMatchObject({ stream_options });
    expect(await events()).toMatchObject([{ provider_usage: CHAT_USAGE }]);
  });

  it('records by every helper of the package, and the raw response too', async () => {
    const { openai, events } = await scene((_, nth) =>
      nth === 1 ? { pieces: chatStream(true) } : { body: chatAnswer() },
    );
    const streamed = openai.chat.completions.stream(CHAT);
    expect(await streamed.finalContent()).toBe('sunny ☀️ and so on');
    await openai.chat.completions.parse(CHAT);
    const { data, response } = await openai.chat.completions.create(CHAT).withResponse();
    expect([data, response.headers.get('x-request-id')]).toEqual([chatAnswer(), 'req_3']);
    const raw = await openai.chat.completions.create(CHAT).asResponse();
    expect(await raw.json()).toEqual(chatAnswer());
    const found = await events();
    expect(found.map(({ provider_usage: usage }) => usage)).toEqual(Array(4).fill(CHAT_USAGE));
    expect(new Set(found.map(({ event_id: id }) => id)).size).toBe(1);
  });

  it('records each try, and the one that answers with its number', async () => {
    const { openai, events } = await scene((_, nth) =>
      nth === 1
        ? {
            ...{ status: 429, headers: { 'retry-after-ms': '1' } },
            body: {
              error: { message: 'slow down, Ann', type: 'requests', code: 'rate_limit_exceeded' },
            },
          }
        : { body: chatAnswer() },
    );
    await openai.chat.completions.create(CHAT);
    const found = await events();
    expect(found).toMatchObject([
      {
        status: 'error',
        error_type: 'http_429',
        attempt: 1,
        event_id: 'openai:chat:req_1',
      },
      { status: 'ok', attempt: 2, provider_usage: CHAT_USAGE },
    ]);
    expect(JSON.stringify(found)).not.toContain('Ann');
  });

  it('records what fails as failed and free, and the application sees its error', async () => {
    const body = { error: { message: 'no such model', type: 'invalid_request_error', code: null } };
    const { openai, events } = await scene(() => ({ status: 404, body }));
    await expect(openai.chat.completions.create(CHAT)).rejects.toThrow('no such model');
    const [event] = await events();
    expect(event).toMatchObject({ status: 'error', error_type: 'invalid_request_error' });
    expect(event).not.toHaveProperty('usage');
  });

  it.each([
    ['the application stops reading', 'hang', 'cancelled'],
    ['the connection breaks', 'break', 'error'],
  ] as const)(
    'of a stream of which %s counts what came, as an estimate',
    async (_, ending, status) => {
      const words = ['a word ', 'and more', '!'];
      const pieces = chatStream(false, words).slice(0, 3);
      const { openai, events } = await scene(() => ({ pieces, ending }));
      const stream = await openai.chat.completions.create({ ...CHAT, stream: true });
      let left = 3;
      try {
        for await (const _ of stream) {
          left -= 1;
          if (left === 0 && ending === 'hang') break;
        }
      } catch (error) {
        expect(ending).toBe('break');
        expect(error).toBeInstanceOf(Error);
      }
      // 16 characters of the answer; roleuser, content and the question are 34
      expect(await events()).toMatchObject([
        { status, usage: { input_tokens: 9, output_tokens: 4, estimated: true } },
      ]);
    },
  );

  it('of a request that is aborted before its answer is cancelled and used nothing', async () => {
    const { openai, events } = await scene(() => ({ pieces: [], ending: 'hang' }));
    const options = { signal: AbortSignal.timeout(100) };
    const call = openai.chat.completions.create(CHAT, options);
    await expect(call).rejects.toThrow();
    const [event] = await events();
    expect(event).toMatchObject({ requested_model: 'gpt-4o' });
    expect(['cancelled', 'error']).toContain(event?.status);
    expect(event).not.toHaveProperty('usage');
  });

  it('reads responses: searches, tier and reasoning, streamed too', async () => {
    const { openai, events } = await scene((_, nth) =>
      nth === 1 ? { body: responseAnswer() } : { pieces: responseStream() },
    );
    const request = { model: 'gpt-5', input: 'what is the weather' };
    await openai.responses.create(request);
    for await (const _ of await openai.responses.create({ ...request, stream: true }));
    const found = await events();
    const expected = {
      ...{ operation: 'chat', requested_model: 'gpt-5', executed_model: 'gpt-5-2025-08-07' },
      ...{ response_id: 'resp_68af4030592c81938ec0a5fbab4a3e9f', service_tier: 'flex' },
      provider_usage: { ...RESPONSE_USAGE, web_search_requests: 1 },
      layers: { prompt: 900, tool: 0, memory: 0, response: 80 },
    };
    expect(found).toMatchObject([expected, expected]);
  });

  it('records what runs in the background once, when it is done, as whoever began it', async () => {
    const background = { background: true };
    const { openai, events } = await scene((_, nth) => ({
      body: responseAnswer(
        nth < 3
          ? {
              ...background,
              status: nth === 1 ? 'queued' : 'in_progress',
              usage: null,
              completed_at: null,
            }
          : background,
      ),
    }));
    const { id } = await withUsage({ tenantId: 'acme' }, () =>
      openai.responses.create({ model: 'gpt-5', input: 'think', background: true }),
    );
    for (const _ of [1, 2, 3]) await openai.responses.retrieve(id);
    expect(await events()).toMatchObject([
      {
        ...{ event_id: `openai:chat:${id}`, tenant_id: 'acme', status: 'ok' },
        ...{ started_at: '2025-10-09T08:53:20.000Z', occurred_at: '2025-10-09T08:54:02.000Z' },
      },
    ]);
  });

  it('counts embeddings, pictures, speech and what is heard', async () => {
    const { openai, events, unmetered } = await scene((path) => {
      if (path.endsWith('/embeddings')) {
        const data = Array.from({ length: 200 }, (_, index) => ({
          index,
          embedding: Array(1536).fill(0.123456789),
        }));
        const usage = { prompt_tokens: 8, total_tokens: 8 };
        return { body: { object: 'list', data, model: 'text-embedding-3-small', usage } };
      }
      if (path.endsWith('/generations')) {
        return {
          body: { created: 1, data: [{ url: 'https://x.test/1' }, { url: 'https://x.test/2' }] },
        };
      }
      if (path.endsWith('/edits')) {
        const details = { text_tokens: 10, image_tokens: 40 };
        const usage = {
          input_tokens: 50,
          output_tokens: 1056,
          total_tokens: 1106,
          input_tokens_details: details,
        };
        return { body: { created: 1, data: [{ b64_json: 'A'.repeat(2_000_000) }], usage } };
      }
      if (path.endsWith('/speech')) {
        return { body: new Uint8Array(1000), headers: { 'content-type': 'audio/mpeg' } };
      }
      return { body: { text: 'hello', usage: { type: 'duration', seconds: 9 } } };
    });
    await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'a' });
    await openai.images.generate({ model: 'dall-e-3', prompt: 'a cat', n: 2 });
    const file = new File([new Uint8Array(10)], 'a.wav');
    await openai.images.edit({ model: 'gpt-image-1', image: file, prompt: 'a dog' });
    const spoken = await openai.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input: 'hello you',
    });
    expect((await spoken.arrayBuffer()).byteLength).toBe(1000);
    await openai.audio.transcriptions.create({ model: 'whisper-1', file });
    expect(unmetered).toEqual([]);
    // An answer that is a stream is metered at its end, which may come after the next call.
    const nameOf = (event: { operation?: unknown; requested_model?: unknown }) =>
      `${event.operation} ${event.requested_model}`;
    const metered = (await events()).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    expect(metered).toMatchObject([
      { operation: 'embeddings', provider_usage: { prompt_tokens: 8 } },
      { operation: 'image', requested_model: 'dall-e-3', usage: { images: 2 } },
      {
        operation: 'image',
        requested_model: 'gpt-image-1',
        provider_usage: { output_tokens: 1056 },
      },
      { operation: 'speech', requested_model: 'tts-1', usage: { characters: 9 } },
      { operation: 'transcription', provider_usage: { type: 'duration', seconds: 9 } },
    ]);
  });

  it('reads the results of a batch, each call with the tags that the application knows', async () => {
    const line = (custom: string) => ({
      ...{ id: `batch_req_${custom}`, custom_id: custom, error: null },
      response: {
        status_code: 200,
        request_id: 'r',
        body: chatAnswer({ id: `chatcmpl-of-the-batch-${custom}` }),
      },
    });
    const content = ['ann', 'bob'].map((custom) => `${JSON.stringify(line(custom))}\n`).join('');
    const { openai, events } = await scene(() => ({ body: content }), {
      tagsOfBatchCall: (customId) => ({ tenantId: 'acme', userId: customId }),
    });
    const file = await openai.files.content('file-1');
    expect(await file.text()).toBe(content);
    expect(await events()).toMatchObject(
      ['ann', 'bob'].map((custom) => ({
        ...{ event_id: `batch_req_${custom}:${custom}`, service_tier: 'batch', user_id: custom },
        ...{ occurred_at: '2025-10-09T08:53:20.000Z', tags: { custom_id: custom } },
        usage: { input_tokens: 1200, output_tokens: 300, cache_read_tokens: 400 },
      })),
    );
  });

  it('reads pictures in the results of a batch by the model that the application knows', async () => {
    const line = (custom: string, body: object) => ({
      ...{ id: `batch_req_${custom}`, custom_id: custom, error: null },
      response: { status_code: 200, request_id: 'r', body: { created: 1_760_000_000, ...body } },
    });
    const usage = { input_tokens: 20, output_tokens: 1056, total_tokens: 1076 };
    const lines = [
      line('by-token', { data: [{ b64_json: 'A' }], usage }),
      line('by-picture', { data: [{ url: 'a' }, { url: 'b' }] }),
      line('named', { data: [{ url: 'a' }], model: 'dall-e-2' }),
      line('unknown', { data: [{ url: 'a' }] }),
    ];
    const content = lines.map((one) => `${JSON.stringify(one)}\n`).join('');
    const { openai, events, unmetered } = await scene(() => ({ body: content }), {
      modelOfBatchCall: (customId) =>
        ({ 'by-token': 'gpt-image-1', 'by-picture': 'dall-e-3', named: 'dall-e-3' })[customId],
    });
    expect(await (await openai.files.content('file-1')).text()).toBe(content);
    expect(await events()).toMatchObject([
      {
        ...{ operation: 'image', requested_model: 'gpt-image-1', service_tier: 'batch' },
        usage: { input_tokens: 20, output_tokens: 1056 },
      },
      { operation: 'image', requested_model: 'dall-e-3', usage: { images: 2 } },
      { operation: 'image', requested_model: 'dall-e-2', usage: { images: 1 } },
    ]);
    expect(unmetered).toMatchObject([{ reason: expect.stringContaining('requested_model') }]);
  });

  it('meters nothing of what is free, and a file that is no batch', async () => {
    const { openai, events } = await scene((path) =>
      path.endsWith('/content')
        ? { body: 'a,b\n1,2\n' }
        : { body: { id: 'm', data: [], results: [] } },
    );
    await openai.models.list();
    await openai.moderations.create({ input: 'a' });
    await (await openai.files.content('file-2')).text();
    expect(await events()).toEqual([]);
  });
});

describe('the client of Anthropic, metered', () => {
  it('counts the cache beside the input, tools and searches, streamed too', async () => {
    const { anthropic, events } = await scene((_, nth) =>
      nth === 1 ? { body: messageAnswer() } : { pieces: messageStream() },
    );
    const tools = [{ name: 'weather', input_schema: { type: 'object' as const } }];
    const answer = await anthropic.messages.create({ ...MESSAGE, tools });
    expect(answer).toMatchObject(messageAnswer());
    const stream = anthropic.messages.stream(MESSAGE);
    expect(await stream.finalText()).toBe('sunny ☀️');
    const [whole, streamed] = await events();
    expect(whole).toMatchObject({
      ...{ event_id: 'anthropic:chat:msg_01XFDUDYJgAACzvnptvVoYEL', provider: 'anthropic' },
      provider_usage: {
        input_tokens: 10,
        output_tokens: 50,
        server_tool_use: { web_search_requests: 2 },
      },
    });
    expect(whole?.layers?.tool).toBeGreaterThan(0);
    expect(streamed).toMatchObject({
      provider_usage: { input_tokens: 10, cache_read_input_tokens: 1000, output_tokens: 50 },
      layers: { prompt: 1210, response: 50 },
    });
  });

  it('of a stream that the application leaves keeps the input that was reported', async () => {
    const pieces = messageStream().slice(0, 5);
    const { anthropic, events } = await scene(() => ({ pieces, ending: 'hang' }));
    for await (const event of await anthropic.messages.create({ ...MESSAGE, stream: true })) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
        if (event.delta.text === 'ny') break;
      }
    }
    expect(await events()).toMatchObject([
      {
        status: 'cancelled',
        usage: {
          input_tokens: 1210,
          cache_read_tokens: 1000,
          cache_write_tokens: 200,
          output_tokens: 2,
          estimated: true,
        },
      },
    ]);
  });

  it('of a stream that fails within says so', async () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const failing = `event: error\ndata: ${JSON.stringify(error)}\n\n`;
    const { anthropic, events } = await scene(() => ({
      pieces: [...messageStream().slice(0, 4), failing],
    }));
    const reading = anthropic.messages.stream(MESSAGE).finalText();
    await expect(reading).rejects.toThrow();
    expect(await events()).toMatchObject([
      {
        status: 'error',
        error_type: 'overloaded_error',
        usage: { input_tokens: 1210, estimated: true },
      },
    ]);
  });

  it('reads the results of a batch at the instant when it ended, whenever that is', async () => {
    const result = { type: 'succeeded', message: messageAnswer() };
    const { anthropic, events, provider } = await scene((path) =>
      path.endsWith('/results')
        ? {
            body: `${JSON.stringify({ custom_id: 'ann', result })}\n`,
            headers: { 'content-type': 'application/x-jsonl' },
          }
        : {
            body: {
              ...{ id: 'msgbatch_1', type: 'message_batch', processing_status: 'ended' },
              ...{
                ended_at: '2026-10-14T09:00:00Z',
                results_url: `${provider.url}/v1/messages/batches/msgbatch_1/results`,
              },
            },
          },
    );
    for (const _ of [1, 2])
      for await (const _ of await anthropic.messages.batches.results('msgbatch_1'));
    const [first, again] = await events();
    expect(first).toMatchObject({
      ...{ occurred_at: '2026-10-14T09:00:00Z', service_tier: 'batch', provider: 'anthropic' },
      usage: { input_tokens: 1210, cache_read_tokens: 1000, output_tokens: 50, searches: 2 },
    });
    expect(again).toEqual(first);
  });
});
