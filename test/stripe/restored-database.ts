import type { Database } from '../../src/database/database.ts';

/**
 * Keeps every row of the database, and puts it back as a restore from a backup does: what was told in between is on
 * no record any more. A server's own backup would take seconds for each of hundreds of histories.
 */
export async function backUp({ pool }: Database): Promise<void> {
  await pool.query(`
    drop schema if exists backup cascade;
    create schema backup;
    do $$ declare name text; begin
      for name in ${OWN_TABLES} loop
        execute format('create table backup.%I as table public.%I', name, name);
      end loop;
    end $$;
    create table backup.sequence_values as
      select schemaname, sequencename, start_value, last_value from pg_sequences where schemaname = 'public'`);
}

export async function restore({ pool }: Database): Promise<void> {
  const client = await pool.connect();
  try {
    // The triggers that keep the ledger from being edited stand aside for this one session.
    await client.query(`set session_replication_role = replica;
      do $$ declare name text; columns text; begin
        for name in ${OWN_TABLES} loop
          select string_agg(quote_ident(attname), ', ') into columns from pg_attribute
            where attrelid = format('public.%I', name)::regclass and attnum > 0 and not attisdropped and attgenerated = '';
          execute format('delete from public.%I', name);
          execute format('insert into public.%I (%s) overriding system value select %s from backup.%I',
            name, columns, columns, name);
        end loop;
      end $$;
      select setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, start_value),
        last_value is not null) from backup.sequence_values;
      drop schema backup cascade`);
  } finally {
    client.release(true);
  }
}

const OWN_TABLES = `select c.relname from pg_class c
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1`;
