import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { migrate } from '../../src/database/migrate.ts';
import { freshDatabase } from '../support/database.ts';
import { dumpSchema } from '../support/dump-schema.ts';

const PATH = fileURLToPath(new URL('../../migrations/schema.sql', import.meta.url));

it('the migrations make the schema that migrations/schema.sql shows', async () => {
  const database = await freshDatabase({ schema: 'empty', connections: 4 });
  await migrate(database);
  const schema = await dumpSchema(database);
  if (process.env['SPANLEDGER_WRITE_SCHEMA'] === '1') await writeFile(PATH, schema);
  const committed = await readFile(PATH, 'utf8').catch(() => '');
  expect(schema, 'made anew by SPANLEDGER_WRITE_SCHEMA=1').toBe(committed);
});

it('migrating again changes nothing', async () => {
  const database = await freshDatabase({ schema: 'empty', connections: 4 });
  expect((await migrate(database)).length).toBeGreaterThan(0);
  const schema = await dumpSchema(database);
  expect(await migrate(database)).toEqual([]);
  expect(await dumpSchema(database)).toBe(schema);
});
