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
    select string_agg(n || ':' || sum, ',' order by kind) from (
      select 'a' as kind, count(*) as n, sum(hash_record_extended(row(attrelid, attnum, a.xmin), 0)) as sum
        from pg_attribute a join pg_class c on c.oid = attrelid
        where c.relnamespace in ('public'::regnamespace, 'audit'::regnamespace)
      union all select 't', count(*), sum(hash_record_extended(row(oid, xmin), 0)) from pg_trigger
      union all select 'c', count(*), sum(hash_record_extended(row(oid, xmin), 0)) from pg_constraint
      union all select 'r', count(*), sum(hash_record_extended(row(oid, xmin), 0)) from pg_rewrite
      union all select 'd', count(*), sum(hash_record_extended(row(oid, xmin), 0)) from pg_attrdef
      union all select 'f', count(*), sum(hash_record_extended(row(oid, xmin), 0)) from pg_proc
        where pronamespace in ('public'::regnamespace, 'audit'::regnamespace)
      union all select 'i', count(*), sum(hash_record_extended(row(indexrelid, i.xmin), 0)) from pg_index i
        join pg_class c on c.oid = indrelid where c.relnamespace = 'public'::regnamespace
      union all select 's', count(*), sum(hashtextextended(setconfig::text, 0)) from pg_db_role_setting
        where setdatabase = (select oid from pg_database where datname = current_database())
    ) described(kind, n, sum)
  $$;

  create table pristine.facts (schema_state text not null);

  do $$ declare name text; filled boolean; begin
    for name in select pristine.own_tables() loop
      execute format('select exists (select 1 from %s)', name) into filled;
      if filled then execute format('create table pristine.%I as table %s', name, name); end if;
    end loop;
  end $$;

  -- A statement a table, in a function of their own: what a session has planned once, it knows the next time.
  do $$ declare statements text; begin
    select string_agg(
      case when to_regclass('pristine.' || t) is null then format('if exists (select from %s) then delete from %s; end if;', t, t)
      else format('delete from %s; insert into %s overriding system value table pristine.%I;', t, t, t) end, E'\\n')
    into statements from pristine.own_tables() t;
    execute 'create function pristine.reset_tables() returns void language plpgsql as $f$ begin ' || statements || ' end $f$';
  end $$;

  create function pristine.reset() returns boolean language plpgsql as $$
  begin
    if (select schema_state from pristine.facts) <> pristine.schema_state() then return false; end if;
    set local session_replication_role = replica;
    perform pristine.reset_tables();
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
