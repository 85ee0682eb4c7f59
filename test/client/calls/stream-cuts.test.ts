import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meterFetch } from '../../../src/client/calls/meter-fetch.ts';
import { StreamReading } from '../../../src/client/calls/stream-reading.ts';
import type { CallMeter, NewEvent } from '../../../src/client/client.ts';
import { readNativeEvent } from '../../../src/events/native-event.ts';
import { readProviderUsage } from '../../../src/events/provider-usage.ts';
import {
  chatAnswer,
  chatStream,
  messageAnswer,
  messageStream,
  responseAnswer,
  responseStream,
} from '../../support/provider-answers.ts';
import { ROOT } from '../../support/source-files.ts';

/** A meter that keeps what it is given, as the worker would read it. */
function keeping() {
  const events: NewEvent[] = [];
  const meter: CallMeter = {
    clock: () => Date.UTC(2026, 9, 15, 12),
    record: (event) => meter.meter(event),
    meter(event) {
      events.push(event);
      const native = { ...event, event_id: event.event_id ?? 'made-by-the-client' };
      const reading = readNativeEvent(JSON.parse(JSON.stringify(native)), meter.clock());
      if (reading.kind === 'refused') throw new Error(reading.detail);
      return { kind: 'accepted', eventId: reading.event.eventId, kept: 'memory' };
    },
    unmetered(call) {
      throw new Error(call.reason);
    },
    later: (work) => work(),
    afterwards: (record) => record(),
  };
  return { meter, events };
}

/** The bytes in pieces, cut at these places wherever they fall, in the middle of a character too. */
function cut(bytes: Uint8Array, places: readonly number[]): ReadableStream<Uint8Array> {
  const at = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  const pieces = [...at, bytes.length].map((end, nth) => bytes.slice(at[nth - 1] ?? 0, end));
  return ReadableStream.from(pieces.filter((piece) => piece.length > 0));
}

async function streamed(
  path: string,
  request: object,
  answer: { readonly bytes: Uint8Array; readonly places: readonly number[] },
) {
  const { meter, events } = keeping();
  const headers = { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' };
  const metered = meterFetch(
    meter,
    {},
    async () => new Response(cut(answer.bytes, answer.places), { headers }),
  );
  const body = JSON.stringify({ model: 'some-model', stream: true, ...request });
  const response = await metered(`https://api.openai.com/v1${path}`, { method: 'POST', body });
  return { seen: await response.text(), events };
}

const STREAMS = [
  ['a chat that asks for no usage', '/chat/completions', {}, chatStream(true), chatStream(false)],
  [
    ...['a chat that asks for its usage', '/chat/completions'],
    { stream_options: { include_usage: true } },
    ...[chatStream(true), chatStream(true)],
  ],
  ['responses', '/responses', {}, responseStream(), responseStream()],
  ['messages', '/messages', {}, messageStream(), messageStream()],
] as const;

describe.each(STREAMS)('%s', (_, path, request, sent, shown) => {
  const ends = fc.constantFrom('\n', '\r\n');

  it('is read the same and shown the same, wherever its bytes are cut', async () => {
    const [whole] = (
      await streamed(path as string, request as object, {
        bytes: new TextEncoder().encode((sent as readonly string[]).join('')),
        places: [],
      })
    ).events;
    expect(whole).toMatchObject({ status: 'ok', provider_usage: expect.anything() });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), ends, async (places, end) => {
        const written = (pieces: readonly string[]) => pieces.join('').replaceAll('\n', end);
        const bytes = new TextEncoder().encode(written(sent as readonly string[]));
        const { seen, events } = await streamed(path as string, request as object, {
          bytes,
          places,
        });
        expect(seen).toBe(written(shown as readonly string[]));
        expect(events).toEqual([whole]);
      }),
      { numRuns: 60 },
    );
  });

  it('is read the same a byte at a time', async () => {
    const bytes = new TextEncoder().encode((sent as readonly string[]).join(''));
    const places = Array.from(bytes, (_, place) => place);
    const { seen, events } = await streamed(path as string, request as object, { bytes, places });
    expect(seen).toBe((shown as readonly string[]).join(''));
    expect(events).toHaveLength(1);
  });
});

it('whatever a server sends as a stream, the application sees it all', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.boolean(), (pieces, hides) => {
      const stream = new StreamReading(hides);
      const seen = pieces.map((piece) => stream.take(piece)).join('') + stream.finish();
      expect(seen).toBe(pieces.join(''));
    }),
  );
});

it.each([
  ['no JSON at all', '<html>busy</html>'],
  ['an answer that is cut off', '{"id":"chatcmpl-1","usage":{"prompt_'],
  ['an answer of another kind', '["a"]'],
])('an answer that is %s fails no call, and is named as unmeasured', async (_, body) => {
  const { meter, events } = keeping();
  const headers = { 'content-type': 'application/json' };
  const metered = meterFetch(meter, {}, async () => new Response(body, { headers }));
  const init = { method: 'POST', body: JSON.stringify({ model: 'gpt-4o', messages: [] }) };
  const response = await metered('https://api.openai.com/v1/chat/completions', init);
  expect(await response.text()).toBe(body);
  expect(events).toMatchObject([{ status: 'ok', usage: {}, requested_model: 'gpt-4o' }]);
});

it('metering that fails fails no call, and is told', async () => {
  const told: string[] = [];
  const broken: CallMeter = {
    clock: () => 0,
    record: () => expect.fail('never asked'),
    meter() {
      throw new Error('broken');
    },
    unmetered: ({ reason }) => void told.push(reason),
    later: (work) => work(),
    afterwards: (record) => record(),
  };
  const metered = meterFetch(broken, {}, async () => Response.json(chatAnswer()));
  const init = { method: 'POST', body: '{"model":"gpt-4o"}' };
  const response = await metered('https://api.openai.com/v1/chat/completions', init);
  expect(await response.json()).toEqual(chatAnswer());
  expect(told).toEqual(['the metering failed: Error: broken']);
});

const RECORDED = join(ROOT, '../shared/data/real-llm-calls-usage.jsonl');
const SHAPES = {
  openai: { path: '/chat/completions', host: 'https://api.openai.com', answer: chatAnswer },
  responses: { path: '/responses', host: 'https://api.openai.com', answer: responseAnswer },
  anthropic: { path: '/messages', host: 'https://api.anthropic.com', answer: messageAnswer },
};

function shapeOf(provider: 'openai' | 'anthropic', usage: object) {
  if (provider === 'anthropic') return SHAPES.anthropic;
  return 'prompt_tokens' in usage ? SHAPES.openai : SHAPES.responses;
}

it.skipIf(!existsSync(RECORDED))(
  'recorded counts of providers arrive as the ledger reads them from the providers themselves',
  async () => {
    const { meter, events } = keeping();
    const lines = readFileSync(RECORDED, 'utf8').trim().split('\n');
    const expected: unknown[] = [];
    for (const { provider, usage, request_model: model } of lines.map((line) => JSON.parse(line))) {
      if (provider !== 'openai' && provider !== 'anthropic') continue;
      const { path, host, answer } = shapeOf(provider, usage);
      const body = answer({ usage, model: model ?? 'gpt-4o', output: [], id: undefined });
      const metered = meterFetch(meter, {}, async () => Response.json(body));
      await (
        await metered(`${host}/v1${path}`, {
          method: 'POST',
          body: JSON.stringify({ model: model ?? 'gpt-4o' }),
        })
      ).text();
      expected.push(readProviderUsage({ usage, provider, model: model ?? 'gpt-4o' }));
    }
    const read = events.map(({ provider, provider_usage: usage, requested_model: model }) =>
      readProviderUsage({ usage, provider, model }),
    );
    expect(read.length).toBeGreaterThan(400);
    expect(read).toEqual(expected);
  },
);
