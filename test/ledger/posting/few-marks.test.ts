import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../../src/database/database.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { createPlainDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

const BATCHES = 4;
const CALLS = 1_000;

/** Of four calls one is a gateway's, one a span that names no answer, one nobody's, and one as most are. */
function callOf(n: number) {
  const id = String(n).padStart(8, '0');
  const [isGateway, isSpan, isNobodys] = [1, 2, 3].map((kind) => n % 4 === kind);
  return nativeEvent({
    event_id: `event-${id}`,
    ...(isNobodys ? { tenant_id: undefined } : {}),
    ...(isSpan
      ? { trace_id: `trace-${id}`, span_id: id, parent_span_id: `up-${id}` }
      : { response_id: `response-${id}` }),
    ...(isGateway ? { call_id: `call-${id}` } : {}),
  });
}

it('a fold reads the few of a batch once, though Postgres believes that there are none of them', async () => {
  const { database, drop } = await createPlainDatabase();
  onTestFinished(drop);
  // Nobody has analyzed its entries yet, and nobody does while this test runs.
  await database.pool.query('alter table entries set (autovacuum_enabled = off)');
  await importBooks(database, 'standard');
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const calls = Array.from({ length: CALLS }, (_, place) => callOf(batch * CALLS + place));
    await receiveEvents(database, calls);
  }
  const folder = openDatabase({ url: database.url, connections: 2, onConnectionLost: () => {} });
  await foldAll(folder, systemClock);
  // A session tells what it read when it ends.
  await closeDatabase(folder);
  const { rows } = await database.pool.query<{ name: string; read: number }>(
    `select indexrelname as name, idx_tup_read::int as read from pg_stat_user_indexes
     where indexrelname in ('entries_few', 'entries_of_several_attempts', 'entries_around_span')`,
  );
  const reads = new Map(rows.map(({ name, read }) => [name, read]));
  expect([...reads.keys()].toSorted()).toEqual([
    'entries_around_span',
    'entries_few',
    'entries_of_several_attempts',
  ]);
  for (const [name, read] of reads) expect(read, name).toBeLessThan(4 * BATCHES * CALLS);
  // Each batch asks these two for its few. Whether it looks around a span by the index is Postgres's choice.
  expect(reads.get('entries_few')).toBeGreaterThan(0);
  expect(reads.get('entries_of_several_attempts')).toBeGreaterThan(0);
});
