import type pg from 'pg';

/**
 * Keeps what every table holds, and takes a database back to it while the caller goes on using it: what
 * restoring a dump does to a ledger, at the cost of a few statements.
 */
export async function dumpTables(client: Pick<pg.Pool, 'query'>): Promise<void> {
  await client.query(`drop schema if exists dumped cascade; create schema dumped;
    create table dumped.sequences as
      select sequencename::text as name, last_value from pg_sequences where schemaname = 'public';
    do $$ declare name text; filled boolean; begin
      for name in select pristine.own_tables() loop
        execute format('select exists (select 1 from %s)', name) into filled;
        if filled then execute format('create table dumped.%I as table %s', name, name); end if;
      end loop;
    end $$`);
}

export async function restoreTables(client: Pick<pg.Pool, 'query'>): Promise<void> {
  await client.query(`do $$ declare name text; kept record; filled boolean; begin
      set local session_replication_role = replica;
      for name in select pristine.own_tables() loop
        execute format('select exists (select 1 from %s)', name) into filled;
        if filled then execute 'delete from ' || name; end if;
        if to_regclass('dumped.' || name) is not null then
          execute format('insert into %s overriding system value table dumped.%I', name, name);
        end if;
      end loop;
      for kept in select * from dumped.sequences loop
        perform setval(kept.name::regclass, coalesce(kept.last_value, 1), kept.last_value is not null);
      end loop;
    end $$`);
}

/** A database is as new only without it. */
export async function dropDump(client: Pick<pg.Pool, 'query'>): Promise<void> {
  await client.query('drop schema if exists dumped cascade');
}
