import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { readUnapplied } from '../../database/migrate.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { andMore } from '../../text/counted.ts';

/** What a worker does to each table; migrations/roles.sql grants as much to spanledger_worker. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  insert: [
    'entries',
    'structure_spans',
    'second_reports',
    'unnamed_spans',
    'batches',
    'receipts',
    'quarantine',
    'seals',
    'tenants',
    'periods',
    'fold_queue',
    'seal_queue',
    'settle_queue',
    'usage_rollups',
    'run_usage',
    'ledger_rollups',
    'exchange_rollups',
    'ledger_exchange_rollups',
    'budget_counters',
    'run_steps',
    'kept_holds',
  ],
  select: [
    'price_books',
    'price_rates',
    'tenant_price_books',
    'default_price_books',
    'exchange_versions',
    'exchange_rates',
    'tenant_calendar_changes',
    'catalog_revisions',
    'budgets',
    'closes',
    'batch_leaves',
  ],
  update: [
    ...['usage_rollups', 'run_usage', 'ledger_rollups', 'exchange_rollups'],
    ...['ledger_exchange_rollups', 'budget_counters', 'budget_holds', 'kept_holds'],
  ],
  delete: [
    ...['fold_queue', 'seal_queue', 'change_queue', 'settle_queue', 'run_steps', 'budget_holds'],
  ],
};

/** Tables that have policies for whoever does not stand above them. */
const GUARDED = ['entries', 'closes', 'periods'];

/**
 * Throws a `Refusal` where this session cannot do a worker's work. A schema may have every table and still lack a column: a
 * worker of a newer version would receive there, and fold nothing. Row-level security would hide rows from
 * the look-ups and forbid COPY, and the right to be above it is one's own: who is granted the worker's
 * role inherits its grants, and not that.
 */
export async function refuseUnfitSession(database: Database): Promise<void> {
  const tables = [...new Set(Object.values(NEEDED).flat())];
  const { rows } = await sql<SessionRow>`
    select current_user as user,
      array(select name from unnest(${tables}::text[]) name where to_regclass(name) is null) as missing,
      array(select name from unnest(${GUARDED}::text[]) name
        where row_security_active(to_regclass(name)::oid)) as guarded,
      array(select privilege || ' on ' || name
        from unnest(${pairs(([privilege]) => privilege)}::text[], ${pairs(([, name]) => name)}::text[])
          needed(privilege, name)
        -- Of these a worker may write some columns only.
        where not has_table_privilege(to_regclass(name)::oid, privilege)
          and not (name in ('tenants', 'periods') and has_column_privilege(to_regclass(name)::oid, 'tenant_id', privilege))
        -- It reads the journal through this alone.
        union all select 'execute on ' || name from unnest(array['changes_digest(bigint[])']) name
        where not has_function_privilege(to_regprocedure(name)::oid, 'execute')) as lacking`.execute(
    database.kysely,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the session did not answer what it may do');
  if (row.missing.length > 0) {
    throw new Refusal(
      'not_migrated',
      `the database has no table ${row.missing.join(', ')}`,
      advise`run ${{ operation: 'migrate', roles: false }}, and start the worker again`,
    );
  }
  const unapplied = await readUnapplied(database);
  if (unapplied.length > 0) {
    throw new Refusal(
      'not_migrated',
      `the schema of the database is older than this worker, and lacks ${andMore(unapplied.slice(-1), unapplied.length)}`,
      advise`run ${{ operation: 'migrate', roles: false }}, and start the worker again`,
    );
  }
  if (row.lacking.length > 0) {
    throw new Refusal(
      'not_permitted',
      `the database's user ${row.user} may not do what a worker does: ${row.lacking.join(', ')}`,
      advise`make the roles with ${{ operation: 'migrate', roles: true }}, and connect as a user of the worker alone: "create role ingest login password '…' bypassrls in role spanledger_worker"`,
    );
  }
  if (row.guarded.length > 0) {
    throw new Refusal(
      'not_permitted',
      `row-level security applies to the database's user ${row.user} on ${row.guarded.join(', ')}: the right to pass it is not inherited with a role`,
      `let a superuser run "alter role ${row.user} bypassrls"`,
    );
  }
}

interface SessionRow {
  readonly user: string;
  readonly missing: readonly string[];
  readonly guarded: readonly string[];
  readonly lacking: readonly string[];
}

function pairs(of: (pair: readonly [string, string]) => string): readonly string[] {
  return Object.entries(NEEDED).flatMap(([privilege, names]) =>
    names.map((name) => of([privilege, name])),
  );
}
