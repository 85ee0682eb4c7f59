import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/events/read-body.ts';
import { EventsInFlight } from '../../../src/ingest/worker/events-in-flight.ts';
import { count, freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent } from '../../support/ledger.ts';
import { freshQueue, packBody } from '../../support/queue.ts';
import { brokenLaws, work } from '../../support/worker.ts';

function read(event: object) {
  const receivedAt = Date.UTC(2026, 9, 15, 12);
  const [item] = readBody(JSON.stringify(event), { receivedAt, litellmKey: null, attributes: {} });
  if (item === undefined) throw new Error('the body gave no item');
  return item;
}

const event = (eventId: string, responseId?: string, source = 'gateway') =>
  read(nativeEvent({ event_id: eventId, source, ...(responseId && { response_id: responseId }) }));

const refused = read({ nothing: 'known' });

/** Whether a promise is settled once everything that can run now has run. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe('an event in flight', () => {
  it('is left by the other lane until the first one is done', async () => {
    const inFlight = new EventsInFlight();
    const first = inFlight.claim([event('a'), event('b')]);
    const second = inFlight.claim([event('b'), event('c')]);
    expect(second.free).toMatchObject([{ event: { eventId: 'c' } }]);
    expect(second.met).toHaveLength(1);
    expect(await isDone(second.othersDone)).toBe(false);
    first.release();
    expect(await isDone(second.othersDone)).toBe(true);
    expect(inFlight.claim(second.met).met).toEqual([]);
  });

  it('is known by its provider response too, which two producers may report', () => {
    const inFlight = new EventsInFlight();
    inFlight.claim([event('a', 'response-1')]);
    expect(inFlight.claim([event('b', 'response-1')]).met).toHaveLength(1);
    expect(inFlight.claim([event('b', 'response-2')]).free).toHaveLength(1);
  });

  it('is another one under another source, though its id is the same', () => {
    const inFlight = new EventsInFlight();
    inFlight.claim([event('a'), event('b', 'a')]);
    expect(inFlight.claim([event('a', undefined, 'app')]).free).toHaveLength(1);
    expect(inFlight.claim([event('c', 'a', 'app')]).met).toHaveLength(1);
  });

  it('does not hold up itself, nor what was refused', () => {
    const inFlight = new EventsInFlight();
    inFlight.claim([refused]);
    const claim = inFlight.claim([event('a'), event('a'), refused]);
    expect(claim.free).toHaveLength(3);
    expect(claim.met).toEqual([]);
  });
});

describe('lanes that share events', () => {
  it('count each repeat once', async () => {
    // given 40 packs of 100 events, each beginning with ten events of the pack before
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const queue = await freshQueue();
    const pack = (number: number) =>
      packBody(
        Array.from({ length: 100 }, (_, index) =>
          nativeEvent({ event_id: `e-${number * 90 + index}` }),
        ),
      );
    await queue.sendAll(Array.from({ length: 40 }, (_, number) => pack(number)));

    // when both lanes take them
    const report = await work(database, queue.client);

    // then 40 · 90 + 10 = 3,610 are posted and 39 · 10 = 390 were there
    expect(report).toMatchObject({ posted: 3610, duplicate: 390, conflict: 0 });
    expect(await count(database, 'entries')).toBe(3610);
    expect(await brokenLaws(database)).toEqual([]);
  });
});
