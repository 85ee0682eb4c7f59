import { describe, expect, it } from 'vitest';
import { meterFetch } from '../../../src/client/calls/meter-fetch.ts';
import { collectEvents } from '../../support/event-collector.ts';
import {
  CHAT_USAGE,
  chatAnswer,
  chatStream,
  responseAnswer,
} from '../../support/provider-answers.ts';

const CHATS = 'https://api.mistral.ai/v1/chat/completions';
const CHAT = JSON.stringify({ model: 'mistral-large-latest', messages: [] });
const STREAM = JSON.stringify({ model: 'mistral-large-latest', stream: true, messages: [] });
const BYTES = new TextEncoder().encode(CHAT);

/** Sends one request through the metered fetch, and tells what went out and what was recorded. */
async function send(
  input: string | Request,
  init: RequestInit | undefined,
  answer: () => Response = () => Response.json(chatAnswer({ model: 'mistral-large-2411' })),
) {
  const { usage, events, unmetered } = await collectEvents();
  const sent: string[] = [];
  const types: (string | null)[] = [];
  const metered = meterFetch(usage, {}, async (...of) => {
    const request = new Request(...of);
    types.push(request.headers.get('content-type'));
    sent.push(await request.text());
    return answer();
  });
  const seen = await (await metered(input, init)).text();
  return { sent, types, seen, unmetered, event: (await events())[0] };
}

const streamed = () =>
  new Response(chatStream(true).join(''), { headers: { 'content-type': 'text/event-stream' } });

describe('the model that a request asks for', () => {
  it.each<[string, string | Request, RequestInit | undefined]>([
    ['a text', CHATS, { method: 'POST', body: CHAT }],
    ['a request', new Request(CHATS, { method: 'POST', body: CHAT }), undefined],
    ['a request beside a body', new Request(CHATS, { method: 'POST', body: '{}' }), { body: CHAT }],
    ['bytes', CHATS, { method: 'POST', body: BYTES }],
    ['a buffer', CHATS, { method: 'POST', body: BYTES.buffer }],
    ['a blob', CHATS, { method: 'POST', body: new Blob([BYTES]) }],
  ])('is that of %s, which is sent as it is', async (_, input, init) => {
    const { sent, event, unmetered } = await send(input, init);
    expect(sent).toEqual([CHAT]);
    expect(event).toMatchObject({
      ...{ requested_model: 'mistral-large-latest', executed_model: 'mistral-large-2411' },
      provider_usage: CHAT_USAGE,
    });
    expect(unmetered).toEqual([]);
  });

  it('is that of a form in a request', async () => {
    const form = new FormData();
    form.set('model', 'whisper-1');
    form.set('file', new Blob(['sound']), 'a.wav');
    const url = 'https://api.openai.com/v1/audio/transcriptions';
    const answer = () => Response.json({ text: 'hello', usage: { type: 'duration', seconds: 3 } });
    const { sent, event } = await send(
      new Request(url, { method: 'POST', body: form }),
      undefined,
      answer,
    );
    expect(sent[0]).toContain('sound');
    expect(event).toMatchObject({ operation: 'transcription', requested_model: 'whisper-1' });
  });

  it('is not looked for in a stream, which goes on as it is', async () => {
    const body = new Blob([BYTES]).stream();
    const { sent, event } = await send(CHATS, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit);
    expect(sent).toEqual([CHAT]);
    expect(event).toMatchObject({ requested_model: 'mistral-large-2411' });
  });
});

describe('a stream that does not ask for its usage', () => {
  const bytes = new TextEncoder().encode(STREAM);
  const length = { 'content-length': String(bytes.length) };

  it.each<[string, string | Request, RequestInit | undefined]>([
    ['a request', new Request(CHATS, { method: 'POST', body: STREAM }), undefined],
    ['bytes', CHATS, { method: 'POST', body: bytes }],
    ['bytes of a length that is said', CHATS, { method: 'POST', body: bytes, headers: length }],
  ])('is made to ask in %s', async (_, input, init) => {
    const { sent, event } = await send(input, init, streamed);
    expect(JSON.parse(sent[0] ?? '')).toMatchObject({
      ...JSON.parse(STREAM),
      stream_options: { include_usage: true },
    });
    expect(event).toMatchObject({ provider_usage: CHAT_USAGE });
  });

  const json = 'application/json';
  const text = 'text/plain;charset=UTF-8';
  const ofBytes = () => new Request(CHATS, { method: 'POST', body: bytes });

  it.each<[string, string | null, string | Request, RequestInit | undefined]>([
    ['a text', text, CHATS, { method: 'POST', body: STREAM }],
    ['bytes', null, CHATS, { method: 'POST', body: bytes }],
    ['a buffer', null, CHATS, { method: 'POST', body: bytes.buffer }],
    ['a blob', json, CHATS, { method: 'POST', body: new Blob([bytes], { type: json }) }],
    ['a blob of no type', null, CHATS, { method: 'POST', body: new Blob([bytes]) }],
    ['a request of bytes', null, ofBytes(), undefined],
    ['a request of a text', text, new Request(CHATS, { method: 'POST', body: STREAM }), undefined],
    ['a request beside a text', text, ofBytes(), { body: STREAM }],
  ])('keeps the type of what is handed over as %s', async (_, type, input, init) => {
    const { sent, types } = await send(input, init, streamed);
    expect(JSON.parse(sent[0] ?? '')).toHaveProperty('stream_options');
    expect(types).toEqual([type]);
  });
});

it('a conversation that is compacted is a call', async () => {
  const url = 'https://api.openai.com/v1/responses/compact';
  const init = { method: 'POST', body: JSON.stringify({ model: 'gpt-5', input: [] }) };
  const { event } = await send(url, init, () => Response.json(responseAnswer()));
  expect(event).toMatchObject({ status: 'ok', operation: 'chat', requested_model: 'gpt-5' });
});

it('what is spoken is counted as a reader counts it', async () => {
  const url = 'https://api.openai.com/v1/audio/speech';
  const body = JSON.stringify({ model: 'tts-1', input: 'hé😀😀' });
  const answer = () => new Response('sound', { headers: { 'content-type': 'audio/mpeg' } });
  const { event } = await send(url, { method: 'POST', body }, answer);
  expect(event).toMatchObject({ operation: 'speech', usage: { characters: 4 } });
});

describe('the id of an answer that has none of its own', () => {
  const URL = 'https://gateway.example.com/v1/embeddings';
  const usage = { prompt_tokens: 8, total_tokens: 8 };
  const embed = async (asked: string, answered: string) => {
    const headers = { 'x-request-id': asked };
    const init = { method: 'POST', headers, body: JSON.stringify({ model: 'm', input: 'x' }) };
    const { event } = await send(URL, init, () =>
      Response.json({ data: [], usage }, { headers: { 'x-request-id': answered } }),
    );
    return event?.event_id;
  };

  it('is that of the request, as the provider names it', async () => {
    expect(await embed('the application', 'req-1')).toBe('call:embeddings:req-1');
  });

  it('is not what the application sent and a gateway handed back, which may be that of many', async () => {
    const ids = [await embed('app-1', 'app-1'), await embed('app-1', 'app-1')];
    expect(new Set(ids).size).toBe(2);
    expect(ids.join()).not.toContain('app-1');
  });
});

it('two long ids that differ at their end are two events', async () => {
  const idOf = async (end: string) => {
    const id = `${'a1b2'.repeat(48)}${end}`;
    const { event } = await send(CHATS, { method: 'POST', body: CHAT }, () =>
      Response.json(chatAnswer({ id })),
    );
    return event?.event_id ?? '';
  };
  const [first, second] = [await idOf('1'), await idOf('2')];
  expect(first).not.toBe(second);
  expect(await idOf('1')).toBe(first);
  expect([first.length, second.length]).toEqual([200, 200]);
});
