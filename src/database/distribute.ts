import { readFile } from 'node:fs/promises';
import { changeShards } from './change-shards.ts';
import type { Database, Transaction } from './database.ts';
import { inTransaction } from './database.ts';
import { MIGRATIONS } from './migrate.ts';

/** `absent`: this database has no Citus, and stays as it is. */
export type Distribution = 'absent' | 'distributed' | 'already_distributed';

/** What is only ever added to. */
const APPEND_ONLY = ['entries', 'structure_spans', 'second_reports', 'unnamed_spans'] as const;

/**
 * What grows with usage without an end, and is most of a ledger's bytes. All else stays on the coordinator, with its
 * triggers, its foreign keys and the unique keys that have no tenant in them.
 */
export const DISTRIBUTED = [...APPEND_ONLY, 'run_usage'] as const;

/**
 * Distributes by tenant the tables that grow with usage, where the database has the Citus extension. In one transaction; the
 * schema must be up to date. Where they are distributed already, the shards get what a migration changed of their tables, and
 * what looks entries up is made again, since a migration may have brought a new look-up; a table that a version before
 * left on the coordinator follows.
 */
export async function distribute(database: Database): Promise<Distribution> {
  if (!(await hasCitus(database))) return 'absent';
  const missing = await readUndistributed(database);
  const kept = DISTRIBUTED.filter((table) => !missing.includes(table));
  if (kept.length > 0) await changeShards(database, kept);
  const lookUps = await readFile(`${MIGRATIONS}citus.sql`, 'utf8');
  await inTransaction(database, async (transaction) => {
    // Sums of units are made where the entries are; they name one another in their texts, and are made in any order.
    await transaction.client.query(
      `set local citus.multi_shard_modify_mode to 'sequential'; set local citus.propagate_set_commands to 'local';
       set local check_function_bodies to off`,
    );
    await transaction.client.query(NOTHING_IS_COMPILED);
    await transaction.client.query(PURE_FUNCTIONS_TO_WORKERS);
    if (missing.length > 0) await distributeTables(transaction, missing);
    // Of what asks the shards nothing is made on the workers.
    await transaction.client.query('set local citus.enable_ddl_propagation to off');
    await transaction.client.query(lookUps);
  });
  return missing.length > 0 ? 'distributed' : 'already_distributed';
}

async function hasCitus(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query("select 1 from pg_extension where extname = 'citus'");
  return rows.length > 0;
}

async function readUndistributed(database: Database): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    'select name from unnest($1::text[]) with ordinality t(name, n) where not is_distributed(name) order by n',
    [DISTRIBUTED],
  );
  return rows.map(({ name }) => name);
}

/** Answers true where Citus keeps the entries on its workers. */
export async function isDistributed(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query<{ answer: boolean }>(
    "select is_distributed('entries') as answer",
  );
  return rows[0]?.answer === true;
}

/**
 * Citus distributes no table that functions and views depend on which it would have to make on the workers: they are taken away
 * and made again as the catalogue has them. It knows no triggers and no row-level security by a function there,
 * so privileges alone say that nothing is edited; and an id is unique as its batch's number and a place in it, without a key.
 */
async function distributeTables({ client }: Transaction, tables: readonly string[]): Promise<void> {
  const { rows: dependents } = await client.query<Dependent>(DEPENDENTS, [tables]);
  for (const { drop } of dependents.toReversed()) await client.query(drop);
  const { rows: beside } = await client.query<{ drop: string }>(BESIDE, [tables]);
  for (const { drop } of beside) await client.query(drop);
  const [first] = DISTRIBUTED;
  if (tables.includes(first)) {
    await client.query(
      'drop index entries_by_id; create index entries_by_id on entries (entry_id)',
    );
  }
  for (const table of tables) {
    await client.query(
      `select create_distributed_table($1, 'tenant_id', colocate_with => $2::text)`,
      [table, table === first ? 'default' : first],
    );
  }
  for (const table of APPEND_ONLY) {
    await client.query(`revoke update, delete, truncate on ${table} from public, current_user`);
  }
  await client.query('set local citus.enable_ddl_propagation to off');
  for (const { make, grants } of dependents) {
    await client.query([make, ...grants].join(';\n'));
  }
}

/**
 * The planner cannot know how little a look-up on the shards finds, believes that questions over them are long, and would
 * compile each for seconds before it takes milliseconds to answer. Sessions that are opened from now on do not.
 */
const NOTHING_IS_COMPILED = `do $$ begin
  execute format('alter database %I set jit to off', current_database());
end $$`;

const PURE_FUNCTIONS_TO_WORKERS = `
  select create_distributed_function(p.oid::regprocedure) from pg_proc p
  where p.pronamespace = 'public'::regnamespace and p.provolatile = 'i' and p.prokind in ('f', 'a')
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.prokind desc, p.proname`;

interface Dependent {
  readonly drop: string;
  readonly make: string;
  readonly grants: readonly string[];
}

/** Views and functions over tables, by their row types too, and what depends on those, the nearest first. */
const DEPENDENTS = `
  with recursive dependent(kind, oid, level) as (
    select 'pg_class'::regclass, t::regclass::oid, 0 from unnest($1::text[]) t
    union
    select found.kind, found.oid, d.level + 1 from dependent d cross join lateral (
      select 'pg_class'::regclass as kind, r.ev_class as oid
      from pg_depend p join pg_rewrite r on r.oid = p.objid and p.classid = 'pg_rewrite'::regclass
      where p.refclassid = d.kind and p.refobjid = d.oid and r.ev_class <> d.oid
      union
      select 'pg_proc'::regclass, p.objid from pg_depend p
      where p.classid = 'pg_proc'::regclass and (p.refclassid = d.kind and p.refobjid = d.oid
        or d.kind = 'pg_class'::regclass and p.refclassid = 'pg_type'::regclass
          and p.refobjid in (select t.oid from pg_type t where t.typrelid = d.oid))
    ) found
  ), placed as (
    select kind, oid, max(level) as level from dependent where level > 0 group by kind, oid
  )
  select 'drop function ' || p.oid::regprocedure as drop, pg_get_functiondef(p.oid) as make, array[]::text[] as grants,
    d.level
  from placed d join pg_proc p on p.oid = d.oid where d.kind = 'pg_proc'::regclass
  union all
  select 'drop view ' || c.oid::regclass, 'create view ' || c.oid::regclass
      || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '') || ' as ' || rtrim(pg_get_viewdef(c.oid), ';'),
    array(select 'grant ' || a.privilege_type || ' on ' || c.oid::regclass || ' to '
        || case a.grantee when 0 then 'public' else a.grantee::regrole::text end
      from aclexplode(c.relacl) a where a.grantee <> c.relowner), d.level
  from placed d join pg_class c on c.oid = d.oid where d.kind = 'pg_class'::regclass
  order by 4`;

/** Triggers and policies of the tables. */
const BESIDE = `
  select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass) as drop from pg_trigger t
  where not t.tgisinternal and t.tgrelid = any($1::text[]::regclass[])
  union all
  select format('drop policy %I on %s', p.polname, p.polrelid::regclass) from pg_policy p
  where p.polrelid = any($1::text[]::regclass[])
  union all
  select format('alter table %s disable row level security', c.oid::regclass) from pg_class c
  where c.relrowsecurity and c.oid = any($1::text[]::regclass[])`;
