import { expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { acceptConflict } from '../../src/ingest/accept-conflict.ts';
import { dismissQuarantine, purgeQuarantine } from '../../src/ingest/dismiss-quarantine.ts';
import { listQuarantine } from '../../src/ingest/list-quarantine.ts';
import { replayQuarantine } from '../../src/ingest/replay-quarantine.ts';
import { nameMissing } from '../../src/month/completeness/name-missing.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

const NOW = parseInstant('2026-10-21T00:00:00Z');
const NOTE = { reason: 'it was sent anew', actor: 'ada' };
const READING = { litellmKey: null };

const partsOf = (database: Database) => ({ database, clock: () => NOW, reading: READING });
const waiting = (database: Database) => listQuarantine({ database }, { all: false, limit: 10 });

async function ready() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  return database;
}

it('a dismissed event waits no longer, and neither a replay nor the month speaks of it', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent({ attempt: 0 })]);
  const parts = partsOf(database);
  const missing = () => nameMissing(parts, { month: '2026-10', tenant_id: null });
  expect(await missing()).toMatchObject([{ kind: 'quarantined', tenant_id: 'acme' }]);

  const request = { quarantine_ids: [1n], ...NOTE };
  expect(await dismissQuarantine(parts, request)).toEqual([
    { quarantine_id: '1', outcome: 'dismissed' },
  ]);

  expect(await waiting(database)).toEqual([]);
  expect(await missing()).toEqual([]);
  expect(await replayQuarantine(parts, { quarantine_ids: [] })).toEqual([]);
  expect(await dismissQuarantine(parts, request)).toMatchObject([{ outcome: 'waits_no_longer' }]);
  const [kept] = await listQuarantine({ database }, { all: true, limit: 10 });
  expect(kept).toMatchObject({ dismissed_by: 'ada', dismissed_because: 'it was sent anew' });
});

it('a dismissal of one that is not there, or without a reason, dismisses none', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent({ attempt: 0 })]);
  const parts = partsOf(database);
  const both = { quarantine_ids: [1n, 7n], ...NOTE };
  await expect(dismissQuarantine(parts, both)).rejects.toThrow('no quarantined event 7');
  const silent = { quarantine_ids: [1n], reason: ' ', actor: 'ada' };
  await expect(dismissQuarantine(parts, silent)).rejects.toThrow('needs a reason');
  expect(await waiting(database)).toHaveLength(1);
});

it('only the bodies of what was dismissed are erased, and no row is deleted', async () => {
  const database = await ready();
  await receiveEvents(database, [
    nativeEvent({ event_id: 'a', attempt: 0 }),
    nativeEvent({ event_id: 'b', attempt: 0 }),
  ]);
  const parts = partsOf(database);
  await dismissQuarantine(parts, { quarantine_ids: [1n], ...NOTE });
  expect(await purgeQuarantine(parts, { before: NOW })).toEqual({ purged: 0 });
  expect(await purgeQuarantine(parts, { before: NOW + 1 })).toEqual({ purged: 1 });
  const rows = await textRows(database, 'select event_id, body from quarantine order by 1');
  expect(rows).toMatchObject([{ event_id: 'a', body: '' }, { event_id: 'b' }]);
  expect(rows[1]?.['body']).toContain('"attempt":0');
  for (const change of [
    'delete from quarantine',
    'truncate quarantine',
    "update quarantine set body = 'mended'",
    "update quarantine set body = '', purged_at = now()",
    "update quarantine set reason = 'not_json'",
    'update quarantine set dismissed_at = null, dismissed_by = null, dismissed_because = null',
  ]) {
    await expect(database.pool.query(change), change).rejects.toThrow();
  }
});

it('an accepted conflict is a correction by what came later', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent()]);
  const usage = { input_tokens: 2000, output_tokens: 100 };
  await receiveEvents(database, [nativeEvent({ usage, prompt: 'my diagnosis' })]);
  const parts = partsOf(database);

  const answer = await acceptConflict(parts, { quarantine_id: 1n, ...NOTE });

  expect(answer.corrections).toHaveLength(1);
  const entries = await textRows(
    database,
    'select charge, reason, actor from audit.entries order by revision',
  );
  expect(entries).toEqual([
    { charge: '0.0042', reason: null, actor: null },
    { charge: '-0.0042', ...NOTE },
    { charge: '0.0072', ...NOTE },
  ]);
  expect(await waiting(database)).toEqual([]);
  const again = acceptConflict(parts, { quarantine_id: 1n, ...NOTE });
  await expect(again).rejects.toThrow('waits no longer');
});

it('what is no conflict is not accepted', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent({ attempt: 0 })]);
  const request = { quarantine_id: 1n, ...NOTE };
  await expect(acceptConflict(partsOf(database), request)).rejects.toThrow('is no conflict');
});
