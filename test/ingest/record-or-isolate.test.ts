import { expect, it } from 'vitest';
import { readBody } from '../../src/events/read-body.ts';
import { recordOrIsolate } from '../../src/ingest/record-or-isolate.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { openLog } from '../../src/log.ts';
import { count, freshDatabase } from '../support/database.ts';
import { nativeEvent } from '../support/ledger.ts';

const AT = Date.parse('2026-10-20T00:00:00Z');
const read = (value: unknown) =>
  readBody(JSON.stringify(value), { receivedAt: AT, litellmKey: null, attributes: {} });

/** Makes the database refuse rows that name the event, as a constraint would. */
async function refuse(
  database: Awaited<ReturnType<typeof freshDatabase>>,
  table: string,
  state = '23514',
) {
  await database.pool.query(`
    create function refuse_${table}() returns trigger language plpgsql as $$
    begin
      if new.event_id = 'poison' then raise exception 'no place for poison' using errcode = '${state}'; end if;
      return new;
    end $$;
    create trigger refuse_${table} before insert on ${table} for each row execute function refuse_${table}()`);
}

it('finds the one event that the database refuses, quarantines it, and posts the others', async () => {
  const database = await freshDatabase();
  await refuse(database, 'entries');
  const ids = ['e-1', 'e-2', 'poison', 'e-3', 'e-4'];
  const items = ids.flatMap((event_id) => read(nativeEvent({ event_id })));
  const recorded = await recordOrIsolate(
    { database, log: openLog('silent') },
    new ReferenceCache(),
    { items, recordedAt: AT },
  );
  expect(recorded.map(({ item }) => item)).toEqual(items);
  const outcomes = recorded.map(({ outcome }) => outcome);
  expect(outcomes).toEqual(['posted', 'posted', 'quarantined', 'posted', 'posted']);
  const { rows } = await database.pool.query('select reason, detail from quarantine');
  expect(rows).toEqual([
    { reason: 'invalid_field', detail: expect.stringContaining('no place for poison') },
  ]);
});

it('leaves an event that cannot even be quarantined to its queue, and posts the others', async () => {
  const database = await freshDatabase();
  await refuse(database, 'entries');
  await refuse(database, 'quarantine');
  const items = ['poison', 'e-1'].flatMap((event_id) => read(nativeEvent({ event_id })));
  const recorded = await recordOrIsolate(
    { database, log: openLog('silent') },
    new ReferenceCache(),
    { items, recordedAt: AT },
  );
  expect(recorded.map(({ outcome }) => outcome)).toEqual(['left', 'posted']);
  expect(await count(database, 'entries')).toBe(1);
  expect(await count(database, 'quarantine')).toBe(0);
});

/** A trigger's word, a timeout, a grant, a column, a full disk: of these no event is the cause. */
it.each(['P0001', '57014', '42501', '42P01', '25006', '0A000', 'XX000', '53100'])(
  'blames no event for a refusal of class %s: nothing is quarantined, and the fault is thrown',
  async (state) => {
    const database = await freshDatabase();
    await refuse(database, 'entries', state);
    const items = ['poison', 'e-1'].flatMap((event_id) => read(nativeEvent({ event_id })));
    const recording = recordOrIsolate({ database, log: openLog('silent') }, new ReferenceCache(), {
      items,
      recordedAt: AT,
    });
    await expect(recording).rejects.toThrow('no place for poison');
    expect(await count(database, 'quarantine')).toBe(0);
  },
);
