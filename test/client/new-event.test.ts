import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../src/client/new-event.ts';
import { prepareEvent, readPrepared } from '../../src/client/new-event.ts';
import { uuid7 } from '../../src/client/uuid7.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import { readBody } from '../../src/events/read-body.ts';

const NOW = Date.UTC(2026, 9, 15, 12);
const event: NewEvent = {
  event_id: 'evt-1',
  occurred_at: '2026-10-15T12:00:00Z',
  status: 'ok',
  requested_model: 'gpt-4o',
  tenant_id: 'acme',
  usage: { input_tokens: 1000, output_tokens: 100 },
};

/** What untyped callers hand over. */
const untyped = (value: unknown) => prepareEvent(value as NewEvent, NOW);

describe('an event at the producer', () => {
  it.each([
    ['of a wrong type', { ...event, attempt: 'one' }],
    ['without a model', { ...event, requested_model: null }],
    ['without the instant of the call', { ...event, occurred_at: undefined }],
    ['a day and an hour ahead', { ...event, occurred_at: '2026-10-16T13:00:00Z' }],
    [
      'with more reasoning than output',
      { ...event, usage: { ...event.usage, reasoning_tokens: 101 } },
    ],
    ['with a count that nobody knows', { ...event, usage: { ...event.usage, text: 1 } }],
    ['that is no object', null],
    ['that is a string', 'evt-1'],
  ])('%s is refused in the very words of the worker', (_, value) => {
    const worker = readNativeEvent(value, NOW);
    expect(worker.kind).toBe('refused');
    expect(untyped(value)).toEqual(worker);
  });

  it('gets an id that begins with the time, where it has none', () => {
    const { event_id: _, ...rest } = event;
    const prepared = prepareEvent(rest, NOW);
    // 2026-10-15T12:00:00Z is 1,792,065,600,000 ms, in hexadecimal 01a13f6efa00
    expect(prepared).toMatchObject({
      eventId: expect.stringMatching(/^01a13f6e-fa00-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    });
    expect(prepareEvent(rest, NOW)).not.toEqual(prepared);
  });

  it('never gets an instant that it does not have', () => {
    expect(untyped({ ...event, occurred_at: null })).toMatchObject({
      detail: expect.stringContaining('occurred_at: null is not an RFC 3339 instant'),
    });
  });

  it('leaves behind what is no field of a native event, such as a prompt', () => {
    const prepared = untyped({ ...event, prompt: 'my secret' });
    expect(prepared).toMatchObject({ json: expect.not.stringContaining('secret') });
  });

  it('goes out in ASCII, and comes back with every character', () => {
    const tags = { note: 'naïve 東京 😀 \uFFFE "quoted"\n' };
    const prepared = untyped({ ...event, tags });
    if (prepared.kind === 'refused') throw new Error(prepared.detail);
    expect(prepared.json).toMatch(/^[ -~]+$/);
    const [item] = readBody(prepared.json, { receivedAt: NOW, litellmKey: null, attributes: {} });
    expect(item).toMatchObject({ kind: 'event', event: { furtherTags: tags } });
    expect(readPrepared(prepared.json)).toEqual(prepared);
  });

  it('belongs to its tenant, and with members to nobody', () => {
    const { tenant_id: _, ...rest } = event;
    expect(prepareEvent(event, NOW)).toMatchObject({ tenantId: 'acme' });
    expect(prepareEvent({ ...rest, customer_id: 'acme' }, NOW)).toMatchObject({ tenantId: 'acme' });
    expect(prepareEvent(rest, NOW)).toMatchObject({ tenantId: null });
    const members = [{ member_id: 'a', tenant_id: 'globex' }] as const;
    expect(prepareEvent({ ...event, members }, NOW)).toMatchObject({ tenantId: null });
  });

  it('with a thousand members fits a message; with ten thousand random ones it is refused', () => {
    const members = (count: number) =>
      Array.from({ length: count }, (_, n) => ({
        member_id: `member-${n}`,
        tenant_id: `tenant-${n % 50}`,
        user_id: uuid7(NOW),
      }));
    expect(prepareEvent({ ...event, members: members(1_000) }, NOW).kind).toBe('prepared');
    const refused = prepareEvent({ ...event, members: members(10_000) }, NOW);
    expect(refused).toMatchObject({ kind: 'refused', reason: 'too_large' });
    expect(refused).toMatchObject({
      detail: expect.stringMatching(
        /^the event has \d+ bytes and does not fit a message of 65024, compressed neither; send/,
      ),
    });
  });
});

describe('what lies on disk', () => {
  it.each(['', '{"event_id":"x"', '[]', 'null', '\u0000\u0000', '{"no":"id"}'])(
    'is not taken for an event when it is %j',
    (line) => {
      expect(readPrepared(line)).toBeNull();
    },
  );
});
