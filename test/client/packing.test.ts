import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Encoding } from '../../src/client/message-body.ts';
import { encodeBodies, fitsMessage, LARGEST_MESSAGE_BYTES } from '../../src/client/message-body.ts';
import { messageGroupOf } from '../../src/client/message-group.ts';
import type { Pack } from '../../src/client/packer.ts';
import { Packer } from '../../src/client/packer.ts';
import { readBody } from '../../src/events/read-body.ts';
import { cases } from '../support/cases.ts';
import { nativeEvent } from '../support/ledger.ts';

interface Event {
  readonly tenantId: string | null;
  readonly json: string;
}

/** Text that compresses to nothing, or not at all: ids of runs and traces are like the second. */
function filling(bytes: number, isRandom: boolean): string {
  if (!isRandom) return 'a'.repeat(bytes);
  let text = '';
  for (let n = 0; text.length < bytes; n += 1) {
    text += createHash('sha512').update(`${bytes} ${n}`).digest('base64');
  }
  return text.slice(0, bytes);
}

const anyEvent = fc
  .record({
    tenant: fc.option(fc.integer({ min: 0, max: 6 }), { nil: null }),
    bytes: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 900 }) },
      { weight: 3, arbitrary: fc.integer({ min: 900, max: 30_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 30_000, max: 120_000 }) },
      // about the limit itself
      { weight: 2, arbitrary: fc.integer({ min: 64_600, max: 65_600 }) },
    ),
    isRandom: fc.boolean(),
  })
  .map(({ tenant, bytes, isRandom }) => ({
    tenantId: tenant === null ? null : `tenant-${tenant}`,
    filling: filling(bytes, isRandom),
  }));

/** As the client does: packs that are full leave at once, the rest when the time is up. */
function packAll(events: readonly Event[], encoding: Encoding): readonly Pack<Event>[] {
  const packer = new Packer<Event>(encoding);
  const full = events.flatMap((event) => packer.add(event) ?? []);
  return [...full, ...packer.takeAll()];
}

describe('packing', () => {
  it.each<Encoding>(['zstd', 'plain'])(
    'in %s: no message is too large, and every event is in one, once',
    (encoding) => {
      fc.assert(
        fc.property(fc.array(anyEvent, { maxLength: 120 }), (made) => {
          const events = made
            .map(({ tenantId, filling }, index) => ({
              tenantId,
              json: JSON.stringify(nativeEvent({ event_id: `${index}`, filling })),
            }))
            .filter(({ json }) => fitsMessage(json));
          const packs = packAll(events, encoding);
          const messages = packs.flatMap((pack) => encodeBodies(pack.events, encoding));

          for (const { body } of messages) {
            expect(Buffer.byteLength(body)).toBeLessThanOrEqual(LARGEST_MESSAGE_BYTES);
          }
          expect(LARGEST_MESSAGE_BYTES).toBeLessThan(65_536);
          const read = messages.flatMap(({ body }) => idsOf(body));
          const sent = events.map(({ json }) => String(JSON.parse(json).event_id));
          expect(read.toSorted()).toEqual(sent.toSorted());
          // A pack that says whose it is holds nobody else's.
          for (const pack of packs.filter(({ tenantId }) => tenantId !== null)) {
            expect(new Set(pack.events.map((event) => event.tenantId))).toEqual(
              new Set([pack.tenantId]),
            );
          }
        }),
        cases(40),
      );
    },
  );

  it('joins the packs of tenants with few events, and leaves the others their own', () => {
    // 16 KiB is about 96 events of 170 bytes: a has 120, b to f have 2 each
    const events = [
      ...Array.from({ length: 120 }, (_, n) => eventOf('a', `a-${n}`)),
      ...['b', 'c', 'd', 'e', 'f'].flatMap((t) => [eventOf(t, `${t}-0`), eventOf(t, `${t}-1`)]),
    ];
    const packs = packAll(events, 'zstd');
    expect(packs.map(({ tenantId, events: { length } }) => [tenantId, length])).toEqual([
      ['a', 120],
      [null, 10],
    ]);
  });

  it('names the tenant of a small pack that nobody shares', () => {
    expect(packAll([eventOf('a', '1')], 'zstd').map(({ tenantId }) => tenantId)).toEqual(['a']);
  });

  it('fills messages to nine tenths once it knows how well the events compress', () => {
    const packer = new Packer<Event>('zstd');
    const sizes: number[] = [];
    for (let n = 0; n < 12_000; n += 1) {
      const id = createHash('sha512').update(`${n}`).digest('hex');
      const pack = packer.add(eventOf('a', id));
      if (pack === null) continue;
      const [encoded, ...more] = encodeBodies(pack.events, 'zstd');
      packer.learn(pack.bytes, encoded?.body.length ?? 0);
      sizes.push(encoded?.body.length ?? 0);
      expect(more).toEqual([]);
    }
    const settled = sizes.slice(5);
    expect(settled.length).toBeGreaterThan(10);
    expect(Math.min(...settled) / LARGEST_MESSAGE_BYTES).toBeGreaterThan(0.9);
  });

  it('halves a pack that compresses less than those before it', () => {
    const events = Array.from({ length: 200 }, (_, n) => ({
      tenantId: 'a',
      json: JSON.stringify(nativeEvent({ event_id: `${n}`, filling: filling(1000 + n, true) })),
    }));
    const bodies = encodeBodies(events, 'zstd');
    expect(bodies.length).toBeGreaterThan(1);
    expect(bodies.flatMap((encoded) => encoded.events)).toEqual(events);
  });

  it('leaves as it is what fits a tenth of a billed request', () => {
    const [encoded] = encodeBodies([eventOf('a', '1')], 'zstd');
    expect(encoded?.body).toMatch(/^\{"events":\[\{"event_id":"1"/);
  });
});

describe('a message group', () => {
  it.each([
    ['the tenant itself', 'acme-robotics.eu/7', 'acme-robotics.eu/7'],
    ['as long as SQS allows', 'x'.repeat(128), 'x'.repeat(128)],
  ])('is %s', (_, tenant, group) => {
    expect(messageGroupOf(tenant)).toBe(group);
  });

  it.each([
    ['longer', 'x'.repeat(129)],
    ['with a space', 'acme robotics'],
    ['not of ASCII', 'Café'],
  ])('is a hash where the tenant is %s than SQS allows', (_, tenant) => {
    expect(messageGroupOf(tenant)).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(messageGroupOf(`${tenant}2`)).not.toBe(messageGroupOf(tenant));
  });
});

function eventOf(tenantId: string, eventId: string): Event {
  return {
    tenantId,
    json: JSON.stringify(nativeEvent({ event_id: eventId, tenant_id: tenantId })),
  };
}

function idsOf(body: string): readonly string[] {
  const context = { receivedAt: Date.UTC(2026, 10, 1), litellmKey: null, attributes: {} };
  return readBody(body, context).map((item) =>
    item.kind === 'event' ? item.event.eventId : `${item.kind}: ${JSON.stringify(item)}`,
  );
}
