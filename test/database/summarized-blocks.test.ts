import { expect, it } from 'vitest';
import { createDatabase, textRows } from '../support/database.ts';

it('each table that is searched by its blocks is vacuumed by what is new, however large it is', async () => {
  const { database, drop } = await createDatabase();
  const tables = await textRows(
    database,
    `select distinct t.relname as "table", (select string_agg(option_name || ' ' || option_value, ', ' order by option_name)
       from pg_options_to_table(t.reloptions)) as options
     from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am a on a.oid = x.relam join pg_class t on t.oid = i.indrelid
     where a.amname = 'brin' order by 1`,
  );
  await drop();
  const options =
    'autovacuum_vacuum_insert_scale_factor 0, autovacuum_vacuum_insert_threshold 250000';
  expect(tables).toEqual(
    ['entries', 'quarantine', 'structure_spans'].map((table) => ({ table, options })),
  );
});
