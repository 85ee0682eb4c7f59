import { QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pause } from '../../../src/clock.ts';
import { openQueue, type QueueClient } from '../../../src/ingest/queue-client.ts';
import {
  count,
  freshDatabase,
  reopen,
  terminateBackends,
  textRows,
} from '../../support/database.ts';
import { faultyQueue } from '../../support/faulty-queue.ts';
import { importBooks, nativeEvent } from '../../support/ledger.ts';
import { freshQueue, packBody } from '../../support/queue.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { brokenLaws, receiptsOf, rememberedLog, work } from '../../support/worker.ts';

/** So many events with ids of their own over a few tenants. */
function events(count_: number, prefix: string) {
  return Array.from({ length: count_ }, (_, index) =>
    nativeEvent({ event_id: `${prefix}-${index}`, tenant_id: `tenant-${index % 7}` }),
  );
}

const bodies = (count_: number, prefix = 'e') =>
  events(count_, prefix).map((event) => JSON.stringify(event));

async function ready() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  return { database, queue: await freshQueue() };
}

describe('the worker', () => {
  it('posts packs of every encoding and single events, and quarantines the bad ones among them', async () => {
    // given packs of about 64 KiB, plain and compressed, single events, and noise that was sent twice
    const { database, queue } = await ready();
    const bad = nativeEvent({ event_id: 'bad', attempt: -1 });
    const plain = packBody(events(320, 'plain'));
    expect(plain.length).toBeGreaterThan(60_000);
    const packs = [
      plain,
      packBody([...events(300, 'gzip'), bad], 'gzip'),
      packBody(events(3000, 'zstd'), 'zstd'),
    ];

    // when a worker consumes them
    await queue.sendAll([...packs, ...bodies(20, 'single'), 'noise', 'noise']);
    const report = await work(database, queue.client);

    // then 320 + 300 + 3000 + 20 = 3640 post, three wait, and nothing is left
    expect(report).toEqual({
      messages: 25,
      posted: 3640,
      duplicate: 0,
      conflict: 0,
      quarantined: 3,
      empty: 0,
    });
    expect(await count(database, 'entries')).toBe(3640);
    expect(await textRows(database, 'select reason from quarantine order by reason')).toEqual([
      { reason: 'invalid_field' },
      { reason: 'not_json' },
      { reason: 'not_json' },
    ]);
    expect(await queue.client.depth()).toBe(0);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('deletes a message only after what it brought is committed', async () => {
    const { database, queue } = await ready();
    const elsewhere = reopen(database.url, 2);
    const idOf = new Map<string, string>();
    const early: string[] = [];
    const watched: QueueClient = {
      ...queue.client,
      async receive(options) {
        const messages = await queue.client.receive(options);
        for (const { receiptHandle, body } of messages) {
          idOf.set(receiptHandle, JSON.parse(body).event_id);
        }
        return messages;
      },
      async delete(handles) {
        const ids = handles.map((handle) => idOf.get(handle) ?? '');
        const { rows } = await elsewhere.pool.query<{ event_id: string }>(
          'select event_id from entries where event_id = any($1)',
          [ids],
        );
        const there = new Set(rows.map((row) => row.event_id));
        early.push(...ids.filter((id) => !there.has(id)));
        return queue.client.delete(handles);
      },
    };
    await queue.sendAll(bodies(100));

    await work(database, watched);

    expect(idOf.size).toBe(100);
    expect(early, 'deleted before their commit').toEqual([]);
    expect(await count(database, 'entries')).toBe(100);
  });

  it('tries a failed delete again', async () => {
    const { database, queue } = await ready();
    await queue.sendAll(bodies(30));
    const failedOnce = new Set<string>();
    const faulty: QueueClient = {
      ...queue.client,
      async delete(handles) {
        const { first = [], again = [] } = Object.groupBy(handles, (handle) =>
          failedOnce.has(handle) ? 'again' : 'first',
        );
        for (const handle of first) failedOnce.add(handle);
        const deleted = again.length === 0 ? [] : await queue.client.delete(again);
        const code = 'InternalError';
        return [
          ...first.map((receiptHandle) => ({ receiptHandle, isFinal: false, code })),
          ...deleted,
        ];
      },
    };

    const report = await work(database, faulty);

    // Each delete failed once, and its second try came before the queue gave the message out again.
    expect(failedOnce.size).toBe(30);
    expect(report).toMatchObject({ messages: 30, posted: 30, duplicate: 0 });
    expect(await queue.client.depth()).toBe(0);
  });

  it('ends with an exact ledger when the queue duplicates, reorders, fails and forgets', async () => {
    // given a queue that does to messages everything that SQS may do, and two workers
    const { database, queue } = await ready();
    const faults = {
      duplicate: 0.2,
      reorder: 0.5,
      failedDelete: 0.1,
      lostDelete: 0.1,
      receiveError: 0.05,
      throttle: 0.05,
      expire: 0.1,
    };
    const other = reopen(database.url);
    const queues = [faultyQueue(queue.client, faults, 7), faultyQueue(queue.client, faults, 8)];
    await queue.sendAll([...bodies(250), packBody(events(500, 'pack'), 'gzip')]);

    // when both consume it
    await Promise.all([
      work(database, queues[0] as QueueClient),
      work(other, queues[1] as QueueClient),
    ]);

    // then each event is there once, and the repeated ones were told for what they are
    const struck = (fault: keyof typeof faults) =>
      queues.reduce((sum, one) => sum + one.struck[fault], 0);
    expect(struck('duplicate') + struck('lostDelete') + struck('expire')).toBeGreaterThan(20);
    expect(await count(database, 'entries')).toBe(750);
    const receipts = await receiptsOf(database);
    expect(receipts).toMatchObject({ posted: 750, conflicts: 0, quarantined: 0 });
    expect(receipts['duplicates']).toBeGreaterThan(0);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('quarantines a conflict and posts the rest of its pack', async () => {
    const { database, queue } = await ready();
    const [first, second] = events(2, 'e');
    await queue.send(JSON.stringify(first));
    await work(database, queue.client);
    await queue.send(packBody([{ ...first, feature: 'changed' }, second]));

    const report = await work(database, queue.client);

    expect(report).toMatchObject({ posted: 1, conflict: 1 });
    const rows = await textRows(
      database,
      'select event_id, reason, ledger_digest <> received_digest as differ from quarantine',
    );
    expect(rows).toEqual([{ event_id: 'e-0', reason: 'conflict', differ: 'true' }]);
    const kept = await textRows(
      database,
      'select event_id, feature from entries order by event_id',
    );
    expect(kept).toEqual([
      { event_id: 'e-0', feature: null },
      { event_id: 'e-1', feature: null },
    ]);
  });

  it('isolates and quarantines an event that the database refuses, and posts the others', async () => {
    // Postgres has no year 0; whatever passes the schema and fails there must not stop its batch.
    const { database, queue } = await ready();
    const odd = nativeEvent({ event_id: 'odd', started_at: '0000-01-01T00:00:00Z' });
    await queue.send(packBody([...events(5, 'e'), odd, ...events(5, 'f')]));

    const report = await work(database, queue.client);

    expect(report).toMatchObject({ posted: 10, quarantined: 1 });
    expect(await textRows(database, 'select event_id, reason from quarantine')).toEqual([
      { event_id: 'odd', reason: 'invalid_field' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('leaves the message of an event that can be kept nowhere to the queue, and deletes the others', async () => {
    const { database, queue } = await ready();
    for (const table of ['entries', 'quarantine']) {
      await database.pool.query(`
        create function refuse_${table}() returns trigger language plpgsql as $$
        begin
          if new.event_id = 'poison' then raise exception 'no place for it' using errcode = '23514'; end if;
          return new;
        end $$;
        create trigger refuse_${table} before insert on ${table} for each row execute function refuse_${table}()`);
    }
    const poison = JSON.stringify(nativeEvent({ event_id: 'poison' }));
    await queue.sendAll([poison, ...bodies(5)]);
    const idOf = new Map<string, string>();
    const deleted: string[] = [];
    const watched: QueueClient = {
      ...queue.client,
      async receive(options) {
        const messages = await queue.client.receive(options);
        for (const { receiptHandle, body } of messages) {
          idOf.set(receiptHandle, JSON.parse(body).event_id);
        }
        return messages;
      },
      delete(handles) {
        deleted.push(...handles.map((handle) => idOf.get(handle) ?? ''));
        return queue.client.delete(handles);
      },
    };
    const { log, messages } = rememberedLog();
    const stop = new AbortController();

    const working = work(database, watched, { log, stop: stop.signal });
    await vi
      .waitFor(
        () => {
          expect(messages()).toContain('cannot be recorded; left to the queue');
          expect(deleted).toHaveLength(5);
        },
        { timeout: 20_000, interval: 50 },
      )
      .finally(() => stop.abort());
    await working;

    expect(deleted.toSorted()).toEqual(['e-0', 'e-1', 'e-2', 'e-3', 'e-4']);
    expect(await queue.client.depth()).toBe(1);
    expect(await count(database, 'entries')).toBe(5);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('survives an event whose refusal cannot be stored as it is', async () => {
    const { database, queue } = await ready();
    await queue.send(JSON.stringify(nativeEvent({ event_id: 'nul', tags: { 'a\u0000b': 1 } })));
    await queue.sendAll(bodies(3));

    const report = await work(database, queue.client);

    expect(report).toMatchObject({ posted: 3, quarantined: 1 });
  });

  it('sends what can never be received to nobody: a pack of nothing is done at once', async () => {
    const { database, queue } = await ready();
    await queue.sendAll([packBody([]), packBody([], 'zstd')]);
    expect(await work(database, queue.client)).toMatchObject({ messages: 2, posted: 0 });
    expect(await queue.client.depth()).toBe(0);
  });
});

describe('a queue that is not there', () => {
  it('ends the worker at the start, and says which variable names it', async () => {
    const { database, queue } = await ready();
    const { endpoint, queueUrl } = queue;
    const absent = openQueue({
      queueUrl: `${queueUrl}-absent`,
      endpoint,
      region: null,
      pollers: 2,
    });
    onTestFinished(() => absent.close());
    await expect(work(database, absent)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('there is no such queue'),
      remedy: [expect.stringContaining('SPANLEDGER_QUEUE_URL')],
    });
  });

  it('ends a worker that is to come to an end, after what it holds is posted', async () => {
    const { database, queue } = await ready();
    await queue.sendAll(bodies(3));
    let receives = 0;
    const gone: QueueClient = {
      ...queue.client,
      async receive(options) {
        receives += 1;
        if (receives === 1) return queue.client.receive(options);
        throw new QueueDoesNotExist({ message: 'it was deleted', $metadata: {} });
      },
    };
    await expect(work(database, gone)).rejects.toMatchObject({ kind: 'misconfigured' });
    expect(await count(database, 'entries')).toBe(3);
  });
});

describe('when Postgres fails', () => {
  it('loses nothing though every connection is broken again and again', async () => {
    const { database, queue } = await ready();
    await queue.sendAll(bodies(400));
    const finished = new AbortController();
    const breaking = breakAgainAndAgain(database.name, finished.signal);

    const report = await work(database, queue.client);
    finished.abort();

    expect(await breaking).toBeGreaterThan(0);
    expect(report.quarantined).toBe(0);
    expect(await count(database, 'entries')).toBe(400);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it.each([
    ['before anything was posted', 0],
    ['after something was', 5],
  ])(
    'stops receiving while it is away, %s, releases nothing, and goes on afterwards',
    async (_when, posted) => {
      // given a worker that reaches its database through a line that is cut
      const { database, queue } = await ready();
      const { hostname, port } = new URL(database.url);
      const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
      const url = new URL(database.url);
      url.port = String(proxy.port);
      const remote = reopen(url.href);
      await remote.pool.query('select 1');
      const cut = async () => {
        await queue.sendAll(bodies(5, 'before'));
        proxy.cut();
      };
      let received = 0;
      let deleted = 0;
      const released: string[] = [];
      const watched: QueueClient = {
        ...queue.client,
        async receive(options) {
          const messages = await queue.client.receive(options);
          received += messages.length;
          return messages;
        },
        async delete(handles) {
          deleted += handles.length;
          const failed = await queue.client.delete(handles);
          if (deleted === posted) await cut();
          return failed;
        },
        async setVisibility(handles, seconds) {
          if (seconds === 0) released.push(...handles);
          return queue.client.setVisibility(handles, seconds);
        },
      };
      const { log, messages } = rememberedLog();
      if (posted === 0) await cut();
      else await queue.sendAll(bodies(posted, 'first'));
      const working = work(remote, watched, { log, pollers: 1 });
      await vi.waitFor(() => expect(messages()).toContain('database away; receiving stopped'), {
        timeout: 20_000,
      });

      // when more comes meanwhile, and a poll that was under way has ended
      await pause(400);
      const held = received;
      await queue.sendAll(bodies(40, 'during'));
      await pause(400);

      // then it is left where it is until the line is back
      expect(received).toBe(held);
      proxy.restore();
      expect(await working).toMatchObject({ posted: posted + 45, duplicate: 0 });
      expect(released).toEqual([]);
      expect(await count(database, 'entries')).toBe(posted + 45);
      expect(await receiptsOf(database)).toMatchObject({ received: posted + 45, duplicates: 0 });
    },
  );
});

/** Answers how many connections it broke. */
async function breakAgainAndAgain(name: string, until: AbortSignal): Promise<number> {
  let broken = 0;
  for (let round = 0; round < 12 && !until.aborted; round += 1) {
    broken += await terminateBackends(name);
    await pause(120, until);
  }
  return broken;
}
