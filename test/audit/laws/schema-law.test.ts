import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSchema } from '../../../src/audit/laws/schema-law.ts';
import { makeRoles } from '../../../src/database/roles.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase } from '../../support/database.ts';
import { undone } from '../../support/undone.ts';

describe('law 12', () => {
  let walled: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
  beforeAll(async () => {
    walled = await createDatabase();
    await makeRoles(walled.database);
  });
  afterAll(() => walled.drop());

  it.each([
    [
      'grant update on entries to spanledger_worker',
      'grant on public.entries to spanledger_worker was changed',
    ],
    [
      'grant select (cost) on entries to spanledger_tenant',
      'grant on public.entries to spanledger_tenant was changed',
    ],
    ['grant select on push_intents to public', 'grant on public.push_intents to public was added'],
    [
      'revoke select on closes from spanledger_reader',
      'grant on public.closes to spanledger_reader is gone',
    ],
    [
      'grant create on schema public to spanledger_tenant',
      'grant on schema public to spanledger_tenant was added',
    ],
    ['alter view wall.budgets set (security_barrier = false)', 'view wall.budgets was changed'],
    ['create view wall.closes as select * from public.closes', 'view wall.closes was added'],
    [
      'grant execute on function keep_change() to public',
      'grant on function public.keep_change() to public was added',
    ],
    [
      'grant execute on function keep_change() to spanledger_worker',
      'grant on function public.keep_change() to spanledger_worker was added',
    ],
    [
      'grant update on sequence act_numbers to spanledger_worker',
      'grant on public.act_numbers to spanledger_worker was added',
    ],
    [
      'grant usage on sequence batches_batch_id_seq to public',
      'grant on public.batches_batch_id_seq to public was added',
    ],
  ])('names a right or a view of the roles that is not as it was made: %s', (statement, named) =>
    undone(walled.database, async (inside) => {
      expect((await checkSchema(inside)).violations).toEqual([]);
      await inside.pool.query(statement);
      expect((await checkSchema(inside)).violations).toEqual([named]);
    }),
  );

  it.each([
    [
      'alter table push_intents disable trigger all',
      'foreign keys of push_intents are not checked',
    ],
    [
      'alter table closes force row level security',
      'row-level security of closes hides rows from the owner, too',
    ],
    [
      'alter table verifications set unlogged',
      'table verifications is not logged, so that a crash would empty it',
    ],
    [
      'alter role spanledger_tenant bypassrls',
      'role spanledger_tenant may do more than a role of the ledger',
    ],
    [
      'grant spanledger_reader to spanledger_tenant',
      'role spanledger_tenant is a member of spanledger_reader',
    ],
    [
      'grant pg_read_all_data to spanledger_reader',
      'role spanledger_reader is a member of pg_read_all_data',
    ],
    [
      'alter role spanledger_worker set synchronous_commit = off',
      'setting synchronous_commit=off was made for spanledger_worker',
    ],
    [
      `update pg_index set indisunique = false where indexrelid = 'entries_pkey'::regclass`,
      'constraint entries_pkey of entries was changed',
    ],
    [
      `update pg_index set indisvalid = false where indexrelid = 'entries_by_id'::regclass`,
      'index entries_by_id of entries was changed',
    ],
    [
      `drop index entries_by_response; create unique index entries_by_response on entries
         (hashtextextended(response_id, 0), tenant_id, member_id, (case when shares_response then entry_id else 1::bigint end))
         where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok'`,
      'index entries_by_response of entries was changed',
    ],
    ['create rule hidden as on update to push_intents do instead nothing', 'rule hidden was added'],
    [
      `select nextval('act_numbers'); insert into changes (of_table, row_key, act, actor, act_id)
       values ('tenants', '{}', 'a', 'b', 1000000)`,
      'sequence act_numbers was set back: it gives numbers once more',
    ],
    [
      `insert into batches (kind, recorded_at, entries, charge, cost) values ('ingest', now(), 0, 0, 0);
       alter sequence batches_batch_id_seq restart with 1`,
      'sequence batches_batch_id_seq was set back: it gives numbers once more',
    ],
  ])('names what lets others write, read or lose more than we promise: %s', (statement, named) =>
    undone(walled.database, async (inside) => {
      await inside.pool.query(statement);
      expect((await checkSchema(inside)).violations).toContain(named);
    }),
  );

  it.each([
    ['function keep_change()', 'function keep_change()'],
    ['schema public', 'schema public'],
    ['table push_intents', 'table push_intents'],
    ['sequence act_numbers', 'sequence act_numbers'],
    ['view audit.entries', 'view audit.entries'],
  ])('names what belongs to somebody else: %s', (thing, named) =>
    undone(walled.database, async (inside) => {
      const other = `other_${walled.database.name.slice(-12)}`;
      await inside.pool.query(`create role ${other} login; alter ${thing} owner to ${other}`);
      expect((await checkSchema(inside)).violations).toContain(`${named} belongs to ${other}`);
    }),
  );

  it('names a role of ours that the schema public belongs to', () =>
    undone(walled.database, async (inside) => {
      await inside.pool.query('alter schema public owner to spanledger_worker');
      expect((await checkSchema(inside)).violations).toContain(
        'schema public belongs to spanledger_worker',
      );
    }));

  it("accepts a cloud's role as owner of schema public until one of our logins is its member", () =>
    undone(walled.database, async (inside) => {
      const cloud = `cloud_${walled.database.name.slice(-12)}`;
      await inside.pool.query(
        `create role ${cloud} createrole createdb; create role admin_of_${cloud} login in role ${cloud}; alter schema public owner to ${cloud}`,
      );
      expect((await checkSchema(inside)).violations).toEqual([]);
      await inside.pool.query(
        `create role worker_of_${cloud} login in role spanledger_worker, admin_of_${cloud}`,
      );
      expect((await checkSchema(inside)).violations).toEqual([`schema public belongs to ${cloud}`]);
    }));

  it('accepts an owner without superuser rights whose roles a superuser made', () =>
    undone(walled.database, async (inside) => {
      const other = `other_${walled.database.name.slice(-12)}`;
      await inside.pool.query(`create role ${other}; create role third_of_${other};
        do $$ begin
          for number in 1..1000 loop
            execute format('create view public.my_view_%s as select 1 as one; alter view public.my_view_%1$s owner to third_of_${other}', number);
          end loop;
        end $$;
        do $$ declare ours record; begin
          for ours in select c.oid::regclass as name from pg_class c where c.relkind in ('r', 'v') and c.relnamespace in ('public'::regnamespace, 'audit'::regnamespace) and c.relname not like 'my\\_view%' loop
            execute format('alter table %s owner to ${other}', ours.name);
          end loop;
          for ours in select p.oid::regprocedure as name from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' loop
            execute format('alter function %s owner to ${other}', ours.name);
          end loop;
        end $$`);
      const { violations } = await checkSchema(inside);
      expect(violations.filter((violation) => violation.includes(' belongs to '))).toEqual([]);
    }));

  it('names what a copy that was restored without its rights lets everybody do, until the roles are made again', () =>
    undone(walled.database, async (inside) => {
      await inside.pool.query('grant execute on function keep_change() to public');
      await makeRoles(inside);
      expect((await checkSchema(inside)).violations).toEqual([]);
    }));

  it('names what a user of the ledger finds before ours in the schema of its own name', () =>
    undone(walled.database, async (inside) => {
      const user = `login_${walled.database.name.slice(-12)}`;
      await inside.pool.query(`create role ${user} login in role spanledger_worker;
        create schema ${user}; create table ${user}.notes (text text)`);
      expect((await checkSchema(inside)).violations).toEqual([]);
      await inside.pool.query(`create function ${user}.entry_hash(entries, bytea) returns bytea
        language sql as $$ select null::bytea $$`);
      expect((await checkSchema(inside)).violations).toEqual([
        `schema ${user} has what its user finds before ours`,
      ]);
    }));

  it('names nothing that somebody else has beside ours and that changes nothing of ours', async () => {
    const { name } = walled.database;
    const other = `other_${name.slice(-12)}`;
    const violations = await undone(walled.database, async (inside) => {
      await inside.pool.query(`create schema theirs; create role ${other};
      create type theirs.money as (units bigint);
      create function theirs.plus(theirs.money, theirs.money) returns theirs.money language sql as $$ select $1 $$;
      create operator theirs.+ (leftarg = theirs.money, rightarg = theirs.money, function = theirs.plus);
      create cast (theirs.money as text) with inout;
      create table theirs.orders (order_id bigint primary key);
      create index theirs_orders on theirs.orders (order_id desc);
      create index theirs_of_entries on entries (trace_id, source);
      create view theirs.spend as select tenant_id, sum(charge) as charge from entries group by tenant_id;
      create view my_spend as select tenant_id, sum(charge) as charge from entries group by tenant_id;
      create sequence my_numbers;
      alter view my_spend owner to ${other}; alter sequence my_numbers owner to ${other};
      grant usage on sequence my_numbers to public;
      create extension pg_stat_statements schema public;
      create function theirs.watch() returns event_trigger language plpgsql as $$ begin end $$;
      create event trigger theirs_watch on ddl_command_end execute function theirs.watch();
      alter role ${other} in database ${name} set session_replication_role = 'replica';
      alter role ${other} in database ${name} set search_path = theirs, public`);
      return (await checkSchema(inside)).violations;
    });
    expect(violations).toEqual([]);
  });
});
