/**
 * What lets a test's database be used again. Copying the template costs hundreds of files, a reset a
 * few statements; a test cannot tell one from the other, and a database whose schema a test changed is
 * never used again.
 */

/** Run once in the template, after migrating: keeps what a migrated database holds before any use. */
export const KEEP_PRISTINE = `
  create schema pristine;

  create function pristine.own_tables() returns setof text language sql as $$
    select c.oid::regclass::text from pg_class c
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1
  $$;

  -- The version of every row that describes the schema: any DDL, and disabling a trigger too, changes it.
  create function pristine.schema_state() returns text language sql as $$
    select md5(string_agg(d, ',' order by d)) from (
      select 'a' || attrelid || '.' || attnum || ':' || a.xmin from pg_attribute a
        join pg_class c on c.oid = attrelid
        where c.relnamespace in ('public'::regnamespace, 'audit'::regnamespace)
      union all select 't' || oid || ':' || xmin from pg_trigger
      union all select 'c' || oid || ':' || xmin from pg_constraint
      union all select 'r' || oid || ':' || xmin from pg_rewrite
      union all select 'd' || oid || ':' || xmin from pg_attrdef
      union all select 'f' || oid || ':' || xmin from pg_proc
        where pronamespace in ('public'::regnamespace, 'audit'::regnamespace)
      union all select 'i' || indexrelid || ':' || i.xmin from pg_index i
        join pg_class c on c.oid = indrelid where c.relnamespace = 'public'::regnamespace
      union all select 's' || setconfig::text from pg_db_role_setting
        where setdatabase = (select oid from pg_database where datname = current_database())
    ) described(d)
  $$;

  create table pristine.facts (schema_state text not null);

  do $$ declare name text; filled boolean; begin
    for name in select pristine.own_tables() loop
      execute format('select exists (select 1 from %s)', name) into filled;
      if filled then execute format('create table pristine.%I as table %s', name, name); end if;
    end loop;
  end $$;

  create function pristine.reset() returns boolean language plpgsql as $$
  declare name text; filled boolean; begin
    if (select schema_state from pristine.facts) <> pristine.schema_state() then return false; end if;
    set local session_replication_role = replica;
    for name in select t from pristine.own_tables() t
      where pg_relation_size(t::regclass) > 0 or to_regclass('pristine.' || t) is not null loop
      execute format('select exists (select 1 from %s)', name) into filled;
      if filled then execute 'delete from ' || name; end if;
      if to_regclass('pristine.' || name) is not null then
        execute format('insert into %s overriding system value table pristine.%I', name, name);
      end if;
    end loop;
    -- A restart would give each sequence a file of its own, and every session would forget what it knew of it.
    perform setval(seqrelid::regclass, seqstart, false) from pg_sequence join pg_class c on c.oid = seqrelid
      where c.relnamespace = 'public'::regnamespace;
    -- A migration itself writes the first changes down.
    perform setval('changes_change_id_seq', coalesce(max(change_id), 0) + 1, false) from changes;
    perform setval('act_numbers', coalesce(max(act_id), 0) + 1, false) from changes;
    return true;
  end $$;

  insert into pristine.facts select pristine.schema_state();
`;
