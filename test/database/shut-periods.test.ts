import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/database/migrate.ts';
import { freshDatabase, textRows } from '../support/database.ts';

it('a period that an older close left between its two steps is shut after the migration, and only moves on', async () => {
  // given a ledger of before, whose close crashed when it had shut a period, under the old word
  const database = await freshDatabase({ schema: 'empty' });
  const names = (await readdir(MIGRATIONS)).filter((name) => /^\d{4}-/.test(name)).sort();
  const texts = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(MIGRATIONS + name, 'utf8') })),
  );
  const apply = async (isDue: (name: string) => boolean) => {
    for (const { name, text } of texts) if (isDue(name)) await database.pool.query(text);
  };
  await apply((name) => name < '0012');
  await database.pool.query(`
    insert into tenants (tenant_id, created_at) values ('acme', now());
    insert into periods (tenant_id, period_start, starts_at, ends_at, time_zone)
      select 'acme', day, day, day + interval '1 month', 'UTC' from unnest(array['2026-09-01'::date, '2026-10-01']) day;
    update periods set state = 'sealed' where period_start = '2026-09-01'`);

  // when it is migrated
  await apply((name) => name >= '0012');

  // then the state has the new word, and still moves one way only
  const states = 'select state from periods order by period_start';
  expect(await textRows(database, states)).toEqual([{ state: 'shut' }, { state: 'open' }]);
  await expect(database.pool.query("update periods set state = 'sealed'")).rejects.toThrow();
  await database.pool.query("update periods set state = 'closed' where state = 'shut'");
  const back = "update periods set state = 'shut' where state = 'closed'";
  await expect(database.pool.query(back)).rejects.toThrow('may only move from open to shut');
});
