import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INGEST_DOORS } from '../../src/api/ingest/ingest-doors.ts';
import type { Route } from '../../src/api/route.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { setBudget } from '../../src/budgets/set-budget.ts';
import { parseInstant } from '../../src/clock.ts';
import { behindWall } from '../../src/database/behind-wall.ts';
import { KEY_ROLES, type KeyRole } from '../../src/keys/key-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import { DIMENSIONS } from '../../src/reports/usage-answer.ts';
import { type Answered, type Api, startApi } from '../support/api.ts';
import { createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** The wall between tenants, walked with every role at every route, and with the WHERE taken away. */

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;
const keys = new Map<KeyRole, string>();
let foreignEntry: string;
let ownEntry: string;

const clock = () => parseInstant('2026-11-04T00:00:00Z');

/** What a tenant must never read: another's names, and how and at what cost calls were served. */
const SECRETS = [
  'globex',
  'gus',
  'run-of-g',
  'event-of-g',
  'azure',
  'gpt-4o-2024-secret',
  'providers',
];

const HIDDEN =
  /"(?:cost|known_cost|margin|provider|executed_model|routing_gain|cost_book|coverage)"/;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  for (const tenant of ['acme', 'globex']) {
    await makeTenant(database, tenant, { mode: 'live', priceBook: 'standard' });
  }
  const served = { provider: 'azure', executed_model: 'gpt-4o-2024-secret' };
  const ids = { user_id: 'gus', agent_run_id: 'run-of-g', trace_id: 'trace-of-g' };
  await receiveEvents(
    database,
    [
      nativeEvent({ event_id: 'mine', user_id: 'ann', agent_run_id: 'run-of-a', ...served }),
      nativeEvent({ event_id: 'event-of-g', tenant_id: 'globex', ...ids, ...served }),
      nativeEvent({
        ...{ event_id: 'agent-of-g', tenant_id: 'globex', ...ids, span_id: 's' },
        ...{ operation: 'invoke_agent', usage: undefined, requested_model: undefined },
      }),
    ],
    '2026-11-03T00:00:00Z',
  );
  for (const tenant of ['acme', 'globex']) {
    const of = { feature: null, user_id: null, agent_run_id: null, tags: null, tokens: null };
    const unasked = {
      on_unavailable: null,
      priced_only: null,
      thresholds: null,
      loop: null,
      actor: 'a test',
    };
    await setBudget(
      { database, clock },
      {
        tenant_id: tenant,
        per: 'month',
        kind: 'hard',
        amount: 1_000_000_000_000n,
        ...of,
        ...unasked,
      },
    );
  }
  await foldAll(database, clock);
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  api = await startApi(database, { clock });
  for (const role of KEY_ROLES) {
    keys.set(role, await api.key(role, scopeOf(role)));
  }
  const [row] = await textRows(
    database,
    "select entry_id from audit.entries where event_id = 'event-of-g'",
  );
  foreignEntry = String(row?.['entry_id']);
  const [own] = await textRows(
    database,
    "select entry_id from audit.entries where event_id = 'mine'",
  );
  ownEntry = String(own?.['entry_id']);
});

function scopeOf(role: KeyRole) {
  if (role === 'link') return { tenant: 'acme', days: 1 };
  return role === 'tenant' ? { tenant: 'acme' } : {};
}

afterAll(async () => {
  await api.close();
  await drop();
});

/** Another tenant's ids in place of the names in a path. */
function foreignPath(path: string): string {
  return filledPath(path, {
    ...{
      tenant: 'globex',
      month: '2026-10',
      run: 'run-of-g',
      source: 'default',
      event: 'event-of-g',
    },
    entry: foreignEntry,
  });
}

/** The same with ids that nobody has. */
function unknownPath(path: string): string {
  return filledPath(path, {
    ...{
      tenant: 'nobody',
      month: '2026-10',
      run: 'run-of-n',
      source: 'default',
      event: 'event-of-n',
    },
    entry: 'ent_999000000',
  });
}

function filledPath(path: string, ids: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '1');
}

const ask = (route: Route, key: string | null, path: string): Promise<Answered> =>
  api.ask(path, key, { method: route.method, ...(route.method === 'GET' ? {} : { json: {} }) });

const ALL = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
const OF_TENANTS = ALL.filter(([, route]) => route.roles.includes('tenant'));

const OF_INSTANTS = OF_TENANTS.filter(([, route]) => Object.hasOwn(route.fields, 'as_of'));
const AT = '2026-11-03T12:00:00Z';

async function showsNothingOfAnother(route: Route, query: readonly string[]): Promise<void> {
  const key = keys.get('tenant') ?? '';
  const asked = (path: string, more: readonly string[] = []) =>
    [path, [...query, ...more].join('&')].filter((part) => part !== '').join('?');
  const foreign = await ask(route, key, asked(foreignPath(route.path)));
  const unknown = await ask(route, key, asked(unknownPath(route.path)));
  // What is another's is answered as what nobody has.
  expect(foreign.status).toBe(unknown.status);
  expect(withoutIds(foreign.text)).toBe(withoutIds(unknown.text));
  for (const accept of ['application/json', 'text/csv']) {
    const own = await api.ask(asked(ownPath(route.path)), key, { headers: { accept } });
    expect(own.status, own.text).toBe(200);
    for (const secret of SECRETS) expect(own.text).not.toContain(secret);
    expect(own.text).not.toMatch(HIDDEN);
  }
  if (route.path.includes('{')) return;
  const named = await api.ask(asked(route.path, ['tenant=globex']), key);
  const nobody = await api.ask(asked(route.path, ['tenant=nobody']), key);
  expect([named.status, withoutIds(named.text)]).toEqual([nobody.status, withoutIds(nobody.text)]);
  expect(named.status).toBeGreaterThanOrEqual(400);
}

describe('every route', () => {
  it.each(ALL)('%s lets in its roles alone', async (_, route) => {
    const path = foreignPath(route.path);
    expect((await ask(route, null, path)).status).toBe(401);
    for (const role of KEY_ROLES.filter((each) => !route.roles.includes(each))) {
      const { status, json } = await ask(route, keys.get(role) ?? '', path);
      expect([role, status, json.kind]).toEqual([role, 403, 'not_permitted']);
    }
  });

  it.each(OF_TENANTS)('%s shows a tenant nothing of another', (_, route) =>
    showsNothingOfAnother(route, []),
  );

  it.each(OF_INSTANTS)('%s shows a tenant nothing of another as of an instant', (_, route) =>
    showsNothingOfAnother(route, [`as_of=${AT}`]),
  );

  it.each(DIMENSIONS.filter((name) => !['provider', 'executed_model'].includes(name)))(
    'usage by %s is told to a tenant as of an instant as it is now',
    async (dimension) => {
      const key = keys.get('tenant') ?? '';
      const now = await api.ask(`/v1/usage?by=${dimension}`, key);
      const then = await api.ask(`/v1/usage?by=${dimension}&as_of=${AT}`, key);
      expect([then.status, then.json.rows]).toEqual([200, now.json.rows]);
      expect(now.json.rows.length).toBeGreaterThan(0);
    },
  );

  it('that reads is answered by the schema of its row of the table', async () => {
    for (const [name, route] of ALL.filter(([, { method }]) => method === 'GET')) {
      const { status, json } = await ask(route, keys.get('admin') ?? '', foreignPath(route.path));
      if (status !== 200) continue;
      expect(route.answer.safeParse(json).error?.issues, name).toBeUndefined();
    }
  });
});

/** What a schema requires, at every depth, and a value does not have. */
function lacking(schema: JsonSchema, value: unknown, at = ''): readonly string[] {
  const ways = schema.anyOf ?? schema.oneOf;
  if (ways !== undefined) {
    const all = ways.map((way) => lacking(way, value, at));
    return all.some((one) => one.length === 0) ? [] : (all[0] ?? []);
  }
  if (value === null) return [schema.type].flat().includes('null') ? [] : [`${at} is null`];
  if (Array.isArray(value)) return value.flatMap((one) => lacking(schema.items ?? {}, one, at));
  if (typeof value !== 'object')
    return schema.properties === undefined ? [] : [`${at} is no object`];
  const absent = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  const within = Object.entries(value).flatMap(([name, one]) =>
    lacking(schema.properties?.[name] ?? { type: 'null' }, one, `${at}.${name}`),
  );
  return [...absent.map((name) => `${at}.${name} is absent`), ...within];
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

describe('the OpenAPI document', () => {
  it.each(OF_TENANTS.filter(([, { method }]) => method === 'GET'))(
    'requires of %s nothing that a tenant is not answered, and all that an admin is',
    async (_, route) => {
      const document = await api.ask('/openapi.json', null);
      const schema =
        document.json.paths[route.path].get.responses[200].content['application/json'].schema;
      for (const role of ['tenant', 'admin'] as const) {
        const { status, json } = await ask(route, keys.get(role) ?? '', ownPath(route.path));
        expect(status).toBe(200);
        if (json !== undefined) expect(lacking(schema, json), role).toEqual([]);
      }
    },
  );

  it('requires all that a statement has of its customer, too, and says what a tenant is not shown', async () => {
    const { paths } = (await api.ask('/openapi.json', null)).json;
    const schemaAt = (path: string) =>
      paths[path].get.responses[200].content['application/json'].schema;
    const entry = schemaAt('/v1/entries').properties.entries.items;
    expect(entry.required).not.toContain('cost');
    expect(entry.required).toContain('charge');
    expect(entry.properties.cost.description).toContain('without it');
    expect(JSON.stringify(schemaAt('/v1/statements/{tenant}/{month}'))).not.toContain('without it');
    expect(JSON.stringify(schemaAt('/v1/status'))).not.toContain('without it');
  });
});

/** Its own ids. */
function ownPath(path: string): string {
  const own = {
    tenant: 'acme',
    month: '2026-10',
    run: 'run-of-a',
    source: 'default',
    event: 'mine',
  };
  return filledPath(path, { ...own, entry: ownEntry });
}

function withoutIds(text: string): string {
  return text
    .replaceAll(/globex|nobody/g, '{tenant}')
    .replaceAll(/run-of-[gn]/g, '{run}')
    .replaceAll(/event-of-[gn]/g, '{event}')
    .replaceAll(new RegExp(`${foreignEntry}|ent_999000000`, 'g'), '{entry}');
}

describe('the doors of producers and of machines', () => {
  it.each(INGEST_DOORS)('$path lets in ingest and admin alone', async ({ path }) => {
    const sent = { method: 'POST', body: '', headers: { 'x-test-connection': 'true' } };
    expect((await api.ask(path, null, sent)).status).toBe(401);
    for (const role of KEY_ROLES) {
      const { status } = await api.ask(path, keys.get(role) ?? '', sent);
      expect([role, status]).toEqual([role, ['ingest', 'admin'].includes(role) ? 200 : 403]);
    }
  });

  it.each(['/', '/openapi.json', '/healthz', '/readyz', '/metrics'])(
    '%s names no tenant and nothing of one, before and after requests about it',
    async (path) => {
      await api.ask('/v1/runs/run-of-g', keys.get('reader') ?? '');
      const { text } = await api.ask(path, null);
      for (const secret of [...SECRETS.filter((each) => each !== 'providers'), 'run-of-a']) {
        expect(text).not.toContain(secret);
      }
    },
  );
});

describe('the time of an answer', () => {
  const READ = OF_TENANTS.filter(
    ([, { method, path }]) => method === 'GET' && /\{(?:tenant|run|entry|event)\}/.test(path),
  );

  it.each(READ)(
    'of %s is the same for what is another’s and for what nobody has',
    async (_, route) => {
      const key = keys.get('tenant') ?? '';
      const soonest = { foreign: Number.POSITIVE_INFINITY, unknown: Number.POSITIVE_INFINITY };
      const paths = { foreign: foreignPath(route.path), unknown: unknownPath(route.path) } as const;
      const differs = () =>
        soonest.foreign > soonest.unknown * 2 + 3 || soonest.unknown > soonest.foreign * 2 + 3;
      for (let time = 0; time < 12 || (time < 200 && differs()); time += 1) {
        for (const which of ['foreign', 'unknown'] as const) {
          const begun = performance.now();
          await api.ask(paths[which], key);
          soonest[which] = Math.min(soonest[which], performance.now() - begun);
        }
      }
      // The soonest of each: what else the machine does only adds to the others.
      expect(differs(), JSON.stringify(soonest)).toBe(false);
    },
  );
});

describe('without any WHERE', () => {
  it('everything that the role of a tenant may read by a column tenant_id has its rows alone', async () => {
    const relations = await textRows(
      database,
      `select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
       where c.relkind in ('r', 'v', 'm', 'p') and c.relnamespace::regnamespace::text not like 'pg_%'
         and has_column_privilege('spanledger_tenant', c.oid, a.attnum, 'select')
         and has_schema_privilege('spanledger_tenant', c.relnamespace, 'usage') order by 1`,
    );
    expect(relations.length).toBeGreaterThan(8);
    const view = behindWall(database, 'acme');
    for (const { name } of relations) {
      const { rows } = await view.pool.query(`select distinct tenant_id from ${name}`);
      const others = rows.map(({ tenant_id: id }) => id).filter((id) => id !== 'acme');
      expect(others, String(name)).toEqual([]);
    }
  });

  const WALLED = [
    ...['entries', 'structure_spans', 'usage_rollups', 'run_rollups', 'closes', 'periods'],
    ...['tenants', 'budgets', 'shown_periods'],
  ];

  it.each(WALLED)('%s has the rows of the tenant alone', async (table) => {
    const view = behindWall(database, 'acme');
    const { rows } = await view.pool.query(`select distinct tenant_id from ${table}`);
    expect(rows.map(({ tenant_id }) => tenant_id)).toEqual(
      table === 'structure_spans' ? [] : ['acme'],
    );
  });

  it('a report over everybody is one of the tenant, and knows no cost', async () => {
    const view = behindWall(database, 'acme');
    const everything = { tenant_id: null, month: null, from: null, to: null, as_of: null };
    const { rows } = await reportUsage(
      { database, clock, view },
      { ...everything, by: ['tenant'] },
    );
    expect(rows).toMatchObject([{ tenant: 'acme', cost: null, known_cost: '0' }]);
  });

  it.each(['usage_rollups', 'run_rollups', 'ledger_rollups'])(
    'the view %s has every column of what stands behind it',
    async (name) => {
      const columns = (schema: string) =>
        textRows(
          database,
          'select column_name from information_schema.columns where table_schema = $1 and table_name = $2 order by 1',
          [schema, name],
        );
      // The digest of a rollup's group is for the fold alone.
      const isAsked = ({ column_name: column }: Readonly<Record<string, string | null>>) =>
        !['usage_key', 'ledger_key'].includes(column ?? '');
      expect((await columns('wall')).filter(isAsked)).toEqual(
        (await columns('public')).filter(isAsked),
      );
    },
  );

  it('the columns of cost are not even granted, and nothing can be written', async () => {
    const { pool } = behindWall(database, 'acme');
    await expect(pool.query('select cost from public.entries')).rejects.toThrow(
      /permission denied/,
    );
    await expect(pool.query('select * from public.price_books')).rejects.toThrow(
      /permission denied/,
    );
    await expect(pool.query("update tenants set mode = 'live'")).rejects.toThrow(
      /permission denied/,
    );
  });

  it('a connection that was given back is the whole database again', async () => {
    const view = behindWall(database, 'acme');
    await Promise.all(Array.from({ length: 30 }, () => view.pool.query('select 1 from entries')));
    const { rows } = await database.pool.query(
      'select count(distinct tenant_id)::int as n, current_user = session_user as is_own from entries',
    );
    expect(rows).toEqual([{ n: 2, is_own: true }]);
  });
});
