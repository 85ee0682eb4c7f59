import { sql } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOURNALED } from '../../src/audit/laws/journal-law-store.ts';
import { actingAs, UNSAID } from '../../src/database/acting.ts';
import { behindWall } from '../../src/database/behind-wall.ts';
import {
  closeDatabase,
  type Database,
  inTransaction,
  openDatabase,
} from '../../src/database/database.ts';
import { makeRoles } from '../../src/database/roles.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { SOURCE_FILES } from '../support/source-files.ts';

/** What is said of an act, and what of a tenant, holds in each transaction and in no session. */

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase({ connections: 3 }));
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await makeRoles(database);
});

afterAll(() => drop());

const ADA = { actor: 'ada', act: 'tenant set', reason: 'she was asked to' };

const SET = "update tenants set stripe_customer = 'cus_' || gen_random_uuid()";

async function lastAct(): Promise<unknown> {
  const rows = await textRows(
    database,
    'select actor, act, reason from changes order by change_id desc limit 1',
  );
  return rows[0];
}

describe('an act is said of a change', () => {
  it.each<[string, (acted: Database) => Promise<unknown>]>([
    ['a statement of the query builder', ({ kysely }) => sql.raw(SET).execute(kysely)],
    ['a statement of the pool', ({ pool }) => pool.query(SET)],
    ['one with values', ({ pool }) => pool.query(`${SET} where tenant_id = $1`, ['acme'])],
    ['one that is prepared', ({ pool }) => pool.query({ name: 'set', text: SET, values: [] })],
    ['one behind a comment', ({ pool }) => pool.query(`/* select */ ${SET}`)],
    ['one within another', ({ pool }) => pool.query(`with made as (${SET} returning 1) select 1`)],
    ['a block', ({ pool }) => pool.query(`do $$ begin ${SET}; end $$`)],
    [
      'several at once',
      ({ pool }) => pool.query(`create temp table t (a int); ${SET}; drop table t`),
    ],
    [
      'a merge',
      ({ pool }) =>
        pool.query(`merge into tenants t using (select 1) s on true
          when matched then update set stripe_customer = 'cus_' || gen_random_uuid()`),
    ],
    [
      'a transaction of the query builder',
      ({ kysely }) =>
        kysely.transaction().execute((transaction) => sql.raw(SET).execute(transaction)),
    ],
  ])('that is made by %s', async (_, change) => {
    await change(actingAs(database, ADA));
    expect(await lastAct()).toEqual(ADA);
    await database.pool.query(SET);
    expect(await lastAct()).toEqual({ actor: 'postgres', act: 'update', reason: null });
  });

  it('and no function that a "select" could call writes', async () => {
    // Postgres lets only a volatile function write; what a trigger calls has the act of its statement.
    const volatile = await textRows(
      database,
      `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname in ('public', 'audit', 'tenant', 'wall') and p.provolatile = 'v'
         and p.prorettype <> 'trigger'::regtype`,
    );
    expect(volatile).toEqual([{ name: 'begin_journal(text,text,text)' }]);
  });

  it('and what goes without writes into no table of the journal', () => {
    const files = SOURCE_FILES.filter(({ text }) => /\$\{UNSAID\}/.test(text));
    expect(files.map(({ path }) => path)).toEqual([
      'budgets/admission-store.ts',
      'budgets/hold-store.ts',
    ]);
    const written = files.flatMap(({ text }) => [
      ...text.matchAll(/\b(?:insert into|update|delete from|merge into) (?!of )([a-z_]+)/g),
    ]);
    const tables = [...new Set(written.map(([, table]) => table))].sort();
    expect(tables).toEqual(['budget_counters', 'budget_holds']);
    expect(tables.filter((table) => Object.hasOwn(JOURNALED, table ?? ''))).toEqual([]);
    expect(UNSAID).toMatch(/^\/\*/);
  });

  it('costs a batch, and whatever only reads, no statement more', async () => {
    const url = database.url;
    const counted = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
    let statements = 0;
    counted.pool.on('connect', (client) => {
      const { query } = client;
      client.query = ((...given: Parameters<typeof query>) => {
        statements += 1;
        return query.apply(client, given);
      }) as typeof query;
    });
    const costOf = async (of: Database, event_id: string) => {
      statements = 0;
      await receiveEvents(of, [nativeEvent({ event_id }), { event_id: 'bad' }]);
      await sql`select 1`.execute(of.kysely);
      await of.pool.query('select 1');
      return statements;
    };
    await costOf(counted, 'first');
    const plain = await costOf(counted, 'plain');
    expect(await costOf(actingAs(counted, ADA), 'acted')).toBe(plain);
    await closeDatabase(counted);
  });
});

describe('the number of an act', () => {
  const numberOf = async (client: pg.PoolClient) => {
    const { rows } = await client.query<{ act_id: bigint }>(
      'select act_id from changes order by change_id desc limit 1',
    );
    return rows[0]?.act_id;
  };
  const saying = (number: string) => `select set_config('spanledger.act_number', ${number}, true)`;

  it('is one for all that a transaction changes, and no other transaction’s', () =>
    inTransaction(database, async ({ client }) => {
      await client.query(SET);
      const first = await numberOf(client);
      await client.query(`savepoint within; ${SET}; release savepoint within`);
      expect(await numberOf(client)).toBe(first);
      await client.query('commit');
      await client.query('begin');
      await client.query(SET);
      expect(await numberOf(client)).toBe((first ?? 0n) + 1n);
    }));

  it.each(['OLD', 'pg_current_xact_id() || OLD', "pg_current_xact_id() || ':' || OLD"])(
    'is not one of before, though a transaction says so: %s',
    async (said) => {
      const old = await inTransaction(database, async ({ client }) => {
        await client.query(SET);
        return numberOf(client);
      });
      await inTransaction(database, async ({ client }) => {
        await client.query(SET);
        await client.query(saying(said.replace('OLD', `'${old}'`)));
        await client.query(SET);
        expect(await numberOf(client)).toBe((old ?? 0n) + 2n);
      });
    },
  );
});

describe('a transaction of the query builder', () => {
  it('is one, whatever it holds', async () => {
    const { kysely } = actingAs(database, ADA);
    const failed = kysely.transaction().execute(async (transaction) => {
      await sql`insert into tenants (tenant_id, created_at) values ('ghost', now())`.execute(
        transaction,
      );
      throw new Error('given up');
    });
    await expect(failed).rejects.toThrow('given up');
    expect(await textRows(database, "select 1 from tenants where tenant_id = 'ghost'")).toEqual([]);
  });
});

describe('the wall', () => {
  it('leaves nothing in a session, which a pooler lends to others', async () => {
    const view = behindWall(actingAs(database, ADA), 'acme');
    await Promise.all([
      view.pool.query('select 1 from entries'),
      sql`select 1 from entries`.execute(view.kysely),
      view.pool.query('select no_such_column from entries').catch(() => undefined),
    ]);
    const sessions = await Promise.all(
      [1, 2, 3].map(() =>
        textRows(
          database,
          `select current_user = session_user as own, coalesce(current_setting('spanledger.tenant', true), '') as tenant,
             current_setting('search_path') as path, pg_sleep(0.05)::text as slept`,
        ),
      ),
    );
    for (const [session] of sessions)
      expect(session).toMatchObject({ own: 'true', tenant: '', path: '"$user", public' });
  });
});
