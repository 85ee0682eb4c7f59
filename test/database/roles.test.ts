import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPrices } from '../../src/audit/laws/prices-law-store.ts';
import { openScope } from '../../src/audit/laws/scope-store.ts';
import { parseInstant, systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { readBody } from '../../src/events/read-body.ts';
import { recordBatch } from '../../src/ingest/record-batch.ts';
import { refuseUnfitSession } from '../../src/ingest/worker/worker-session-store.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { LATER_SHOWN_COLUMNS, SHOWN_COLUMNS } from '../../src/ledger/entries/entry-columns.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { Refusal } from '../../src/refusal.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, createDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { type Login, makeLogin } from '../support/login.ts';
import { undone } from '../support/undone.ts';
import { brokenLaws } from '../support/worker.ts';

type Role = 'spanledger_worker' | 'spanledger_reader' | 'spanledger_tenant';

const DENIED = /permission denied/;

let owner: TestDatabase;
let drop: () => Promise<void>;
const opened = new Map<Role, Database>();
const logins = new Map<Role, Login>();

/** As a user does who has been granted the role and nothing else. */
function as(role: Role): Database {
  const known = opened.get(role);
  if (known !== undefined) return known;
  const { url } = loginOf(role);
  const database = openDatabase({ url, connections: 2, onConnectionLost() {} });
  opened.set(role, database);
  return database;
}

function loginOf(role: Role): Login {
  const login = logins.get(role);
  if (login === undefined) throw new Error(`nobody logs in as ${role}`);
  return login;
}

const EVENTS = [
  nativeEvent({ event_id: 'a', tenant_id: 'acme' }),
  nativeEvent({ event_id: 'b', tenant_id: 'globex' }),
  nativeEvent({
    event_id: 'failed',
    tenant_id: 'acme',
    status: 'error',
    attempt: 1,
    trace_id: 't',
  }),
  nativeEvent({
    event_id: 'again',
    tenant_id: 'acme',
    attempt: 2,
    trace_id: 't',
    requested_model: 'gpt-4o-mini',
  }),
  nativeEvent({
    event_id: 'c',
    members: [{ member_id: 'm', tenant_id: 'globex' }, { member_id: 'n' }],
  }),
  nativeEvent({ event_id: 'tool', operation: 'execute_tool', usage: undefined }),
  { event_id: 'bad' },
];

beforeAll(async () => {
  ({ database: owner, drop } = await createDatabase());
  await importBooks(owner, 'standard', 'cost');
  await makeRoles(owner);
  for (const role of ['spanledger_worker', 'spanledger_reader', 'spanledger_tenant'] as const)
    logins.set(role, await makeLogin(owner, role));
  const worker = as('spanledger_worker');
  const at = parseInstant('2026-10-20T12:00:00Z');
  const context = { receivedAt: at, litellmKey: null, attributes: {} };
  const deliver = async (events: readonly object[]) => {
    const items = readBody(JSON.stringify({ events }), context);
    const recorded = await recordBatch(worker, new ReferenceCache(), { items, recordedAt: at });
    return recorded.map(({ outcome }) => outcome);
  };
  // The failed attempt comes after its answer, so that folding posts a correction.
  const answers = EVENTS.filter((event) => event.event_id !== 'failed');
  expect((await deliver(answers)).filter((outcome) => outcome === 'posted')).toHaveLength(5);
  // The bad one waits already, and comes again as a duplicate, too.
  expect((await deliver(EVENTS)).filter((outcome) => outcome === 'duplicate')).toHaveLength(6);
  await foldAll(worker, systemClock);
  await sealAll(worker, systemClock);
  expect(await count(owner, "entries where kind = 'correction'")).toBe(2);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database: owner, clock }, { month: '2026-10', tenant_id: 'acme' });
});

afterAll(async () => {
  for (const database of opened.values()) await closeDatabase(database);
  for (const login of logins.values()) await login.drop();
  await drop();
});

it('every law holds on what the worker’s role posted, folded and sealed', async () => {
  expect(await brokenLaws(owner, { withSchema: true })).toEqual([]);
});

it('may be made again, and changes nothing', async () => {
  const before = await grants();
  expect(before.length).toBeGreaterThan(20);
  await makeRoles(owner);
  await makeRoles(owner);
  expect(await grants()).toEqual(before);
});

/** Everything that roles.sql gives: of tables, columns and schemas, policies, and what the roles are. */
function grants() {
  return textRows(
    owner,
    `select 'table' as kind, oid::regclass::text as name, relacl::text as given from pg_class where relacl is not null
     union all select 'column', attrelid::regclass || '.' || attname, attacl::text from pg_attribute where attacl is not null
     union all select 'schema', nspname, nspacl::text from pg_namespace where nspacl is not null
     union all select 'policy', tablename || '.' || policyname, roles::text || qual from pg_policies
     union all select 'guard', oid::regclass::text, 'on' from pg_class where relrowsecurity
     union all select 'role', rolname, rolbypassrls::text from pg_roles where rolname like 'spanledger%'
     order by 1, 2`,
  );
}

it('are refused by name where the user may not make them', async () => {
  const made = makeRoles(as('spanledger_reader'));
  await expect(made).rejects.toThrow(Refusal);
  await expect(made).rejects.toThrow(/the roles cannot be made by this user: /);
});

it('a command that a role may not run says so, and what to do', async () => {
  const { url } = loginOf('spanledger_worker');
  const result = await cli(['close', '2026-10'], { DATABASE_URL: url });
  expect(result.exitCode).toBe(3);
  expect(result.stderr).toContain("the database's user may not do this: permission denied for ");
  expect(result.stderr).toContain('run it as the owner of the schema');
});

describe('the worker', () => {
  it.each([
    'update entries set charge = 0',
    'delete from entries',
    'truncate entries',
    'delete from batches',
    "update periods set state = 'closed'",
    "update tenants set mode = 'live'",
    "insert into tenants (tenant_id, created_at, mode) values ('mine', now(), 'live')",
    "insert into tenants (tenant_id, created_at, stripe_customer) values ('mine', now(), 'cus_mine')",
    "insert into periods values ('acme', '2036-12-01', '2036-12-01Z', '2037-01-01Z', 'UTC', 'shut', 'shadow')",
    "insert into periods (tenant_id, period_start, starts_at, ends_at, time_zone, state) values ('acme', '2036-12-01', '2036-12-01Z', '2037-01-01Z', 'UTC', 'closed')",
    'delete from changes',
    "select kept from changes where of_table in ('push_intents', 'http_keys', 'stripe_customers')",
    'select * from audit.changes',
    "insert into changes (of_table, row_key, act, actor) values ('tenants', '{}', 'a', 'b')",
    'update quarantine set replayed_at = now()',
    'insert into closes select * from closes',
    'insert into price_books select * from price_books',
    'update price_rates set input = 0',
    'select * from push_intents',
    'drop table entries',
    'alter table entries disable trigger entries_are_append_only',
  ])('may not %s', async (statement) => {
    await expect(as('spanledger_worker').pool.query(statement)).rejects.toThrow(
      /permission denied|must be owner/,
    );
  });
});

describe('the worker of a ledger of before', () => {
  const requireFit = () => refuseUnfitSession(as('spanledger_worker'));

  it('loses the right to read the journal, and seals what stands there', async () => {
    await owner.pool.query('grant select on changes to spanledger_worker');
    await makeRoles(owner);
    const worker = as('spanledger_worker');
    await expect(worker.pool.query('select 1 from changes')).rejects.toThrow(DENIED);
    await owner.pool.query(`update tenants set name = 'Acme' where tenant_id = 'acme'`);
    await requireFit();
    await sealAll(worker, systemClock);
    expect(await count(owner, 'change_queue')).toBe(0);
  });

  it('is told which migration of its version the schema lacks', () =>
    undone(owner, async (inside) => {
      await inside.pool.query(`
        delete from schema_migrations where name = (select max(name) from schema_migrations);
        set local role spanledger_worker`);
      const said = /the schema of the database is older than this worker, and lacks \d{4}-/;
      await expect(refuseUnfitSession(inside)).rejects.toThrow(said);
    }));

  it('is told what it may not do before it seals', async () => {
    const digest = 'function changes_digest(bigint[])';
    await owner.pool.query(`revoke execute on ${digest} from spanledger_worker`);
    await expect(requireFit()).rejects.toThrow('execute on changes_digest(bigint[])');
    await makeRoles(owner);
    await requireFit();
  });
});

describe('the worker in the name of a person', () => {
  const CREDIT = `insert into batches (kind, recorded_at, entries, charge, cost) values ('adjustment', now(), 1, -25000000000000, 0)`;

  it.each([
    CREDIT,
    CREDIT.replace("'adjustment'", "'allocation'"),
    `create temporary table allocations (); ${CREDIT}`,
    `select set_config('spanledger.actor', 'cfo@corp.example', false); ${CREDIT.replace("'adjustment'", "'correction'")}`,
  ])('may not %s', async (statements) => {
    const worker = as('spanledger_worker');
    const before = await count(owner, 'batches');
    await expect(worker.pool.query(statements)).rejects.toThrow(
      /permission denied for a batch of .*nothing in the name of a person, for which a login needs the right to insert into allocations/,
    );
    expect(await count(owner, 'batches')).toBe(before);
  });

  it('posts no adjustment within a batch of its own that law 7 would not name', () =>
    undone(owner, async (inside) => {
      await inside.pool.query(`set local role spanledger_worker;
        with batch as (
          insert into batches (kind, recorded_at, entries, charge, cost)
          values ('ingest', now(), 1, -25000000000000, 0) returning batch_id
        ) insert into entries (select (jsonb_populate_record(e, jsonb_build_object('entry_id', batch_id * 1000000,
          'kind', 'adjustment', 'event_id', 'mine', 'charge', -25000000000000, 'cost', 0, 'charge_rate_id', null,
          'uncached_input_tokens', 0, 'cache_read_tokens', 0, 'cache_write_tokens', 0, 'output_tokens', 0,
          'response_id', null, 'actor', 'cfo@corp.example', 'reason', 'goodwill'))).*
        from entries e, batch where outcome = 'charged' and kind = 'usage' limit 1);
        reset role`);
      const law = await checkPrices(inside, await openScope(inside, 'full'));
      expect(law.violations).toContainEqual(
        expect.stringMatching(/: an adjustment of -25000000000000 p, in a batch of kind ingest$/),
      );
    }));
});

describe('the reader', () => {
  it('reads every view of the auditors', async () => {
    const reader = as('spanledger_reader');
    const { rows } = await owner.pool.query<{ name: string }>(
      "select viewname as name from pg_views where schemaname = 'audit' order by 1",
    );
    expect(rows.length).toBeGreaterThan(6);
    for (const { name } of rows) await reader.pool.query(`select * from audit.${name}`);
    const tenants = await reader.pool.query(
      'select distinct tenant_id from audit.entries order by 1',
    );
    expect(tenants.rows).toEqual([{ tenant_id: 'acme' }, { tenant_id: 'globex' }]);
  });

  it('finds in the journal who has which key and which receiver, and neither by what it is known', async () => {
    await owner.pool.query(`
      insert into http_keys (key_id, key_hash, name, role, created_at, created_by)
        values ('abcdefgh', sha256('secret of a key'), 'billing', 'admin', now(), 'ann');
      insert into webhook_endpoints (endpoint_id, url, secret, created_at, created_by)
        values ('whk_0123456789ab', 'https://hooks.example.com', sha256('secret of a receiver'), now(), 'ann')`);
    const { rows } = await as('spanledger_reader').pool.query<{ kept: string }>(
      `select kept::text from audit.changes where of_table in ('http_keys', 'webhook_endpoints') order by change_id`,
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]?.kept).toContain('"name": "billing"');
    const { rows: secrets } = await owner.pool.query<{ known: string }>(
      `select encode(key_hash, 'hex') as known from http_keys union all select encode(secret, 'hex') from webhook_endpoints`,
    );
    for (const { known } of secrets) expect(JSON.stringify(rows)).not.toContain(known);
  });

  it.each([
    'select * from http_keys',
    'select * from http_actions',
    'select * from webhook_endpoints',
    'delete from audit.alerts',
    'update stripe_reads set figure = 0, allowance = -1000000000, read_at = now()',
    "insert into stripe_reads values ('acme', '2026-10-01', 'meter', 'cus_acme', now(), 0, 0)",
    'delete from entries',
  ])('may not %s', async (statement) => {
    await expect(as('spanledger_reader').pool.query(statement)).rejects.toThrow(DENIED);
  });
});

/** What a stolen login tries beside its own work. */
const ATTEMPTS = [
  'set role postgres',
  'set session authorization postgres',
  'alter role current_user superuser',
  'create role mine superuser',
  'grant spanledger_worker to current_user',
  `copy (select 1) to program 'id'`,
  `copy batches from '/etc/passwd'`,
  `select pg_read_file('/etc/passwd')`,
  `select pg_ls_dir('.')`,
  `select lo_import('/etc/passwd')`,
  `select lo_export(1, '/tmp/mine')`,
  'create extension dblink',
  'create extension file_fdw',
  'create table public.mine (a int)',
  'create function public.mine() returns int language sql as $$ select 1 $$',
  'create or replace function session_tenant() returns text language sql as $$ select $$',
  'alter function session_tenant() set search_path = pg_temp',
  'create schema mine',
  'alter policy tenant_rows on entries using (true)',
  'alter table entries disable row level security',
  'select * from pg_authid',
  'select * from tenant_logins for update',
  `set session_replication_role = 'replica'`,
  'select pg_terminate_backend(pid) from pg_stat_activity where usename = session_user and pid = 1',
  `select begin_journal('entries', 'entry_id', '')`,
];

describe.each(['spanledger_worker', 'spanledger_reader', 'spanledger_tenant'] as const)(
  'a stolen login of %s',
  (role) => {
    it('is no more by whatever it sets, makes or calls', async () => {
      const client = await as(role).pool.connect();
      const passed: string[] = [];
      try {
        await client.query('set role none');
        for (const statement of ATTEMPTS) {
          await client.query('begin');
          const isDone = await client.query(statement).then(
            ({ rows }) => rows.length > 0 || !statement.startsWith('select pg_terminate'),
            () => false,
          );
          if (isDone) passed.push(statement);
          await client.query('rollback');
        }
      } finally {
        client.release(true);
      }
      expect(passed).toEqual([]);
    });
  },
);

describe('the tenant', () => {
  /** In one transaction, as a service does for one request. */
  async function seenBy(tenantId: string | null, statement: string): Promise<unknown[]> {
    const client = await as('spanledger_tenant').pool.connect();
    try {
      await client.query('begin');
      if (tenantId !== null) {
        await client.query("select set_config('spanledger.tenant', $1, true)", [tenantId]);
      }
      return (await client.query(statement)).rows;
    } finally {
      await client.query('rollback');
      client.release();
    }
  }

  const TENANTS = 'select distinct tenant_id from';

  it('of a login of its own is that one, whatever a statement sets and whichever role it takes', async () => {
    await owner.pool.query(`create role of_acme login password 'x' in role spanledger_tenant`);
    await owner.pool.query(`insert into tenant_logins values ('of_acme', 'acme')`);
    const url = new URL(owner.url);
    url.username = 'of_acme';
    url.password = 'x';
    const database = openDatabase({ url: url.href, connections: 1, onConnectionLost() {} });
    try {
      const ask = async (statement: string) => (await database.pool.query(statement)).rows;
      const own = [{ tenant_id: 'acme' }];
      expect(await ask(`${TENANTS} tenant.entries`)).toEqual(own);
      const union = `${TENANTS} tenant.entries
        union select set_config('spanledger.tenant', 'globex', false) order by 1`;
      expect(await ask(union)).toEqual([...own, { tenant_id: 'globex' }]);
      expect(await ask(`${TENANTS} tenant.entries`)).toEqual(own);
      await ask(`select set_config('role', 'none', false)`);
      expect(await ask(`${TENANTS} tenant.entries`)).toEqual(own);
      // Names of its own before ours, plans that are kept, and blocks are the same session.
      await ask(
        `create temp table tenant_logins as select 'of_acme' as login, 'globex' as tenant_id`,
      );
      await ask(`create temp view entries as select 'globex'::text as tenant_id`);
      await ask('set search_path = pg_temp, tenant, public');
      await ask(`prepare all_of_them as ${TENANTS} tenant.entries`);
      expect(await ask('execute all_of_them')).toEqual(own);
      expect(await ask('select session_tenant() as tenant_id')).toEqual(own);
      await ask('set search_path = public; discard temp');
      expect(await ask(`select 1 from pg_stats where tablename = 'entries'`)).toEqual([]);
      for (const statement of [
        'select * from entries',
        'select * from tenant_logins',
        `insert into tenant_logins values ('of_acme', 'globex')`,
        'set session authorization postgres',
      ]) {
        await expect(ask(statement)).rejects.toThrow(DENIED);
      }
    } finally {
      await closeDatabase(database);
      await owner.pool.query(`delete from tenant_logins; drop role of_acme`);
    }
  });

  it.each(['tenant.entries', 'tenant.periods', 'entries', 'periods'])(
    'sees in %s its own rows alone, and without a name none',
    async (relation) => {
      expect(await seenBy('acme', `${TENANTS} ${relation}`)).toEqual([{ tenant_id: 'acme' }]);
      expect(await seenBy('globex', `${TENANTS} ${relation}`)).toEqual([{ tenant_id: 'globex' }]);
      for (const nobody of [null, '', 'acm', "acme' or true --"]) {
        expect(await seenBy(nobody, `${TENANTS} ${relation}`)).toEqual([]);
      }
    },
  );

  it('finds the amounts of its closed period, as the statement has them', async () => {
    const [own] = await seenBy('acme', 'select charge_total, state from tenant.periods');
    const { rows } = await owner.pool.query(
      "select charge_total, state from audit.periods where tenant_id = 'acme'",
    );
    expect(own).toEqual(rows[0]);
  });

  it('may read of an entry what a proof of it shows, and nothing else', async () => {
    const granted = await textRows(
      owner,
      `select attname from pg_attribute where attrelid = 'entries'::regclass and attnum > 0
         and has_column_privilege('spanledger_tenant', 'entries', attname, 'select')`,
    );
    // Why its bill was changed stands on its statement, and in the wall's view.
    const shown = [...SHOWN_COLUMNS, ...LATER_SHOWN_COLUMNS];
    expect(granted.map((row) => row['attname']).sort()).toEqual(shown.sort());
  });

  it('is told no other tenant’s row by what a condition does first', async () => {
    const leak = `select 1 from tenant.entries where 1 / (case when tenant_id = 'globex' then 0 else 1 end) = 1`;
    expect(await seenBy('acme', leak)).not.toEqual([]);
  });

  it.each([
    'select cost from entries',
    'select executed_model from entries',
    'select * from usage_rollups',
    'select * from ledger_rollups',
    'select * from quarantine',
    'select * from http_keys',
    'select * from price_rates',
    'select * from audit.entries',
    'select * from push_intents',
    'update periods set time_zone = time_zone',
    'delete from entries',
  ])('may not %s', async (statement) => {
    await expect(seenBy('acme', statement)).rejects.toThrow(DENIED);
  });
});
