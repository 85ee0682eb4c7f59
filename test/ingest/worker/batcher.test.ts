import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/events/read-body.ts';
import type { ReadMessage } from '../../../src/ingest/worker/batcher.ts';
import { Batcher } from '../../../src/ingest/worker/batcher.ts';
import { cases } from '../../support/cases.ts';
import { nativeEvent } from '../../support/ledger.ts';

// SQS's own fairness decides what is received next; fauxqs has none, so it is not tested here. What
// is: among the messages in hand, nobody's flood holds up anybody else.

let made = 0;

/** A message with so many events of each of these tenants. */
function messageOf(events: number, ...tenants: readonly (string | null)[]): ReadMessage {
  made += 1;
  const receivedAt = Date.UTC(2026, 9, 15, 12);
  const message = { messageId: `${made}`, receiptHandle: `${made}`, body: '', attributes: {} };
  const items = tenants.flatMap((tenant_id) => {
    const body = JSON.stringify(nativeEvent({ tenant_id }));
    const one = readBody(body, { receivedAt, litellmKey: null, attributes: {} });
    return Array.from({ length: events }, () => one).flat();
  });
  return { held: { message, receivedAt, heldSinceMs: 0, visibleSetMs: 0, entries: 0 }, items };
}

/** All batches of what is in hand, in order. */
async function batchesOf(messages: readonly ReadMessage[]) {
  const batcher = new Batcher();
  for (const message of messages) batcher.add(message);
  batcher.close();
  const batches: (readonly ReadMessage[])[] = [];
  for (let batch = await batcher.take(); batch !== null; batch = await batcher.take()) {
    batches.push(batch);
  }
  return batches;
}

const batchOf = (message: ReadMessage, batches: readonly (readonly ReadMessage[])[]) =>
  batches.findIndex((batch) => batch.includes(message)) + 1;

describe('a batch', () => {
  it('has a message of another tenant in it, however many of one wait', async () => {
    // 100 messages of 500 events are 25 batches of 2,000; in order, the quiet one would come in the 26th
    const flood = Array.from({ length: 100 }, () => messageOf(500, 'loud'));
    const quiet = messageOf(1, 'quiet');
    const batches = await batchesOf([...flood, quiet]);
    expect(batchOf(quiet, batches)).toBe(1);
    expect(batches.flat()).toHaveLength(101);
  });

  it('is shared out by events, not by messages', async () => {
    // 20 messages of 500 events, and 1,000 of one: half of a batch is 2 of the first, 1,000 of the second
    const large = Array.from({ length: 20 }, () => messageOf(500, 'large'));
    const small = Array.from({ length: 1_000 }, () => messageOf(1, 'small'));
    const [first] = await batchesOf([...large, ...small]);
    expect(first?.filter((message) => large.includes(message))).toHaveLength(2);
    expect(first?.filter((message) => small.includes(message))).toHaveLength(1_000);
  });

  it('keeps the order of one tenant', async () => {
    const messages = Array.from({ length: 30 }, () => messageOf(300, 'acme'));
    expect((await batchesOf(messages)).flat()).toEqual(messages);
  });

  it('takes messages of several tenants, of nobody and without an event in turns of their own', async () => {
    const flood = Array.from({ length: 10 }, () => messageOf(500, 'loud'));
    const others = [messageOf(1, 'a', 'b'), messageOf(1, null), messageOf(0, 'a')];
    const batches = await batchesOf([...flood, ...others]);
    expect(others.map((message) => batchOf(message, batches))).toEqual([1, 1, 1]);
  });
});

it('no message waits longer than its own tenant and the number of tenants account for', async () => {
  const hand = fc.array(
    fc.record({ tenant: fc.integer({ min: 0, max: 9 }), events: fc.integer({ min: 1, max: 600 }) }),
    { minLength: 1, maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(hand, async (drawn) => {
      const messages = drawn.map(({ tenant, events }) => messageOf(events, `tenant-${tenant}`));
      const batches = await batchesOf(messages);
      expect(new Set(batches.flat())).toEqual(new Set(messages));
      expect(batches.flat()).toHaveLength(messages.length);
      // The head of each tenant's queue: within ⌈G · m / 2,000⌉ + 1 batches.
      const largest = Math.max(...drawn.map(({ events }) => events));
      const tenants = new Set(drawn.map(({ tenant }) => tenant));
      const bound = Math.ceil((tenants.size * largest) / 2_000) + 1;
      for (const tenant of tenants) {
        const head = messages[drawn.findIndex((one) => one.tenant === tenant)];
        if (head === undefined) throw new Error('every tenant has a message');
        expect(batchOf(head, batches)).toBeLessThanOrEqual(bound);
      }
    }),
    cases(25),
  );
});
