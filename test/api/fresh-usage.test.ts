import { expect, it } from 'vitest';
import { pause, systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** Questions of a server beside the folds of others. */

const now = () => new Date().toISOString();

it('usage of a ledger that is not busy has what was posted a moment ago', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database, { keeper: null });
  const reader = await api.key('reader');
  for (let calls = 1; calls <= 5; calls += 1) {
    await receiveEvents(database, [nativeEvent({ event_id: `e${calls}` })], now());
    const { json } = await api.ask('/v1/usage', reader);
    expect([json.batches_behind, json.totals[0].entries]).toEqual([0, calls]);
  }
});

it('a question waits for no fold of another process, and says how far behind it is', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database, { keeper: null });
  const reader = await api.key('reader');
  await receiveEvents(database, [nativeEvent({ event_id: 'e1' })], now());
  await api.ask('/v1/usage', reader);
  await receiveEvents(database, [nativeEvent({ event_id: 'e2' })], now());
  const other = await database.pool.connect();
  try {
    await other.query('begin');
    // What a fold holds until it commits.
    await other.query('select pg_advisory_xact_lock(7226002)');
    const first = await api.ask('/v1/usage', reader);
    expect([first.json.batches_behind, first.json.totals[0].entries]).toEqual([1, 1]);
    // They are answered while the lock is held, which is let go of only after them.
    for (const path of ['/v1/usage', '/v1/periods', '/v1/overview', '/v1/runs', '/v1/budgets']) {
      expect((await api.ask(path, reader)).status, path).toBe(200);
    }
    expect((await api.ask('/v1/periods', reader)).json.batches_behind).toBe(1);
    await other.query('rollback');
  } finally {
    other.release();
  }
  const isFresh = async () => (await api.ask('/v1/usage', reader)).json.batches_behind === 0;
  await expect.poll(isFresh, { timeout: 10_000 }).toBe(true);
  expect((await api.ask('/v1/usage', reader)).json.totals[0].entries).toBe(2);
});

it('while batches come steadily a question waits for no long fold', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database, { keeper: null });
  const reader = await api.key('reader');
  await api.ask('/v1/usage', reader);
  const began = performance.now();
  for (let batch = 0; batch < 40; batch += 1) {
    await receiveEvents(database, [nativeEvent({ event_id: `e${batch}` })], now());
    await pause(Math.max(0, began + batch * 80 - performance.now()));
  }
  const other = await database.pool.connect();
  try {
    await other.query('begin');
    await other.query('select pg_advisory_xact_lock(7226002)');
    const asked = performance.now();
    const { json } = await api.ask('/v1/usage', reader);
    // Of a ledger that is quiet it would wait for a second.
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect(json.batches_behind).toBe(40);
    await other.query('rollback');
  } finally {
    other.release();
  }
  const entries = async () => (await api.ask('/v1/usage', reader)).json.totals[0]?.entries;
  await expect.poll(entries, { timeout: 10_000 }).toBe(40);
});

it('questions at once share one fold, and all of them have what was posted before', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database, { keeper: null });
  const reader = await api.key('reader');
  for (let round = 1; round <= 3; round += 1) {
    await receiveEvents(database, [nativeEvent({ event_id: `e${round}` })], now());
    const asked = Array.from({ length: 8 }, () => api.ask('/v1/usage', reader));
    const answers = (await Promise.all(asked)).map(({ json }) => json);
    const seen = answers.map(({ batches_behind, totals }) => [batches_behind, totals[0].entries]);
    expect(seen).toEqual(seen.map(() => [0, round]));
  }
});

it('while much is posted a question reads what is there, and has it folded beside', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database, { keeper: null });
  const reader = await api.key('reader');
  for (let batch = 0; batch < 70; batch += 1) {
    await receiveEvents(database, [nativeEvent({ event_id: `e${batch}` })], now());
  }
  const { json } = await api.ask('/v1/usage', reader);
  expect([json.batches_behind, json.totals]).toEqual([70, []]);
  const entries = async () => (await api.ask('/v1/usage', reader)).json.totals[0]?.entries;
  await expect.poll(entries, { timeout: 10_000 }).toBe(70);
  expect(await foldAll(database, systemClock)).toBe(0);
});
