import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';
import { Migrator } from 'kysely/migration';
import { pause } from '../clock.ts';
import { present } from '../present.ts';
import { Refusal } from '../refusal.ts';
import { andMore } from '../text/counted.ts';
import { version } from '../version.ts';
import type { Database } from './database.ts';
import { isNotAllowed, sqlState } from './database.ts';

/** Ships beside the sources, so that any commit carries the schema that it needs. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));

/** The oldest server that is supported is PostgreSQL 15. */
const OLDEST_SERVER = 150_000;

/**
 * Applies what is missing, each file in one transaction, and returns the names applied. Safe from
 * many processes at once: the migrator holds an advisory lock. An applied file that was edited since
 * is refused, because then nobody knows what the schema is.
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  await refuseOldServer(database);
  await refuseOtherSchema(database);
  const files = await readMigrations();
  const newer = await readNewer(
    database,
    files.map(({ name }) => name),
  );
  if (newer.length > 0) throw olderThan(newer);
  await refuseOtherEncoding(database);
  await refuseForeignTables(database, files);
  const migrator = new Migrator({
    db: database.kysely,
    provider: providerOf(files),
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migrations_lock',
  });
  const results = await applyMissing(migrator);
  await checkHashes(database, files);
  return results.map((result) => result.migrationName);
}

/**
 * Refuses a new database of an encoding in which the schema cannot be made, such as LATIN1. SQL_ASCII, which initdb takes
 * where no locale is set, keeps what it is given, so a ledger of ASCII names is whole there.
 */
async function refuseOtherEncoding(database: Database): Promise<void> {
  const { rows } = await database.pool.query<{ encoding: string; is_new: boolean }>(
    `select current_setting('server_encoding') as encoding, to_regclass('schema_migrations') is null as is_new`,
  );
  const { encoding, is_new: isNew } = present(rows[0], 'the encoding of the database');
  if (encoding === 'UTF8' || encoding === 'SQL_ASCII' || !isNew) return;
  throw new Refusal(
    'misconfigured',
    `the database keeps its texts as ${encoding}, which does not hold every name`,
    `make it anew and name it in DATABASE_URL: "create database … encoding 'UTF8' template template0"`,
  );
}

/**
 * Refuses a session that would make its tables elsewhere than in the schema public, where the functions of the ledger look
 * for them: one whose user has a schema of its own name, say. It finds no ledger that stands in public either.
 */
async function refuseOtherSchema(database: Database): Promise<void> {
  const { rows } = await database.pool.query<{ schema: string | null; path: string }>(
    `select current_schema() as schema, current_setting('search_path') as path`,
  );
  const { schema, path } = present(rows[0], 'the schema of the session');
  if (schema === 'public') return;
  throw new Refusal(
    'misconfigured',
    `the ledger stands in the schema public, and this session would make its tables in ${schema === null ? 'none' : `"${schema}"`} (its search_path is ${path})`,
    'let the user of DATABASE_URL begin there ("alter role … set search_path = public"), or add ?options=-c%20search_path%3Dpublic to DATABASE_URL; nothing was changed',
  );
}

/**
 * Refuses a database in which another program keeps tables of the names that the first migration would make. Nothing is left
 * behind there, not even the table of migrations.
 */
async function refuseForeignTables(
  database: Database,
  files: readonly MigrationFile[],
): Promise<void> {
  const own = files.flatMap(({ text }) =>
    [...text.matchAll(/^create (?:unlogged )?table (?:if not exists )?([a-z_]+)/gim)].map(
      ([, name]) => name,
    ),
  );
  const { rows } = await database.pool.query<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relname = any($1)
        and not exists (
          select from pg_attribute where attrelid = to_regclass('schema_migrations') and attname = 'timestamp'
        )
      order by 1`,
    [[...own, 'schema_migrations']],
  );
  if (rows.length === 0) return;
  const names = rows.slice(0, 3).map(({ name }) => `"${name}"`);
  throw new Refusal(
    'misconfigured',
    `this database has tables of another program, whose names Spanledger needs: ${andMore(names, rows.length)}`,
    'name a database of its own in DATABASE_URL (create database spanledger); nothing was changed',
  );
}

/** Another process has dropped its table within moments; so many tries in vain are a fault of another kind. */
const MOST_TRIES = 10;

/**
 * The migrator looks at every table before it has its lock. One that another process drops meanwhile, in a
 * migration of its own, ends that look; the next one sees what is there by then.
 */
async function applyMissing(migrator: Migrator) {
  for (let attempt = 1; ; attempt += 1) {
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error === undefined) return results;
    const hasBegun = results.length > 0;
    if (hasBegun || sqlState(error) !== UNDEFINED_TABLE || attempt === MOST_TRIES) throw error;
    await pause(100 * attempt);
  }
}

const UNDEFINED_TABLE = '42P01';
/** A table of that name, or its column, that is not there. */
const NO_SUCH: ReadonlySet<string | null> = new Set([UNDEFINED_TABLE, '42703']);

/**
 * Explains a fault of a schema that does not fit as what it is where a newer version of this program made that schema;
 * null where it is not so, or where the database's user may not read which migrations were applied.
 */
export async function explainNewerSchema(database: Database): Promise<Refusal | null> {
  try {
    const newer = await readNewer(database, await migrationNames());
    return newer.length === 0 ? null : olderThan(newer);
  } catch (error) {
    if (isNotAllowed(error)) return null;
    throw error;
  }
}

/**
 * Reads the migrations of this program that were not applied to the database; none where nothing says which were, or where
 * the database's user may not read it.
 */
export async function readUnapplied({ pool }: Database): Promise<readonly string[]> {
  try {
    const { rows } = await pool.query<{ name: string }>('select name from schema_migrations');
    const applied = new Set(rows.map(({ name }) => name));
    return (await migrationNames()).filter((name) => !applied.has(name));
  } catch (error) {
    if (isNotAllowed(error) || NO_SUCH.has(sqlState(error))) return [];
    throw error;
  }
}

/** Reads the migrations that were applied and that this program does not have. */
async function readNewer(database: Database, known: readonly string[]): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ is_migrated: boolean }>(
    `select exists (
       select from pg_attribute where attrelid = to_regclass('schema_migrations') and attname = 'timestamp'
     ) as is_migrated`,
  );
  if (rows[0]?.is_migrated !== true) return [];
  const applied = await database.pool.query<{ name: string }>(
    `select name from schema_migrations where name <> all($1) order by name`,
    [known],
  );
  return applied.rows.map(({ name }) => name);
}

function olderThan(newer: readonly string[]): Refusal {
  return new Refusal(
    'not_migrated',
    `this program, version ${version()}, is older than the schema of the database, which has ${andMore(newer.slice(-1), newer.length)} that it does not know`,
    'use the version of the program that made this schema, or a newer one; a schema does not go back, and going back to a program of before needs no "migrate" (infra/README.md, "Upgrading and going back")',
  );
}

interface MigrationFile {
  readonly name: string;
  readonly text: string;
  readonly hash: string;
}

async function readMigrations(): Promise<readonly MigrationFile[]> {
  return Promise.all(
    (await migrationNames()).map(async (name) => {
      const text = await readFile(`${MIGRATIONS}${name}.sql`, 'utf8');
      const hash = createHash('sha256').update(text).digest('hex');
      return { name, text, hash };
    }),
  );
}

async function migrationNames(): Promise<readonly string[]> {
  const files = await readdir(MIGRATIONS);
  return files.flatMap((file) => /^(\d{4}-.+)\.sql$/.exec(file)?.slice(1) ?? []).sort();
}

function providerOf(files: readonly MigrationFile[]): MigrationProvider {
  const migrations: Record<string, Migration> = {};
  for (const file of files) {
    migrations[file.name] = {
      up: async (db) => {
        // Where tables are distributed, their shards are changed after all migrations: Citus itself refuses some changes.
        await sql`select set_config('citus.enable_ddl_propagation', 'off', true)`.execute(db);
        await sql.raw(file.text).execute(db);
      },
    };
  }
  return { getMigrations: async () => migrations };
}

/** The first run after a file was applied records its hash; every later run compares. */
async function checkHashes(database: Database, files: readonly MigrationFile[]): Promise<void> {
  // The statements run in one transaction, under a lock: two that create a table at once fail, "if
  // not exists" or not.
  await database.pool.query(
    `select pg_advisory_xact_lock(hashtextextended('schema_migration_hashes', 0));
     create table if not exists schema_migration_hashes (name text primary key, hash text not null)`,
  );
  for (const file of files) {
    const { rows } = await database.pool.query<{ hash: string }>(
      `with added as (
         insert into schema_migration_hashes values ($1, $2) on conflict (name) do nothing returning hash
       )
       select hash from added union all select hash from schema_migration_hashes where name = $1`,
      [file.name, file.hash],
    );
    if (rows[0] !== undefined && rows[0].hash !== file.hash) {
      throw new Refusal(
        'conflict',
        `migrations/${file.name}.sql was edited after it had been applied to this database`,
        'restore the file, and put the change into a new migration with the next number',
      );
    }
  }
}

async function refuseOldServer(database: Database): Promise<void> {
  const { rows } = await database.pool.query<{ server_version_num: string }>(
    'show server_version_num',
  );
  const version = Number(rows[0]?.server_version_num ?? 0);
  if (version < OLDEST_SERVER) {
    throw new Refusal(
      'misconfigured',
      `the server is PostgreSQL ${Math.floor(version / 10_000)}; 15 is the oldest that works`,
      'point DATABASE_URL at PostgreSQL 15 or newer',
    );
  }
}
