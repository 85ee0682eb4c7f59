import type { Database } from './database.ts';
import { DISTRIBUTED, isDistributed } from './distribute.ts';

/**
 * Takes from the nodes that keep shards what versions before let Citus make there: the functions by which the views of a
 * tenant read as the owner does, and those views. Whose session it is only the coordinator knows.
 */
export async function clearNodes(database: Database): Promise<void> {
  if (!(await isDistributed(database))) return;
  const { rows } = await database.pool.query<NodeAnswer>(
    'select nodename, nodeport, success, result from run_command_on_workers($1)',
    [CLEAR],
  );
  const failed = rows.find(({ success }) => !success);
  if (failed !== undefined) {
    throw new Error(
      `${nameOf(failed)} keeps what a tenant's views are made of: ${failed.result ?? ''}`,
    );
  }
}

/**
 * Reads what a login of a tenant could read past its views, each node by name: shards, and functions that read them as their
 * owner. Nothing where nothing is distributed; a node that does not answer is named, too.
 */
export async function readOpenNodes(database: Database): Promise<readonly string[]> {
  if (!(await isDistributed(database))) return [];
  const { rows } = await database.pool.query<NodeAnswer>(
    `select n.nodename, n.nodeport, r.success, r.result
     from run_command_on_all_nodes(replace($1, 'TABLES', quote_literal($2::text))) r join pg_dist_node n using (nodeid)
     where r.result <> '' or not r.success order by 1, 2`,
    [OPEN, DISTRIBUTED.join('|')],
  );
  return rows.map((row) =>
    row.success
      ? `${nameOf(row)} lets a tenant's login read ${row.result}`
      : `${nameOf(row)} does not say what a tenant's login may read there: ${row.result ?? ''}`,
  );
}

interface NodeAnswer {
  readonly nodename: string;
  readonly nodeport: number;
  readonly success: boolean;
  readonly result: string | null;
}

function nameOf({ nodename, nodeport }: NodeAnswer): string {
  return `the node ${nodename}:${nodeport}`;
}

/** It has no effect on views and functions of the operator's own. */
const CLEAR = `do $clear$
declare
  made text;
begin
  perform set_config('citus.enable_ddl_propagation', 'off', true);
  for made in select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'v' and (n.nspname, c.relname) in (('tenant', 'entries'), ('wall', 'entries'),
      ('wall', 'structure_spans'), ('wall', 'charge_shares'), ('wall', 'run_rollups'))
  loop
    execute 'drop view if exists ' || made || ' cascade';
  end loop;
  for made in select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname in ('own_entries', 'own_spans', 'own_runs')
  loop
    execute 'drop function ' || made;
  end loop;
end $clear$`;

/** On the coordinator itself a function of the owner is the wall. */
const OPEN = `
  select coalesce(string_agg(name, ', ' order by name), '') from (
    select c.oid::regclass::text as name from pg_class c, pg_roles t
    where t.rolname = 'spanledger_tenant' and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
      and c.relname ~ ('^(' || TABLES || ')(_\\d+)?$') and has_any_column_privilege(t.oid, c.oid, 'select')
    union all
    select p.oid::regprocedure::text from pg_proc p join pg_class c on c.reltype = p.prorettype, pg_roles t
    where t.rolname = 'spanledger_tenant' and p.prosecdef and c.relnamespace = 'public'::regnamespace
      and c.relname ~ ('^(' || TABLES || ')(_\\d+)?$') and has_function_privilege(t.oid, p.oid, 'execute')
      and (select groupid from pg_dist_local_group) <> 0
  ) open`;
