import { describe, expect, it } from 'vitest';
import { cutBody, cutDetail } from '../../src/events/cut-body.ts';
import type { EmailPolicy } from '../../src/events/email-identifiers.ts';
import { readBody } from '../../src/events/read-body.ts';
import { mayNameObjects } from '../../src/ingest/notified-objects.ts';
import { nativeEvent } from '../support/ledger.ts';

const KEEP: EmailPolicy = { kind: 'keep' };
const HASH: EmailPolicy = { kind: 'hash', key: '0123456789abcdef' };
const SECRET = 'my diagnosis is grave';

function kept(value: unknown, emails = KEEP) {
  const { body, cut } = cutBody(JSON.stringify(value), emails);
  return { body: JSON.parse(body), text: body, cut };
}

function read(body: string) {
  const receivedAt = Date.parse('2026-10-20T12:00:00Z');
  return readBody(body, { receivedAt, litellmKey: null, attributes: {} });
}

describe('of a native event', () => {
  it('its own fields are kept as they are, and every other one is cut out and counted', () => {
    const event = nativeEvent({ usage: { input_tokens: '12', output_tokens: 1 }, attempt: 0 });
    const { body, text, cut } = kept({ ...event, messages: [{ content: SECRET }], prompt: SECRET });
    expect(body).toEqual(event);
    expect(text).not.toContain('diagnosis');
    expect(cut).toBe(2);
  });

  it('what stands in the wrong place is cut out, and refused as it was', () => {
    const wrong = nativeEvent({ usage: SECRET, user_id: [SECRET], error_type: SECRET.repeat(40) });
    const { text, cut } = kept(wrong);
    expect(text).not.toContain('diagnosis');
    expect(cut).toBe(3);
    expect(read(text)).toMatchObject([{ kind: 'refused', reason: 'invalid_field' }]);
  });

  it('what is cut has the digest of the whole, so that a replay is no conflict of a redelivery', () => {
    const members = [{ member_id: 'm', tenant_id: 'acme', note: SECRET }];
    const whole = nativeEvent({ members, tags: { a: 'b' }, layers: { prompt: 1 }, extra: SECRET });
    const [before] = read(JSON.stringify(whole));
    const [after] = read(kept(whole).text);
    expect(before).toMatchObject({ kind: 'event' });
    expect(after).toMatchObject({ digest: before?.kind === 'event' ? before.digest : null });
  });

  it('addresses are hashed in tags, and cut out where an id bills or identifies', () => {
    const address = 'pat@example.com';
    const event = nativeEvent({ user_id: address, tags: { who: address }, tenant_id: address });
    expect(kept(event).text).toContain(address);
    const { body, text } = kept(event, HASH);
    expect(text).not.toContain(address);
    expect(body.user_id).toMatch(/^email:[0-9a-f]{32}$/);
    expect(read(text)).toMatchObject([{ kind: 'refused' }]);
    const refused = kept(event, { kind: 'refuse' }).text;
    expect(refused).not.toContain(address);
    expect(read(refused)).toMatchObject([{ kind: 'refused' }]);
    expect(cutDetail(`user_id: "${address}" is`, HASH)).not.toContain(address);
  });
});

it.each([
  ['an object of another kind', { hello: SECRET, deep: [{ n: 5, said: SECRET }] }],
  ['a list of words', [SECRET]],
  ['a text', SECRET],
])('of %s only the shape is kept', (_, value) => {
  const { text, cut } = kept(value);
  expect(text).not.toMatch(/diagnosis|grave/);
  expect(cut).toBeGreaterThan(0);
  expect(read(text)).toMatchObject([{ kind: 'refused', reason: 'unknown_format' }]);
});

describe('of a notification of S3', () => {
  const s3 = { bucket: { name: 'logs' }, object: { key: 'AWS+logs/1.json.gz', size: 1 } };
  const notification = { Records: [{ eventSource: 'aws:s3', s3, said: SECRET }] };
  const detail = { ...s3, object: { key: 'AWS logs/1.json.gz' }, said: SECRET };

  it.each([
    ['by itself', notification],
    ['over SNS', { Type: 'Notification', Message: JSON.stringify(notification) }],
    ['over EventBridge', { 'detail-type': 'Object Created', detail }],
  ])('%s the names of its objects are kept, and it is refused as it was', (_, value) => {
    const { body, text } = kept(value);
    const object = { key: 'AWS%20logs%2F1.json.gz' };
    expect(body).toEqual({ Records: [{ s3: { bucket: { name: 'logs' }, object } }] });
    expect(read(text)).toEqual([{ ...read(JSON.stringify(value))[0], body: expect.any(Function) }]);
    expect(mayNameObjects(JSON.stringify(value))).toBe(true);
  });

  it('what is no name of a bucket leaves its shape', () => {
    const value = { Records: [{ s3: { ...s3, bucket: { name: SECRET } } }] };
    expect(kept(value).text).not.toContain('diagnosis');
  });
});

it('of what is no JSON its length and digest are kept', () => {
  const { body } = cutBody(`{"prompt": "${SECRET}`, KEEP);
  expect(JSON.parse(body)).toEqual({
    shape: 'no JSON',
    characters: 33,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

it('of a known format the keys, numbers and identifiers are kept, and nothing that was said', () => {
  const attribute = (key: string, value: object) => ({ key, value });
  const attributes = [
    attribute('gen_ai.request.model', { stringValue: 'gpt-4o' }),
    attribute('gen_ai.usage.input_tokens', { intValue: '12' }),
    attribute('gen_ai.prompt.0.content', { stringValue: 'Hello' }),
    attribute('gen_ai.completion.0.content', { stringValue: SECRET }),
  ];
  const span = { traceId: 'ab', spanId: 'cd', name: 'chat', attributes };
  const { text, cut } = kept({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  expect(text).toContain('"gpt-4o"');
  expect(text).toContain('"12"');
  expect(text).not.toMatch(/Hello|diagnosis/);
  expect(cut).toBe(2);
});

it('the usage that Python wrote as the text of a dictionary is kept, and nothing that was said beside it', () => {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const attributes = [
    attribute('acme.usage', "{'prompt_tokens': 30, 'completion_tokens': 8}"),
    attribute('acme.said', `{'content': '${SECRET}', 'finish': None}`),
  ];
  const span = { traceId: 'ab', spanId: 'cd', name: 'call', attributes };
  const { text } = kept({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  expect(text).toContain(JSON.stringify('{"prompt_tokens":30,"completion_tokens":8}'));
  expect(text).not.toContain('diagnosis');
});
