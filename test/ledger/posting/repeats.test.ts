import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { inTransaction } from '../../../src/database/database.ts';
import type { EmailPolicy } from '../../../src/events/email-identifiers.ts';
import { readBody } from '../../../src/events/read-body.ts';
import { recordBatch, recordItems } from '../../../src/ingest/record-batch.ts';
import { ReferenceCache } from '../../../src/ledger/posting/reference-cache.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { count, freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

const AT = parseInstant('2026-10-20T12:00:00Z');

function read(events: readonly object[], emails: EmailPolicy = { kind: 'keep' }) {
  const context = { receivedAt: AT, litellmKey: null, emails, attributes: {} };
  return readBody(JSON.stringify({ events }), context);
}

async function post(database: Database, cache: ReferenceCache, events: readonly object[]) {
  const recorded = await recordBatch(database, cache, { items: read(events), recordedAt: AT });
  return recorded.map(({ outcome }) => outcome);
}

const call = (id: string, response: string, change: object = {}) =>
  nativeEvent({ event_id: id, response_id: response, ...change });

/** A worker whose batches have long had no repeated response leaves them to the ledger's key. */
async function calmWorker(): Promise<{ database: Database; cache: ReferenceCache }> {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const cache = new ReferenceCache();
  let batches = 0;
  for (; cache.reports.areDue; batches += 1) {
    await post(database, cache, [call(`calm-${batches}`, `answer-${batches}`)]);
  }
  expect(batches).toBeGreaterThan(10);
  return { database, cache };
}

it('a repeated response charges once where responses are no longer looked up', async () => {
  const { database, cache } = await calmWorker();
  const before = await count(database, 'entries');
  const batch = [call('again', 'answer-1'), call('new', 'answer-new')];
  expect(await post(database, cache, batch)).toEqual(['duplicate', 'posted']);
  expect(await count(database, 'entries')).toBe(before + 1);
  // From here on they are looked up again.
  expect(cache.reports.areDue).toBe(true);
  expect(await post(database, cache, [call('third', 'answer-1')])).toEqual(['duplicate']);
  expect(await brokenLaws(database)).toEqual([]);
});

it('an event id is a duplicate or a conflict whether or not responses are looked up', async () => {
  const { database, cache } = await calmWorker();
  const equal = call('calm-1', 'answer-1');
  const other = call('calm-2', 'answer-2', { usage: { input_tokens: 1, output_tokens: 1 } });
  expect(await post(database, cache, [equal, other])).toEqual(['duplicate', 'conflict']);
  expect(cache.reports.areDue).toBe(false);
});

it('what is not looked up is joined when it is folded: nested spans, call ids, and whose tenant is known', async () => {
  const { database, cache } = await calmWorker();
  const nobodys = { tenant_id: undefined };
  const span = (id: string, change: object) =>
    nativeEvent({ event_id: id, trace_id: 't', ...change });
  const pairs = [
    [call('mine', 'shared'), call('nobodys', 'shared', nobodys)],
    [span('inner', { span_id: 'i', parent_span_id: 'o' }), span('outer', { span_id: 'o' })],
    [
      nativeEvent({ event_id: 'one', call_id: 'c' }),
      nativeEvent({ event_id: 'two', call_id: 'c' }),
    ],
  ];
  for (const pair of pairs) {
    for (const event of pair) expect(await post(database, cache, [event])).toEqual(['posted']);
  }
  expect(cache.reports.areDue).toBe(false);
  await foldAll(database, () => AT);
  const { rows } = await database.pool.query(
    'select event_id, repeats_event_id as of from second_reports order by event_id',
  );
  expect(rows).toEqual([
    { event_id: 'nobodys', of: 'mine' },
    { event_id: 'outer', of: 'inner' },
    { event_id: 'two', of: 'one' },
  ]);
  expect(await count(database, 'entries where is_reversal')).toBe(3);
  expect(await brokenLaws(database)).toEqual([]);
});

it('ids are told apart that hold what the look-up’s own text is made of', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const cache = new ReferenceCache();
  const ids = ['a', 'a"', 'a\\', '{a}', 'a,b', 'b', '""', '\\"', ' a', 'NULL', 'null', 'ä€😀'];
  const events = ids.map((id, place) => call(id, `answer"\\{${place}`));
  expect(await post(database, cache, events)).toEqual(ids.map(() => 'posted'));
  expect(await post(database, cache, events)).toEqual(ids.map(() => 'duplicate'));
  const renamed = ids.map((id, place) => call(`${id}!`, `answer"\\{${place}`));
  expect(await post(database, cache, renamed)).toEqual(ids.map(() => 'duplicate'));
});

it('posting never reads the whole ledger, though its plans were made while that was young', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const cache = new ReferenceCache();
  await post(database, cache, [call('first', 'first')]);
  // From now on Postgres believes that one page is all there is.
  await database.pool.query('vacuum analyze entries');
  await inTransaction(database, async (transaction) => {
    const wholeReads = async () => {
      const { rows } = await transaction.client.query<{ seq_scan: bigint }>(
        `select seq_scan from pg_stat_xact_user_tables where relname = 'entries'`,
      );
      return rows[0]?.seq_scan;
    };
    const before = await wholeReads();
    // More often than Postgres plans a statement anew.
    for (let batch = 0; batch < 12; batch += 1) {
      const events = Array.from({ length: 20 }, (_, n) => call(`${batch}-${n}`, `${batch}-${n}`));
      await recordItems(transaction, cache, {
        items: read(events),
        recordedAt: AT,
        kind: 'ingest',
      });
    }
    expect(await wholeReads()).toBe(before);
  });
});

it('an event that comes again under another policy of e-mail addresses is a duplicate', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const address = 'ada@example.org';
  const events = [
    nativeEvent({ event_id: 'user', user_id: address }),
    nativeEvent({ event_id: 'members', members: [{ member_id: address }, { member_id: 'b' }] }),
  ];
  const deliver = async (emails: EmailPolicy) => {
    const batch = { items: read(events, emails), recordedAt: AT };
    const recorded = await recordBatch(database, new ReferenceCache(), batch);
    return recorded.map(({ outcome }) => outcome);
  };
  expect(await deliver({ kind: 'hash', key: 'a key of sixteen' })).toEqual(['posted', 'posted']);
  expect(await deliver({ kind: 'keep' })).toEqual(['duplicate', 'duplicate']);
  const otherKey = { kind: 'hash', key: 'another key of it' } as const;
  expect(await deliver(otherKey)).toEqual(['duplicate', 'duplicate']);
  const { rows } = await database.pool.query(
    "select count(*)::int as found from entries e where e::text like '%@%'",
  );
  expect(rows).toEqual([{ found: 0 }]);
  expect(await brokenLaws(database)).toEqual([]);
});
