import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { checkJournal } from '../../src/audit/laws/journal-law-store.ts';
import { openScope } from '../../src/audit/laws/scope-store.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { inTransaction } from '../../src/database/database.ts';
import { MIGRATIONS } from '../../src/database/migrate.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { createDatabase, freshDatabase, textRows } from '../support/database.ts';
import { makeConvertedTenant } from '../support/exchange.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/**
 * What a ledger held at an earlier version of the schema it holds at today's, to the last figure, and every law with
 * it. The rows are those of a ledger of today, of which an earlier schema takes the columns that it knew.
 */

/** The tables that hold figures, and what of their rows an upgrade has to find out again. */
const FIGURES = [
  ...['entries', 'batches', 'periods', 'closes', 'usage_rollups', 'run_usage', 'ledger_rollups'],
  ...['exchange_rollups', 'ledger_exchange_rollups'],
];

/** Only later closes leave apart what another mode or currency carried out, and carry on what is due of a month in shadow. */
const OTHERWISE: ReadonlySet<string> = new Set(['carries_apart', 'carried_out_due']);

let ledger: Database;

beforeAll(async () => {
  const { database, drop } = await createDatabase({ connections: 4 });
  ledger = database;
  await fillLedger(database);
  return drop;
});

it.each(['0020', '0024', '0029', '0031', '0035', '0036'])(
  'a ledger of before migration %s keeps every figure, and every law holds in it',
  async (first) => {
    const older = await freshDatabase({ schema: 'empty', connections: 4 });
    await applyMigrations(older, '0000', first);
    await takeRows(older);
    await applyMigrations(older, first, '9999');
    for (const table of FIGURES) {
      expect(await figuresOf(older, table), table).toEqual(await figuresOf(ledger, table));
    }
    // A seal covers what the journal says of a batch's neighbours, so it is made after the journal is there.
    await sealAll(older, () => parseInstant('2026-10-20T01:00:00Z'));
    expect(await brokenLaws(older, { withSchema: true })).toEqual([]);
  },
);

it('alerts of before keep their rows and their journal under the new name, and one that was changed past it still shows', async () => {
  const older = await freshDatabase({ schema: 'empty', connections: 2 });
  await applyMigrations(older, '0000', '0051');
  await older.pool.query(
    `insert into stripe_alerts (raised_at, kind, subject, detail) values
      ('2026-10-01', 'invoice_void', 'in_1', 'it is void'), ('2026-10-02', 'invoice_void', 'in_2', 'it is void')`,
  );
  await older.pool.query(`set session_replication_role = replica;
    update stripe_alerts set detail = 'it is paid' where subject = 'in_2'; reset session_replication_role`);
  await applyMigrations(older, '0051', '9999');
  await older.pool.query(`update push_alerts set resolved_at = '2026-10-03', resolution = 'billed', resolved_by = 'ann'
    where subject = 'in_1'`);
  expect(
    await textRows(older, 'select subject, detail, resolution from push_alerts order by 1'),
  ).toEqual([
    { subject: 'in_1', detail: 'it is void', resolution: 'billed' },
    { subject: 'in_2', detail: 'it is paid', resolution: null },
  ]);
  const scope = await openScope(older, 'full');
  const { violations } = await checkJournal(older, scope, ['push_alerts']);
  expect(violations).toEqual(['push_alerts {"alert_id": 2} was changed in detail']);
});

it('columns that came after the last change of a row are held against the journal, too', async () => {
  const older = await freshDatabase({ schema: 'empty', connections: 2 });
  await applyMigrations(older, '0000', '0035');
  await older.pool.query(`insert into tenants (tenant_id, created_at) values ('acme', '2026-09-01'), ('birch', '2026-09-01');
    insert into batches (kind, recorded_at, entries, charge, cost) values ('ingest', '2026-09-02', 0, 0, 0);
    insert into quarantine (batch_id, received_at, reason, detail, body)
      select batch_id, recorded_at, 'not_json', 'it is bad', '{' from batches`);
  await applyMigrations(older, '0035', '0041');
  await older.pool.query(`insert into budgets (tenant_id, per, feature, user_id, amount, currency, is_hard, measure, agent_run_id,
      tags, on_unavailable, priced_only, time_zone, counts_from, counts_from_period, set_at, set_by)
    select tenant_id, 'month', '', '', 5, 'USD', false, 'money', '', '{}', 'deny', false, 'UTC', '2026-09-01', '2026-09-01',
      '2026-09-01', 'ann' from tenants where tenant_id in ('acme', 'birch')`);
  await applyMigrations(older, '0041', '9999');
  const violations = async () => {
    const scope = await openScope(older, 'full');
    return (await checkJournal(older, scope, ['tenants', 'budgets', 'quarantine'])).violations;
  };
  expect(await violations()).toEqual([]);
  await older.pool.query(`update tenants set name = 'Birch' where tenant_id = 'birch'`);
  expect(await violations()).toEqual([]);
  await older.pool.query(`set session_replication_role = replica;
    update tenants set name = 'Mallory', address = 'elsewhere' where tenant_id = 'acme';
    update budgets set thresholds = '{1}' where tenant_id = 'acme';
    update quarantine set repeats = '{}', body_digest = sha256('other'); reset session_replication_role`);
  expect(await violations()).toEqual([
    'tenants {"tenant_id": "acme"} was changed in address, name',
    'budgets {"budget_id": 1} was changed in thresholds',
    'quarantine {"quarantine_id": 1} was changed in body_digest, repeats',
  ]);
});

it('costs that were converted before they were counted by the fold are counted once', async () => {
  const database = await freshDatabase({ connections: 4 });
  await importBooks(database, 'cost');
  await makeConvertedTenant(database, 'euro');
  const call = (event_id: string) => nativeEvent({ event_id, tenant_id: 'euro' });
  const clock = () => parseInstant('2026-10-20T01:00:00Z');
  await receiveEvents(database, [call('a'), call('b')]);
  await foldAll(database, clock);
  // A batch that the upgrade finds in the queue.
  await receiveEvents(database, [call('c')]);
  await database.pool.query('drop table exchange_rollups, ledger_exchange_rollups');
  await applyMigrations(database, '0061', '0062');
  const counted = () =>
    textRows(
      database,
      `select tenant_id, entries from exchange_rollups
       union all select 'all', entries from ledger_exchange_rollups order by 1`,
    );
  const of = (entries: string) => ['all', 'euro'].map((tenant_id) => ({ tenant_id, entries }));
  expect(await counted()).toEqual(of('2'));
  await foldAll(database, clock);
  expect(await counted()).toEqual(of('3'));
  await sealAll(database, clock);
  expect(await brokenLaws(database, { withSchema: true })).toEqual([]);
});

async function applyMigrations(database: Database, from: string, to: string): Promise<void> {
  const names = (await readdir(MIGRATIONS)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  for (const name of names.filter((name) => name >= from && name < to)) {
    await database.pool.query(await readFile(MIGRATIONS + name, 'utf8'));
  }
}

/** Two months of a live tenant and of one in shadow, with failures, a batch, other units, corrections and late usage. */
async function fillLedger(database: Database): Promise<void> {
  await importBooks(database, 'standard', 'cost');
  const created = '2026-08-31T00:00:00Z';
  await makeTenant(database, 'acme', { created, mode: 'live', stripeCustomer: 'cus_acme' });
  await makeTenant(database, 'birch', { created });
  const on = (event_id: string, day: string, more: object = {}) =>
    nativeEvent({ event_id, occurred_at: `${day}T12:00:00Z`, response_id: event_id, ...more });
  const both = [{ member_id: 'm1' }, { member_id: 'm2', tenant_id: 'birch', status: 'error' }];
  const september = [
    on('1', '2026-09-10'),
    on('2', '2026-09-11', { status: 'error', error_type: 'timeout' }),
    on('3', '2026-09-12', { members: both }),
    on('4', '2026-09-13', { tenant_id: 'birch', feature: 'search', user_id: 'u1' }),
    on('5', '2026-09-14', { tenant_id: undefined }),
    on('6', '2026-09-15', { usage: { input_tokens: 50, output_tokens: 5, searches: 2 } }),
    on('9', '2026-09-16', { layers: { prompt: 500, tool: 333, memory: 167, response: 100 } }),
    on('10', '2026-09-16', {
      tenant_id: 'birch',
      usage: { input_tokens: 1000, cache_read_tokens: 333, output_tokens: 7 },
      layers: { prompt: 1, tool: 5, memory: 1, response: 1 },
    }),
    on('11', '2026-09-17', { requested_model: 'unheard-of', executed_model: 'gpt-4o' }),
  ];
  await receiveEvents(database, september, '2026-09-20T12:00:00Z');
  const sixth = { requested_model: 'gpt-5', executed_model: 'gpt-4o' };
  await receiveEvents(database, [on('7', '2026-10-02', sixth)], '2026-10-02T13:00:00Z');
  const at = (text: string) => () => parseInstant(text);
  const month = { month: '2026-09', tenant_id: 'birch' };
  await closePeriods({ database, clock: at('2026-10-03T00:00:00Z') }, month);
  await receiveEvents(database, [on('8', '2026-10-16')], '2026-10-16T13:00:00Z');
  await importBooks(database, 'standard-2026-10-15');
  const note = { tenant_id: null, dry_run: false, reason: 'dearer', actor: 'ann' };
  const october = { database, clock: at('2026-10-20T00:00:00Z') };
  await rerateMonth(october, { month: '2026-10', ...note });
}

/** The rows of every table that an older schema has, by the columns that both know. */
async function takeRows(older: Database): Promise<void> {
  const today = await columnsOf(ledger);
  await inTransaction(older, async ({ client }) => {
    // What keeps a ledger from being edited, and from standing where its neighbours are not there yet, stands aside.
    await client.query('set local session_replication_role = replica');
    for (const [table, columns] of await columnsOf(older)) {
      await client.query(`delete from ${table}`);
      const common = columns.filter((name) => today.get(table)?.includes(name));
      if (common.length === 0) continue;
      const names = common.join(', ');
      const { rows } = await ledger.pool.query<{ rows: string }>(
        `select coalesce(jsonb_agg(t), '[]')::text as rows from (select ${names} from ${table}) t`,
      );
      await client.query(
        `insert into ${table} (${names}) overriding system value
         select ${names} from jsonb_populate_recordset(null::${table}, $1::jsonb)`,
        [rows[0]?.rows],
      );
    }
    // The journal of then could not keep a column that was not there.
    if ((await columnsOf(older)).has('changes')) {
      await client.query(
        `update changes set kept = kept - 'carried_out_due' where of_table = 'closes'`,
      );
    }
    // A copy of rows brings no numbers along that were given to them.
    await client.query(`do $$ declare of_column record; begin
      for of_column in select attrelid::regclass as of_table, attname from pg_attribute join pg_class c on c.oid = attrelid
        where attidentity <> '' and relnamespace = 'public'::regnamespace loop
        execute format('select setval(pg_get_serial_sequence(%L, %L), max(%I)) from %s', of_column.of_table,
          of_column.attname, of_column.attname, of_column.of_table);
      end loop;
    end $$`);
  });
}

async function columnsOf(database: Database): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await database.pool.query<{ name: string; columns: readonly string[] }>(
    `select c.oid::regclass::text as name, array_agg(quote_ident(a.attname)::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       and not a.attisdropped and a.attgenerated = ''
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by c.oid`,
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

async function figuresOf(database: Database, table: string) {
  const rows = await textRows(database, `select * from ${table} t order by t::text`);
  return rows
    .map((row) => Object.entries(row).filter(([name]) => !OTHERWISE.has(name)))
    .map((row) => JSON.stringify(row.sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}
