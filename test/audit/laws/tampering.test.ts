import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDocuments } from '../../../src/audit/laws/documents-law.ts';
import { checkJournal, JOURNALED } from '../../../src/audit/laws/journal-law-store.ts';
import type { LawReport } from '../../../src/audit/laws/law.ts';
import { checkRollups } from '../../../src/audit/laws/rollups-law-store.ts';
import { checkSchema } from '../../../src/audit/laws/schema-law.ts';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import { checkSeals } from '../../../src/audit/laws/seals-law-store.ts';
import { parseInstant } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../../src/database/database.ts';
import { makeRoles } from '../../../src/database/roles.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../../src/seals/seal-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, freshDatabase } from '../../support/database.ts';
import { makeConvertedTenant } from '../../support/exchange.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { undone } from '../../support/undone.ts';

const clock = () => parseInstant('2026-11-03T00:00:00Z');

/** The laws that look at a table's own rows; a law that recomputes from other tables may name it, too. */
const SEALED = [
  'entries',
  'batches',
  'receipts',
  'structure_spans',
  'seals',
  'changes',
  'change_queue',
];
const ROLLUPS = [
  ...['usage_rollups', 'run_usage', 'ledger_rollups'],
  ...['exchange_rollups', 'ledger_exchange_rollups'],
];

/** Of these the last row waits for its seal, and what is changed before it is sealed shows nowhere. */
const OLDEST: ReadonlySet<string> = new Set(['changes']);

let ledger: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
/** One connection, so that what a law reads is inside the transaction that tampers. */
let alone: Database;

beforeAll(async () => {
  ledger = await createDatabase({ connections: 4 });
  const { database } = ledger;
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live' });
  await makeConvertedTenant(database, 'euro');
  await receiveEvents(database, [nativeEvent({ event_id: 'converted', tenant_id: 'euro' })]);
  await receiveEvents(database, [
    nativeEvent({
      ...{ event_id: 'a', agent_run_id: 'r', user_id: 'u' },
      reported_cost: { amount: '0.01', currency: 'USD', source: 'gateway' },
    }),
    { ...nativeEvent({ event_id: 'w' }), operation: 'invoke_agent', usage: undefined },
    nativeEvent({ event_id: 'bad', attempt: 0 }),
  ]);
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  await foldAll(database, clock);
  await database.pool.query(NO_CHECKS);
  for (const table of Object.keys(JOURNALED))
    await database.pool.query(insertInto(table, await columnsOf(database, table)));
  await sealAll(database, clock);
  // One change waits for its seal.
  await database.pool.query("update tenants set name = 'Acme Inc.' where tenant_id = 'acme'");
  await database.pool.query(NO_IDENTITY);
  alone = openDatabase({ url: database.url, connections: 1, onConnectionLost: () => {} });
}, 120_000);

afterAll(async () => {
  await closeDatabase(alone);
  await ledger.drop();
});

/** A superuser is stopped by no constraint. */
const NO_CHECKS = `do $$ declare k record; begin
  for k in select conrelid::regclass as of_table, conname from pg_constraint
    where contype in ('c', 'f') and connamespace = 'public'::regnamespace loop
    execute format('alter table %s drop constraint %I', k.of_table, k.conname);
  end loop;
end $$`;

const NO_IDENTITY = `do $$ declare a record; begin
  for a in select attrelid::regclass as of_table, attname from pg_attribute join pg_class c on c.oid = attrelid
    where attidentity <> '' and c.relnamespace = 'public'::regnamespace loop
    execute format('alter table %s alter column %I drop identity', a.of_table, a.attname);
  end loop;
end $$`;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isGenerated: boolean;
}

async function columnsOf(database: Database, table: string): Promise<readonly Column[]> {
  const { rows } = await database.pool.query<Column>(
    `select attname as name, format_type(atttypid, null) as type, attidentity <> '' as "isGenerated"
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  return rows;
}

const SOME: Readonly<Record<string, string>> = {
  text: "'some'",
  boolean: 'true',
  date: "'2026-09-01'",
  jsonb: `'{"a": 1}'`,
  bytea: String.raw`'\x01'`,
  'text[]': "'{some}'",
  'integer[]': "'{7}'",
  'timestamp with time zone': "'2026-09-01T00:00:00Z'",
};

/** A row of whatever kind, where the story above made none. */
function insertInto(table: string, columns: readonly Column[]): string {
  const given = columns.filter(({ isGenerated }) => !isGenerated);
  return `insert into ${table} (${given.map(({ name }) => name).join(', ')})
    select ${given.map(({ type }) => SOME[type] ?? '7').join(', ')}
    where not exists (select 1 from ${table})`;
}

function another({ name, type }: Column): string {
  if (type === 'boolean') return `not coalesce(${name}, false)`;
  if (type === 'timestamp with time zone') {
    return `case when isfinite(${name}) then ${name} + interval '1 second' else '2026-09-01T00:00:00Z' end`;
  }
  if (type === 'jsonb') return `coalesce(${name}, '{}') || '{"images": 1}'`;
  if (type === 'bytea') return String.raw`sha256(coalesce(${name}, '\x00'))`;
  if (type === 'uuid') return 'gen_random_uuid()';
  if (type === 'text[]') return `coalesce(${name}, '{}') || 'x'::text`;
  if (type.endsWith('[]')) return `coalesce(${name}, '{}') || 7`;
  return type === 'text'
    ? `coalesce(${name}, '') || 'x'`
    : `coalesce(${name}, ${type === 'date' ? "'2026-09-01'" : 0}) + 1000`;
}

const OUTSIDE = new Set(
  [
    ...readFileSync(new URL('../../../infra/SECURITY.md', import.meta.url), 'utf8').matchAll(
      /^\| `([a-z_.]+)` \|/gm,
    ),
  ].map(([, name]) => name),
);

async function lawsOf(inside: Database, table: string): Promise<readonly LawReport[]> {
  const scope = await openScope(inside, 'full');
  if (Object.hasOwn(JOURNALED, table)) return [await checkJournal(inside, scope, [table])];
  if (SEALED.includes(table)) return [await checkSeals(inside, scope, [])];
  if (ROLLUPS.includes(table)) return [await checkRollups(inside, scope)];
  return table === 'price_rates' ? [await checkDocuments(inside)] : [];
}

/** Whether a law names the table once this was done to it. */
function showsAfter(table: string, statement: string): Promise<boolean> {
  return undone(alone, async (inside) => {
    await inside.pool.query('set local session_replication_role = replica');
    const { rows } = await inside.pool.query<{ drop: string }>(
      `select case when k.oid is null then format('drop index %s', i.indexrelid::regclass)
         else format('alter table %s drop constraint %I cascade', i.indrelid::regclass, k.conname) end as drop
       from pg_index i left join pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u')
       where i.indisunique and i.indrelid = $1::regclass`,
      [table],
    );
    for (const { drop: unbound } of rows) await inside.pool.query(unbound);
    await inside.pool.query(statement);
    const reports = await lawsOf(inside, table);
    return reports.some(({ violations }) => violations.length > 0);
  });
}

/** Whether a law names the table once this column of one of its rows is another, as a superuser makes it. */
function isNamed(table: string, column: Column): Promise<boolean> {
  return undone(alone, async (inside) => {
    await inside.pool.query('set local session_replication_role = replica');
    const { rowCount } = await inside.pool.query(
      `update ${table} set ${column.name} = ${another(column)} where ctid = (select ${OLDEST.has(table) ? 'min' : 'max'}(ctid) from ${table})`,
    );
    if (rowCount !== 1) throw new Error(`${table} has no row to be changed`);
    const reports = await lawsOf(inside, table);
    return reports.some(({ violations }) => violations.length > 0);
  });
}

describe('a superuser who changes a column', () => {
  it('is named by a law, or the column stands in the documented list', async () => {
    const { rows: tables } = await ledger.database.pool.query<{ name: string }>(
      `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1`,
    );
    const unseen: string[] = [];
    const listedInVain: string[] = [];
    for (const { name: table } of tables) {
      if (OUTSIDE.has(table)) continue;
      for (const column of await columnsOf(ledger.database, table)) {
        const name = `${table}.${column.name}`;
        const named = await isNamed(table, column);
        if (!named && !OUTSIDE.has(name)) unseen.push(name);
        if (named && OUTSIDE.has(name) && column.name !== 'salt') listedInVain.push(name);
      }
    }
    // A new column belongs into a journal, under a seal, or into infra/SECURITY.md with its reason.
    expect(unseen).toEqual([]);
    expect(listedInVain).toEqual([]);
  }, 300_000);

  it('is named when a row is taken away or added, in every table that is not in the list', async () => {
    const { rows: tables } = await ledger.database.pool.query<{ name: string }>(
      `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1`,
    );
    const unseen: string[] = [];
    for (const { name } of tables.filter((table) => !OUTSIDE.has(table.name))) {
      const columns = (await columnsOf(ledger.database, name)).map((column) => column.name);
      const unique = columns.filter((column) => !(JOURNALED[name]?.key ?? []).includes(column));
      for (const statement of [
        `delete from ${name} where ctid = (select max(ctid) from ${name})`,
        `insert into ${name} select * from ${name} where ctid = (select max(ctid) from ${name})`,
      ]) {
        if (statement.startsWith('insert') && unique.length < columns.length) continue;
        if (!(await showsAfter(name, statement))) unseen.push(statement);
      }
    }
    expect(unseen).toEqual([]);
  }, 120_000);

  it('names a row that was added to the journal, or removed from a table, too', async () => {
    for (const statement of [
      "delete from tenants where tenant_id = 'acme'",
      "insert into tenants (tenant_id, created_at) values ('ghost', now())",
      'delete from closes',
      'delete from changes where change_id = (select max(change_id) from changes)',
      'delete from change_queue',
      `insert into changes (change_id, of_table, row_key, act, actor)
         values ((select max(change_id) + 1 from changes), 'tenants', '{}', 'tenant set', 'cfo@corp.example')`,
    ]) {
      const reports = await undone(alone, async (inside) => {
        await inside.pool.query('set local session_replication_role = replica');
        await inside.pool.query(statement);
        const scope = await openScope(inside, 'full');
        return [await checkJournal(inside, scope), await checkSeals(inside, scope, [])];
      });
      expect(
        reports.flatMap(({ violations }) => violations),
        statement,
      ).not.toEqual([]);
    }
  });
});

describe('law 12', () => {
  it.each([
    [
      'a replaced function',
      `create or replace function entry_hash(e entries, salt bytea) returns bytea language sql stable parallel safe as $$ select e.entry_hash $$`,
      'function public.entry_hash(e entries, salt bytea) was changed',
    ],
    [
      'a trigger that sleeps',
      'alter table entries disable trigger entries_are_append_only',
      'trigger entries_are_append_only of entries was changed',
    ],
    [
      'a trigger that is gone',
      'drop trigger tenants_updates_are_kept on tenants',
      'trigger tenants_updates_are_kept of tenants is gone',
    ],
    [
      'a constraint that is gone',
      'alter table closes drop constraint close_conserves',
      'constraint close_conserves of closes is gone',
    ],
    [
      'a rule of its own',
      'create rule quiet as on insert to changes do instead nothing',
      'was added',
    ],
    [
      'a view that shows less',
      'create or replace view audit.changes as select change_id, changed_at, of_table, row_key, kept, act, actor, reason, act_id from changes where false',
      'view audit.changes was changed',
    ],
    [
      'a function that shadows',
      'create function public.sha256(text) returns bytea language sql as $$ select null::bytea $$',
      'function public.sha256(text) was added',
    ],
    [
      'a constraint that is not asked of old rows',
      'alter table closes drop constraint close_conserves, add constraint close_conserves check (true) not valid',
      'constraint close_conserves of closes was changed',
    ],
    [
      'a table that inherits',
      'create schema mine; create table mine.more () inherits (change_queue)',
      'table mine.more inherits from change_queue',
    ],
    [
      'a trigger on every statement of the schema',
      `create function audit.quiet() returns event_trigger language plpgsql as $$ begin end $$;
       create event trigger quiet on ddl_command_end execute function audit.quiet()`,
      'event trigger quiet was added',
    ],
    [
      'an operator of its own',
      'create operator public.=== (leftarg = text, rightarg = text, function = pg_catalog.texteq)',
      'operator ===(text,text) was added',
    ],
    ['a cast', 'create cast (jsonb as bytea) without function', 'cast of jsonb to bytea was added'],
    [
      'triggers that sleep for a user',
      `alter role postgres in database {database} set session_replication_role = 'replica'`,
      'setting session_replication_role=replica was made for postgres',
    ],
    [
      'a trigger on every login',
      `create schema at_login; create function at_login.quiet() returns event_trigger language plpgsql as $$ begin end $$;
       create event trigger quiet on login execute function at_login.quiet()`,
      'event trigger quiet was added',
    ],
    [
      'functions that are found before ours',
      `create schema before; create function before.entry_hash(entries, bytea) returns bytea language sql as $$ select null::bytea $$;
       alter database {database} set search_path = before, public`,
      'setting search_path=before, public was made for all users',
    ],
    [
      'a policy that shows everybody',
      'create policy everybody on entries for select using (true)',
      'policy everybody of entries was changed or added',
    ],
    [
      'a default that was moved',
      "alter table tenants alter column mode set default 'live'",
      'column mode of tenants was changed',
    ],
  ])('names %s', async (_, statement, named) => {
    const database = await freshDatabase();
    expect((await checkSchema(database)).violations).toEqual([]);
    await database.pool.query(statement.replace('{database}', database.name));
    expect((await checkSchema(database)).violations).toContainEqual(expect.stringContaining(named));
    // A database that is given back is asked for its tables only.
    await database.pool.query(`drop event trigger if exists quiet; drop policy if exists everybody on entries;
      drop operator if exists public.=== (text, text); drop cast if exists (jsonb as bytea);
      alter role postgres in database ${database.name} reset all; alter database ${database.name} reset all;
      drop schema if exists at_login, before cascade`);
  });
});

it.each([
  ['alter policy tenant_rows on entries using (true)', 'policy tenant_rows of entries was changed'],
  ['drop policy tenant_rows on closes', 'policy tenant_rows of closes is gone'],
  ['alter table periods disable row level security', 'row-level security of periods is off'],
])('law 12 names a hole in the wall: %s', async (statement, named) => {
  const database = await freshDatabase();
  await makeRoles(database);
  expect((await checkSchema(database)).violations).toEqual([]);
  await database.pool.query(statement);
  expect((await checkSchema(database)).violations).toEqual([expect.stringContaining(named)]);
});

it('law 13 names a rate that was changed before anything was charged by it', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  expect((await checkDocuments(database)).violations).toEqual([]);
  await database.pool.query(
    `alter table price_rates disable trigger all;
     update price_rates set input = input + 1 where rate_id = (select min(rate_id) from price_rates)`,
  );
  expect((await checkDocuments(database)).violations).toEqual([
    expect.stringMatching(/rate \d+ of .* is not in its document/),
    expect.stringMatching(/a rate of .* is missing or was changed/),
  ]);
});
