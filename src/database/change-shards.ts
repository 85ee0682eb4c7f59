import type { Database } from './database.ts';

/**
 * Brings the nodes to the form that tables have on the coordinator: columns, checks and indexes that a migration added,
 * changed or dropped there, what it set of how they are stored, and pure functions that it changed. Citus would hand on a change of a table itself, but of none
 * whose rows are an argument of a function that a view calls. Doing it again changes nothing.
 */
export async function changeShards(database: Database, tables: readonly string[]): Promise<void> {
  const { rows } = await database.pool.query<{ success: boolean; result: string }>(
    `with due as (${DUE}) select r.success, r.result from due cross join lateral run_command_on_all_nodes(
       replace(replace($2, 'DUE', quote_literal(due.tables)), 'PURE', quote_literal(due.pure))) r`,
    [tables, CHANGE],
  );
  const failed = rows.find(({ success }) => !success);
  if (failed !== undefined) {
    throw new Error(`a node did not take over how its shards are to be: ${failed.result}`);
  }
}

/** What the tables have on the coordinator, as JSON. A key is another one on each shard, and is never changed. */
const DUE = `
  select jsonb_agg(jsonb_build_object('table', t, 'columns', (
      select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)
        || case when c.collname <> 'default' then format(' collate %I', c.collname) else '' end
        || case when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end
        || case when a.attnotnull then ' not null' else '' end) order by a.attnum)
      from pg_attribute a left join pg_collation c on c.oid = a.attcollation
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = t::regclass and a.attnum > 0 and not a.attisdropped
    ), 'checks', (
      select coalesce(jsonb_object_agg(k.conname, pg_get_constraintdef(k.oid)), '{}') from pg_constraint k
      where k.conrelid = t::regclass and k.contype = 'c'
    ), 'indexes', (
      select coalesce(jsonb_object_agg(i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)), '{}') from pg_index i
      where i.indrelid = t::regclass and not i.indisprimary
    ), 'options', (select array_to_string(reloptions, ', ') from pg_class where oid = t::regclass)))::text as tables,
    (select jsonb_object_agg(p.oid::regprocedure, pg_get_functiondef(p.oid)) from pg_proc p
      where p.pronamespace = 'public'::regnamespace and p.provolatile = 'i' and p.prokind = 'f'
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e'))::text as pure
  from unnest($1::text[]) t`;

/** A shard is named as its table with a number after it, and so are its indexes. */
const CHANGE = `do $change$
declare
  kept record;
  part record;
begin
  perform set_config('citus.enable_ddl_propagation', 'off', true),
    set_config('citus.override_table_visibility', 'off', true);
  perform set_config('check_function_bodies', 'off', true);
  for part in select d.value as text from jsonb_each_text(PURE::jsonb) d
    where pg_get_functiondef(to_regprocedure(d.key)) <> d.value
  loop
    execute part.text;
  end loop;
  for kept in
    select t.value as due, c.oid as id, c.oid::regclass as name, array_to_string(c.reloptions, ', ') as options, coalesce(substring(c.relname from '_\\d+$'), '') as suffix
    from jsonb_array_elements(DUE::jsonb) t
    join pg_class c on c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
      and c.relname ~ ('^' || (t.value ->> 'table') || '(_\\d+)?$')
  loop
    if kept.options is distinct from kept.due ->> 'options' and kept.due ->> 'options' is not null then
      execute format('alter table %s set (%s)', kept.name, kept.due ->> 'options');
    end if;
    for part in select d.value ->> 'name' as name, d.value ->> 'type' as type
      from jsonb_array_elements(kept.due -> 'columns') d
      where not exists (select from pg_attribute a where a.attrelid = kept.id and a.attname = d.value ->> 'name')
    loop
      execute format('alter table %s add column %I %s', kept.name, part.name, part.type);
    end loop;
    for part in select k.conname as name from pg_constraint k where k.conrelid = kept.id and k.contype = 'c'
      and pg_get_constraintdef(k.oid) is distinct from kept.due -> 'checks' ->> k.conname
    loop
      execute format('alter table %s drop constraint %I', kept.name, part.name);
    end loop;
    for part in select d.key as name, d.value as text from jsonb_each_text(kept.due -> 'checks') d
      where not exists (select from pg_constraint k where k.conrelid = kept.id and k.conname = d.key)
    loop
      execute format('alter table %s add constraint %I %s', kept.name, part.name, part.text);
    end loop;
    for part in select c.relname as name, right(pg_get_indexdef(c.oid), -strpos(pg_get_indexdef(c.oid), ' USING ')) as form,
        left(c.relname, length(c.relname) - length(kept.suffix)) as named
      from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = kept.id and not i.indisprimary
    loop
      continue when part.form = right(kept.due -> 'indexes' ->> part.named,
        -strpos(kept.due -> 'indexes' ->> part.named, ' USING '));
      execute format('drop index %I', part.name);
    end loop;
    for part in select d.key || kept.suffix as name, d.value as text from jsonb_each_text(kept.due -> 'indexes') d
      where not exists (select from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = kept.id and c.relname = d.key || kept.suffix)
    loop
      execute regexp_replace(part.text, 'INDEX .* ON \\S+ USING', format('INDEX %I ON %s USING', part.name, kept.name));
    end loop;
  end loop;
end $change$`;
