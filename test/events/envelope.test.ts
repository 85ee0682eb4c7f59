import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unwrapEnvelope } from '../../src/events/envelope.ts';

const EVENT = { event_id: 'e1', status: 'ok' };

function notification(message: unknown): object {
  return { Type: 'Notification', MessageId: 'm', Message: JSON.stringify(message) };
}

function busEvent(detail: unknown): object {
  return { version: '0', 'detail-type': 'llm.call', source: 'app', detail };
}

test.each<[string, unknown]>([
  ['no envelope', EVENT],
  ['an SNS notification', notification(EVENT)],
  ['an EventBridge event', busEvent(EVENT)],
  ['an EventBridge event in an SNS notification', notification(busEvent(EVENT))],
])('with %s the inner value is the event', (_what, value) => {
  expect(unwrapEnvelope(value)).toEqual({ kind: 'value', value: EVENT });
});

test('a notification without JSON is refused', () => {
  expect(unwrapEnvelope({ Type: 'Notification', Message: 'hello' })).toEqual({
    kind: 'refused',
    reason: 'not_json',
    detail: 'the SNS notification around this event holds no JSON',
  });
});

test.each([
  ['software.amazon.payloadoffloading.PayloadS3Pointer'],
  ['com.amazon.sqs.javamessaging.MessageS3Pointer'],
])('a body that %s moved to S3 is refused with the remedy', (name) => {
  const pointer = [name, { s3BucketName: 'bucket', s3Key: 'key' }];
  expect(unwrapEnvelope(notification(pointer))).toMatchObject({
    kind: 'refused',
    reason: 'unknown_format',
    detail: expect.stringContaining('send the event itself'),
  });
});

test('envelopes within envelopes end somewhere', () => {
  let value: unknown = EVENT;
  for (let depth = 0; depth < 10; depth += 1) value = busEvent(value);
  expect(unwrapEnvelope(value)).toMatchObject({ kind: 'refused', reason: 'unknown_format' });
});

test('arbitrary JSON is never an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(['value', 'refused']).toContain(unwrapEnvelope(value).kind);
      expect(['value', 'refused']).toContain(unwrapEnvelope(notification(value)).kind);
    }),
  );
});
