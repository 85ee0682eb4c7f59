import { expect, it } from 'vitest';
import { readBody } from '../../src/events/read-body.ts';
import { recordEach } from '../../src/ingest/record-each.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { count, freshDatabase } from '../support/database.ts';
import { nativeEvent } from '../support/ledger.ts';

const AT = Date.parse('2026-10-20T00:00:00Z');
const read = (value: unknown) =>
  readBody(JSON.stringify(value), { receivedAt: AT, litellmKey: null, attributes: {} });

/** Makes the database refuse rows that name the event, as a full disk or a broken index would. */
async function refuse(database: Awaited<ReturnType<typeof freshDatabase>>, table: string) {
  await database.pool.query(`
    create function refuse_${table}() returns trigger language plpgsql as $$
    begin
      if new.event_id = 'poison' then raise exception 'no place for poison'; end if;
      return new;
    end $$;
    create trigger refuse_${table} before insert on ${table} for each row execute function refuse_${table}()`);
}

it('finds the one event that the database refuses, quarantines it, and posts the others', async () => {
  const database = await freshDatabase();
  await refuse(database, 'entries');
  const ids = ['e-1', 'e-2', 'poison', 'e-3', 'e-4'];
  const items = ids.flatMap((event_id) => read(nativeEvent({ event_id })));
  const outcomes = await recordEach(database, new ReferenceCache(), { items, recordedAt: AT });
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
  const outcomes = await recordEach(database, new ReferenceCache(), { items, recordedAt: AT });
  expect(outcomes).toEqual(['left', 'posted']);
  expect(await count(database, 'entries')).toBe(1);
  expect(await count(database, 'quarantine')).toBe(0);
});
