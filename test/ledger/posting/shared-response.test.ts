import { beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** What has a provider's response in common with another report of its tenant has been looked at (R8). */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

const call = (id: string, change: object = {}) =>
  nativeEvent({ event_id: id, response_id: 'r1', ...change });

it('one id that two providers gave is two calls of a tenant, and each is charged', async () => {
  const events = [call('one'), call('two', { provider: 'anthropic' })];
  for (const event of events) await receiveEvents(database, [event]);
  await fold();
  expect(await standing()).toEqual([
    { event_id: 'one', shares_response: null },
    { event_id: 'two', shares_response: 'true' },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('one id that two providers gave is two calls in one batch, too', async () => {
  await receiveEvents(database, [call('one'), call('two', { provider: 'anthropic' })]);
  expect(await standing()).toHaveLength(2);
});

it('workers that bring a measured and an unmeasured report at once leave the measured one', async () => {
  const unmeasured = call('bare', { usage: undefined });
  await Promise.all([
    receiveEvents(database, [unmeasured]),
    receiveEvents(database, [call('measured')]),
  ]);
  await fold();
  expect((await standing()).map(({ event_id }) => event_id)).toEqual(['measured']);
  expect(await brokenLaws(database)).toEqual([]);
});

it('a report without a provider is the call of the one that names it, whoever comes first', async () => {
  for (const event of [call('unnamed', { provider: undefined }), call('named')]) {
    await receiveEvents(database, [event]);
  }
  await fold();
  expect(await standing()).toEqual([{ event_id: 'unnamed', shares_response: null }]);
});

it('two tenants may have one id, and neither is looked at for the other', async () => {
  await receiveEvents(database, [call('one'), call('two', { tenant_id: 'birch' })]);
  await fold();
  expect(await standing()).toEqual([
    { event_id: 'one', shares_response: null },
    { event_id: 'two', shares_response: null },
  ]);
});

/** Three ids that Postgres's hash of 64 bits cannot tell apart: each was reckoned back from the first one's hash. */
const OF_ONE_HASH = ['resp_0000001', '0NRwaodzpXRR', 'QeSiEb65sOhx'] as const;

it('ids of one hash are as many calls, and a second report of each is none', async () => {
  const { rows } = await database.pool.query(
    'select count(distinct hashtextextended(id, 0))::int as hashes from unnest($1::text[]) id',
    [OF_ONE_HASH],
  );
  expect(rows).toEqual([{ hashes: 1 }]);
  const events = OF_ONE_HASH.map((response_id) => call(response_id, { response_id }));
  for (const event of events) await receiveEvents(database, [event]);
  await receiveEvents(
    database,
    events.map((event) => ({ ...event, event_id: `${event['event_id']} again` })),
  );
  await fold();
  expect(await standing()).toEqual([
    { event_id: '0NRwaodzpXRR', shares_response: 'true' },
    { event_id: 'QeSiEb65sOhx', shares_response: 'true' },
    { event_id: 'resp_0000001', shares_response: null },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('ids of one hash are as many calls in one batch, too', async () => {
  await receiveEvents(
    database,
    OF_ONE_HASH.map((response_id) => call(response_id, { response_id })),
  );
  expect(await standing()).toHaveLength(OF_ONE_HASH.length);
});

function fold() {
  return foldAll(database, () => parseInstant('2026-11-03T12:00:00Z'));
}

function standing() {
  return textRows(
    database,
    `select event_id, shares_response from entries e
     where not is_reversal and not exists (
       select from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id)
     order by event_id`,
  );
}
