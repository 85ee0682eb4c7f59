import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ReadItem } from '../../src/events/item.ts';
import { readBody } from '../../src/events/read-body.ts';
import { nativeEvent } from '../support/ledger.ts';
import { packBody } from '../support/queue.ts';

function read(body: string, attributes: Readonly<Record<string, string>> = {}) {
  const receivedAt = Date.parse('2026-10-20T12:00:00Z');
  return readBody(body, { receivedAt, litellmKey: null, attributes });
}

/** One line an item: the event's id, or why it was refused. */
function told(items: readonly ReadItem[]): readonly string[] {
  return items.map((item) => {
    if (item.kind === 'event') return item.event.eventId;
    return item.kind === 'empty' ? `empty: ${item.reason}` : `${item.reason}: ${item.detail}`;
  });
}

const ids = (...names: readonly string[]) => names.map((event_id) => nativeEvent({ event_id }));

describe('a body', () => {
  it('is one event', () => {
    expect(told(read(JSON.stringify(nativeEvent())))).toEqual(['evt-1']);
  });

  it('is an array of events', () => {
    expect(told(read(JSON.stringify(ids('a', 'b'))))).toEqual(['a', 'b']);
  });

  it.each(['plain', 'gzip', 'zstd'] as const)(
    'is a %s pack of events, in their order',
    (encoding) => {
      expect(told(read(packBody(ids('a', 'b', 'c'), encoding)))).toEqual(['a', 'b', 'c']);
    },
  );

  it('is an SNS notification around any of these', () => {
    const Message = packBody(ids('a'), 'gzip');
    expect(told(read(JSON.stringify({ Type: 'Notification', Message })))).toEqual(['a']);
  });

  it('is a pack of nothing, which is counted as empty', () => {
    expect(told(read(packBody([])))).toEqual(['empty: the message holds no events']);
  });
});

describe('in a pack', () => {
  it('each event stands alone', () => {
    const events = [...ids('a'), { ...nativeEvent(), event_id: 5 }, 'noise', null, ...ids('b')];
    const [a, number, noise, nothing, b] = told(read(packBody(events, 'zstd')));
    expect([a, b]).toEqual(['a', 'b']);
    expect(number).toMatch(/^invalid_field: event_id: a number \(5\)/);
    expect(noise).toMatch(/^unknown_format: the event is ".*xxxxx.*", not an object/);
    expect(nothing).toMatch(/^unknown_format: /);
  });

  it('a refused event is kept as its own JSON, which can be read again alone', () => {
    const bad = nativeEvent({ event_id: 'bad', attempt: 0 });
    const [, item] = read(packBody([...ids('a'), bad], 'gzip'));
    if (item?.kind !== 'refused') throw new Error('the event was expected to be refused');
    expect(JSON.parse(item.body())).toEqual(bad);
    expect(item).toMatchObject({ eventId: 'bad', source: null });
  });
});

describe('a body that cannot be read', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['text', 'hello', /^not_json: the body is not JSON: it begins "xxxxx"/],
    ['nothing', '', /^not_json/],
    ['half a document', '{"event_id":', /^not_json/],
    ['a number', '42', /^unknown_format: the body is JSON, but not an object/],
    ['null', 'null', /^unknown_format/],
    ['an object of another kind', '{"a":1}', /^unknown_format: the object has none of event_id/],
    [
      'an encoding that is not read',
      '{"encoding":"br","events":""}',
      /^invalid_field: encoding: "br"/,
    ],
    ['an encoding that is no text', '{"encoding":7,"events":""}', /^invalid_field: encoding: 7/],
    [
      'a pack that is no text',
      '{"encoding":"gzip","events":7}',
      /^invalid_field: events: is not a base64/,
    ],
    [
      'a pack that is not compressed',
      '{"encoding":"zstd","events":"aGVsbG8="}',
      /^invalid_field: events: is not the base64 of zstd/,
    ],
    [
      'a pack of no array',
      packOfText('{}'),
      /^invalid_field: events: does not unfold to a JSON array/,
    ],
    ['a pack of no JSON', packOfText('hello'), /^invalid_field: events: does not unfold/],
    [
      'a pack nested too deep',
      packOfText('['.repeat(100) + ']'.repeat(100)),
      /^invalid_field: the body is nested more than 64 deep/,
    ],
  ];

  it.each(refused)('%s is refused as a whole', (_, body, told_) => {
    const items = read(body);
    expect(told(items)).toEqual([expect.stringMatching(told_)]);
    expect(items[0]?.body()).toBe(body);
  });

  it('as protobuf is refused with what it was', () => {
    const [item] = read('!!!', { 'Content-Type': 'application/x-protobuf' });
    expect(item).toMatchObject({ kind: 'refused', reason: 'unknown_format' });
  });

  it('keeps of an id only what can be stored', () => {
    const long = JSON.stringify(nativeEvent({ event_id: 'x'.repeat(500), source: '\ud800' }));
    expect(read(long)[0]).toMatchObject({ eventId: 'x'.repeat(200), source: null });
  });

  it('never takes its words into the refusal whole', () => {
    for (const item of read('x'.repeat(1_000_000))) {
      if (item.kind === 'refused') expect(item.detail.length).toBeLessThan(200);
    }
  });
});

function packOfText(text: string): string {
  return JSON.stringify({ encoding: 'gzip', events: gzipSync(text).toString('base64') });
}

describe('a second report within a message', () => {
  const span = (spanId: string, parentSpanId: string | undefined, ended: string) => ({
    ...{ traceId: '0000000000000000000000000000000a', spanId, parentSpanId, name: 'chat' },
    ...{ startTimeUnixNano: '1792065598000000000', endTimeUnixNano: ended },
    attributes: {
      ...{ tenant_id: 'acme', 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' },
      ...{ 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 },
    },
  });

  it('names what it repeats, also where that is refused and waits', () => {
    // The inner span is of a day that has not come.
    const spans = [
      span('00000000000000a1', undefined, '1792065600000000000'),
      span('00000000000000a2', '00000000000000a1', '1793065600000000000'),
    ];
    const items = read(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
    expect(items).toMatchObject([
      {
        kind: 'event',
        repeats: {
          ...{ tenantId: 'acme', source: 'otlp', because: 'nested' },
          eventId: '0000000000000000000000000000000a:00000000000000a2',
        },
      },
      { kind: 'refused', reason: 'occurred_in_future' },
    ]);
  });
});

describe('a result of a batch', () => {
  it('that names no model anywhere says who can name it, and keeps no text of the call', () => {
    const line = {
      ...{ recordId: 'rec-1', modelInput: { prompt: 'secret' } },
      modelOutput: { usage: { inputTokens: 20, outputTokens: 6 }, output: { text: 'secret' } },
    };
    const [item] = read(JSON.stringify(line));
    expect(told(item === undefined ? [] : [item])).toEqual([
      'not_understood: requested_model: neither the result "rec-1" of bedrock_batch nor its answer names a model; send the line again with "modelId" beside its other fields, or keep the results of the job under a key with model=<the model\'s id>/ in it, and dismiss this event',
    ]);
    expect(item?.kind === 'refused' ? item.body() : 'secret').not.toContain('secret');
  });

  it('is a call of its own in each job of Bedrock, and the same however often it comes', () => {
    const line = (text: string) => ({
      ...{ recordId: 'CALL0000001', modelId: 'amazon.nova-lite-v1:0', modelInput: {} },
      modelOutput: { usage: { inputTokens: 20, outputTokens: 6 }, output: { text } },
    });
    const ids = [line('one'), line('another'), line('one')].flatMap((each) =>
      told(read(JSON.stringify(each))),
    );
    expect(ids[0]).toMatch(/^[0-9a-f]{32}:CALL0000001$/);
    expect(ids[1]).not.toBe(ids[0]);
    expect(ids[2]).toBe(ids[0]);
  });
});
