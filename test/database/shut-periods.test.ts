import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/database/migrate.ts';
import { freshDatabase, textRows } from '../support/database.ts';

it('a period that an older close left between its two steps is shut, and then opened for a close of today', async () => {
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

  // when it is migrated to the versions that still finish such a close
  await apply((name) => name >= '0012' && name < '0025');

  // then the state has the new word, and moves one way only
  const states = 'select state from periods order by period_start';
  expect(await textRows(database, states)).toEqual([{ state: 'shut' }, { state: 'open' }]);
  await expect(database.pool.query("update periods set state = 'sealed'")).rejects.toThrow();
  const back = "update periods set state = 'open' where state = 'shut'";
  await expect(database.pool.query(back)).rejects.toThrow('may only move from open to shut');

  // and when it is migrated to where a close shuts and closes anew, that period takes entries again
  await apply((name) => name >= '0025');
  expect(await textRows(database, states)).toEqual([{ state: 'open' }, { state: 'open' }]);
  await database.pool.query("update periods set state = 'shut' where period_start = '2026-09-01'");
  await expect(database.pool.query(back)).rejects.toThrow('may only move from open to shut');
});
