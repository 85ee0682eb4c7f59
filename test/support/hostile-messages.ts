import { gzipSync, zstdCompressSync } from 'node:zlib';

/** A message of the queue that was made to end a worker, and what must become of it. */
export interface HostileMessage {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** The reason of its row in quarantine. */
  readonly reason: string;
  /** Rows that it leaves, at the most. Default 1. */
  readonly rows?: number;
}

/** As long as SQS lets a message be. */
const MIB = 1024 * 1024;

const EVENT = {
  event_id: 'x',
  occurred_at: '2026-10-20T12:00:00Z',
  status: 'ok',
  provider: 'openai',
  requested_model: 'gpt-4o',
  tenant_id: 'acme',
  usage: { input_tokens: 10, output_tokens: 1 },
};

const PROTOBUF = { 'Content-Type': 'application/x-protobuf' };

/** Makes one of each kind of attack on a worker's memory or time. */
export function hostileMessages(): Readonly<Record<string, HostileMessage>> {
  return {
    'a megabyte of zeros': { body: filled('[', '0', ']'), reason: 'too_large' },
    'a megabyte of empty objects': { body: filled('[', '{}', ']'), reason: 'too_large' },
    'a megabyte of lists in lists': {
      body: filled('[', `[${'{},'.repeat(9_000)}{}]`, ']'),
      reason: 'too_large',
    },
    'a megabyte of opened lists': { body: '['.repeat(MIB), reason: 'invalid_field' },
    'a megabyte of lists, closed again': {
      body: '['.repeat(MIB / 2) + ']'.repeat(MIB / 2),
      reason: 'invalid_field',
    },
    'a megabyte of quotes': { body: '"'.repeat(MIB), reason: 'not_json' },
    'a megabyte of lines': { body: filled('{}\n', '{}', '', '\n'), reason: 'too_large' },
    'objects of which each has a key of its own': {
      body: manyShapes(),
      reason: 'too_large',
    },
    'a gzip pack of many small events': {
      body: pack('gzip', 200_000, '{"event_id":1}'),
      reason: 'too_large',
    },
    'a gzip pack of many zeros': { body: pack('gzip', 4_000_000, '0'), reason: 'too_large' },
    'a zstd pack of a gigabyte': { body: bomb(), reason: 'too_large' },
    'a pack of events whose members are too many together': {
      body: folded(Array.from({ length: 60 }, (_, index) => withMembers(index))),
      reason: 'too_large',
    },
    'a pack with one event of two megabytes': {
      body: folded([{ ...EVENT, extra: 'y'.repeat(2 * MIB) }]),
      reason: 'too_large',
    },
    'a notification around a megabyte of zeros': {
      body: JSON.stringify({
        Type: 'Notification',
        Message: filled('[', '0', ']').slice(0, 900_000),
      }),
      reason: 'too_large',
    },
    'a subscription whose log events are no JSON': {
      body: gzipSync(
        JSON.stringify({
          messageType: 'DATA_MESSAGE',
          logEvents: Array.from({ length: 9_000 }, (_event, place) => ({
            message: `${place}: ${'no JSON '.repeat(30)}`,
          })),
        }),
      ).toString('base64'),
      reason: 'not_json',
      rows: 9_000,
    },
    'a request of many empty spans': { body: spans(40, '{}'), reason: 'too_large' },
    'a request whose attributes hold a megabyte of JSON': {
      body: JSON.stringify({
        resourceSpans: [
          { scopeSpans: [{ spans: [attributed(filled('[', '{}', ']').slice(0, 900_000))] }] },
        ],
      }),
      reason: 'invalid_field',
    },
    'protobuf of empty spans': {
      body: emptySpans().toString('base64'),
      attributes: PROTOBUF,
      reason: 'too_large',
    },
    'compressed protobuf of empty spans': {
      body: gzipSync(emptySpans(3 * MIB)).toString('base64'),
      attributes: PROTOBUF,
      reason: 'too_large',
    },
  };
}

/**
 * Makes messages within every bound, as heavy as they may be: they post, and must not end a worker.
 */
export function heavyMessages(): Readonly<Record<string, HostileMessage>> {
  return {
    'seven thousand spans in one chain': { body: chain(7_000), reason: 'none', rows: 0 },
    'a zstd pack of ten thousand events': {
      body: zstd(
        Array.from({ length: 10_000 }, (_, index) => ({
          ...EVENT,
          event_id: `heavy-${index}`,
          note: 'n'.repeat(150),
        })),
      ),
      reason: 'none',
      rows: 0,
    },
    'nine events of a thousand members': {
      body: folded(Array.from({ length: 9 }, (_, index) => withMembers(index))),
      reason: 'none',
      rows: 0,
    },
  };
}

function filled(open: string, part: string, close: string, between = ','): string {
  const room = MIB - open.length - close.length;
  const count = Math.floor((room + 1) / (part.length + between.length));
  return open + Array.from({ length: count }, () => part).join(between) + close;
}

function manyShapes(): string {
  const lists = Array.from({ length: 8 }, (_, list) => {
    const objects = Array.from({ length: 9_000 }, (_object, key) => `{"${list}k${key}":0}`);
    return `"list${list}":[${objects.join(',')}]`;
  });
  return `{${lists.join(',')}}`;
}

function pack(encoding: 'gzip', count: number, item: string): string {
  const text = `[${`${item},`.repeat(count - 1)}${item}]`;
  return JSON.stringify({ encoding, events: gzipSync(text).toString('base64') });
}

function bomb(): string {
  const text = Buffer.alloc(64 * MIB, ' ');
  return JSON.stringify({ encoding: 'zstd', events: zstdCompressSync(text).toString('base64') });
}

function folded(events: readonly unknown[]): string {
  const text = JSON.stringify(events);
  return JSON.stringify({ encoding: 'gzip', events: gzipSync(text).toString('base64') });
}

function zstd(events: readonly unknown[]): string {
  const text = JSON.stringify(events);
  return JSON.stringify({ encoding: 'zstd', events: zstdCompressSync(text).toString('base64') });
}

function withMembers(index: number) {
  const members = Array.from({ length: 1_000 }, (_, member) => ({ member_id: String(member) }));
  const usage = { input_tokens: 10_000, output_tokens: 1_000 };
  return { ...EVENT, event_id: `members-${index}`, usage, members };
}

function spans(resources: number, span: string): string {
  const list = `[${`${span},`.repeat(7_000)}${span}]`;
  const resource = `{"scopeSpans":[{"spans":${list}}]}`;
  return `{"resourceSpans":[${`${resource},`.repeat(resources - 1)}${resource}]}`;
}

function attributed(json: string) {
  return {
    ...ids(0),
    attributes: [
      { key: 'openinference.span.kind', value: { stringValue: 'LLM' } },
      { key: 'output.value', value: { stringValue: json } },
    ],
  };
}

function ids(index: number) {
  const hex = (index + 1).toString(16);
  return { traceId: '1'.padStart(32, '0'), spanId: hex.padStart(16, '0'), name: 'chat' };
}

function chain(length: number): string {
  const list = Array.from({ length }, (_, index) => ({
    ...ids(index),
    ...(index === 0 ? {} : { parentSpanId: ids(index - 1).spanId }),
    endTimeUnixNano: '1792497600000000000',
    attributes: [
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o' } },
      { key: 'gen_ai.usage.input_tokens', value: { intValue: String(index + 1) } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: String(index + 1) } },
    ],
  }));
  const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] });
  return gzipSync(text).toString('base64');
}

/** resourceSpans { scopeSpans { spans {} spans {} … } }, each empty span two bytes. */
function emptySpans(bytes = 700_000): Buffer {
  const inner = Buffer.from('1200'.repeat(bytes / 2), 'hex');
  const scope = Buffer.concat([Buffer.from([0x12]), varint(inner.length), inner]);
  return Buffer.concat([Buffer.from([0x0a]), varint(scope.length), scope]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
