import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReadItem } from '../../src/events/item.ts';
import { readBody } from '../../src/events/read-body.ts';
import { cases } from '../support/cases.ts';
import { mutatedBody, mutation } from '../support/mutated-body.ts';
import { producerBodies } from '../support/producer-bodies.ts';

/**
 * Bodies of every producer, changed at random: a value becomes another, a field goes, a list doubles. In full:
 * SPANLEDGER_CASES=200000 npx vitest run test/events/mutated-bodies.property.test.ts
 */
const BODIES = producerBodies();
const CONTEXT = { receivedAt: Date.UTC(2027, 0, 1), litellmKey: null, attributes: {} };
const SEARCH = cases(3_000);
/** A body on which more than this of a processor is spent hangs a worker's heartbeat. */
const LONGEST_MICROSECONDS = 1_000_000;

it(
  'a changed body of any producer gives items, without a crash and without a hang',
  () => {
    let slowest = 0;
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        (which, mutations) => {
          const text = JSON.stringify(mutatedBody(BODIES[which % BODIES.length] ?? {}, mutations));
          const before = process.threadCpuUsage();
          const items = readBody(text, CONTEXT);
          const { user, system } = process.threadCpuUsage(before);
          slowest = Math.max(slowest, user + system);
          expect(items.length).toBeGreaterThan(0);
          expect(items.map(crashOf).filter((crash) => crash !== null)).toEqual([]);
          for (const item of items) if (item.kind === 'refused') JSON.parse(item.body());
        },
      ),
      SEARCH,
    );
    expect(slowest).toBeLessThan(LONGEST_MICROSECONDS);
  },
  60_000 + SEARCH.numRuns * 10,
);

/** What an exception within reading leaves behind. */
function crashOf(item: ReadItem): string | null {
  if (item.kind !== 'refused') return null;
  return /cannot be (?:read|translated) \(/.test(item.detail) ? item.detail : null;
}

it('whatever is read of a message is the same when it comes again', () => {
  for (const body of BODIES) {
    const text = JSON.stringify(body);
    expect(identities(readBody(text, CONTEXT))).toEqual(identities(readBody(text, CONTEXT)));
  }
});

it('bodies that travel together, in any order, are read as each alone', () => {
  const singles = BODIES.map((body) => identities(readBody(JSON.stringify(body), CONTEXT)));
  fc.assert(
    fc.property(fc.shuffledSubarray([...BODIES.keys()], { minLength: 1 }), (order) => {
      const packed = JSON.stringify(order.map((index) => BODIES[index]));
      const lines = order.map((index) => JSON.stringify(BODIES[index])).join('\n');
      const alone = order.flatMap((index) => singles[index] ?? []);
      // Envelopes stand around whole messages, and never within a list of events.
      if (!order.some((index) => Object.hasOwn(BODIES[index] ?? {}, 'messageType'))) {
        expect(identities(readBody(packed, CONTEXT))).toEqual(alone);
      }
      expect(identities(readBody(`${lines}\n{}`, CONTEXT)).slice(0, -1)).toEqual(alone);
    }),
    { numRuns: 30, seed: 20261122 },
  );
});

function identities(items: readonly ReadItem[]): readonly string[] {
  return items.map((item) => {
    if (item.kind === 'event') return `${item.event.eventId} ${item.digest.toString('hex')}`;
    return item.kind === 'empty' ? item.reason : item.detail;
  });
}
