import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { formatInstant, systemClock } from '../../src/clock.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { type Api, startApi } from '../support/api.ts';
import { type ConsoleVisitor, type RunningConsole, startConsole } from '../support/console.ts';
import { DEMO_NOW, fillDemoMonth } from '../support/demo-month.ts';
import { openDouble } from '../support/stripe.ts';
import { CLUSTER_IS_SLOW_MS, hasCluster, openSides, type Side } from '../support/two-sides.ts';

/**
 * The month of the demo on one Postgres and on a cluster, as whoever asks the server meets it: each act, each question and
 * each page is answered the same.
 */
interface Served extends Side {
  readonly api: Api;
  readonly keys: ReadonlyMap<string, string>;
  readonly pages: RunningConsole;
  readonly visitors: ReadonlyMap<string, ConsoleVisitor>;
  readonly link: string;
}

let served: readonly Served[] = [];
const closing: (() => Promise<void>)[] = [];
const TENANT = 'acme-robotics';
const CALLS = 80;

/** The prices of one model as they should have been. */
const DEARER = {
  ...{ book: 'standard', kind: 'charge', currency: 'USD', caching: 'work_done' },
  effective_from: '2026-10-10T00:00:00Z',
  models: [
    {
      model: 'gpt-4o',
      per_million: { input: '5.00', output: '20.00', cache_read: '5.00', cache_write: '5.00' },
    },
  ],
};

/** What is done with the month, by its routes and in this order. */
const ACTS: readonly (readonly [string, unknown])[] = [
  ['PUT /v1/issuer', { name: 'Northwind AI', support_email: 'billing@northwind.example' }],
  ['PUT /v1/budgets', { tenant_id: TENANT, per: 'month', kind: 'hard', amount: '12.00' }],
  ['POST /v1/closes', { month: '2026-10' }],
  ['POST /v1/seals/publish', { to: 'nowhere' }],
  ['POST /v1/pushes', { month: '2026-10' }],
  ['POST /v1/reconciliations', { month: '2026-10' }],
  ['POST /v1/months/2026-10/run', {}],
  [
    'POST /v1/entries/ent_1000002/corrections',
    { change: { output_tokens: 7 }, reason: 'miscounted' },
  ],
  ['POST /v1/entries/ent_1000001/corrections', { change: null, reason: 'a test', dry_run: true }],
  [
    'POST /v1/corrections',
    {
      where: { tenant_id: 'initech' },
      change: { feature: 'other' },
      month: '2026-11',
      reason: 'a tag',
    },
  ],
  ['POST /v1/reattributions', { tenant_id: 'initech', reason: 'found out', dry_run: true }],
  ['POST /v1/reattributions', { tenant_id: 'initech', reason: 'found out' }],
  [
    'POST /v1/tenants/acme-robotics/adjustments',
    { amount: '-1.50', id: 'sorry', reason: 'an outage' },
  ],
  ['POST /v1/price-books', { documents: [DEARER] }],
  ['POST /v1/rerates', { month: '2026-10', reason: 'a new price', dry_run: true }],
  ['POST /v1/rerates', { month: '2026-10', reason: 'a new price' }],
  [
    'POST /v1/allocations',
    {
      ...{ pool: 'gpu', month: '2026-10', amount: '100.00', currency: 'USD', by: 'activity' },
      ...{ billed: true, reason: 'shared' },
    },
  ],
  [
    'POST /v1/budgets/reserve',
    {
      ...{ tenant_id: TENANT, hold_id: 'hold-1', provider: 'openai', requested_model: 'gpt-4o' },
      ...{ input_tokens: 100, max_output_tokens: 100 },
    },
  ],
  ['POST /v1/budgets/holds/hold-1/release', {}],
  ['POST /v1/verifications', { scope: 'incremental' }],
  ['POST /v1/verifications', { scope: 'full' }],
  ['POST /v1/releases', { month: '2026-10' }],
  ['POST /v1/settlements', { month: '2026-10', tenant_id: TENANT, reason: 'paid by hand' }],
];

describe.skipIf(!hasCluster)('the month of the demo on a cluster and on one Postgres', () => {
  beforeAll(async () => {
    const sides = await openSides();
    served = await Promise.all(sides.map(serve));
  }, CLUSTER_IS_SLOW_MS);

  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });

  it.each(ACTS)('%s answers the same', async (at, json) => {
    const [method = '', path = ''] = at.split(' ');
    const [one, other] = await onBoth(async ({ api, keys }) => {
      const { status, text } = await api.ask(path, keys.get('admin') ?? '', { method, json });
      if (path.endsWith('/run')) await runEnds(api, keys.get('admin') ?? '');
      return { status, text: masked(text) };
    });
    expect(one?.status).toBeLessThan(500);
    expect(other).toEqual(one);
  });

  it.each(
    ROUTES.filter(({ method, path }) => method === 'GET' && path !== '/v1/seals').map((route) => [
      route.path,
      route,
    ]),
  )('GET %s answers the same to each role', async (path, route) => {
    for (const role of route.roles) {
      for (const asked of asksOf(path)) {
        const [one, other] = await onBoth(async ({ api, keys }) => {
          const { status, text } = await api.ask(asked, keys.get(role) ?? '');
          return { role, asked, status, text: inOrder(path, masked(text)) };
        });
        expect(other).toEqual(one);
      }
    }
  });

  it.each(['admin', 'link'])(
    'each page that leads from another is the same to %s',
    async (role) => {
      const from = role === 'link' ? '/usage/LINK' : '/console';
      const seen = new Set<string>();
      const waiting = [from];
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        const shape = shapeOf(path);
        if (seen.has(shape)) continue;
        seen.add(shape);
        const [plain, distributed] = await onBoth(async ({ visitors, link }) => {
          const seen = await visitors.get(role)?.get(path.replace('LINK', link));
          return {
            path,
            status: seen?.status,
            text: pageOf(path, seen?.text ?? '').replaceAll(link, 'LINK'),
          };
        });
        expect(distributed).toEqual(plain);
        const found = [...(plain?.text ?? '').matchAll(/href="(\/[^"#]*)"/g)].map(([, href = '']) =>
          href.replaceAll('&amp;', '&'),
        );
        waiting.push(...found.filter((href) => !href.includes('/assets/')));
      }
      expect(seen.size).toBeGreaterThan(3);
    },
    CLUSTER_IS_SLOW_MS,
  );
});

async function serve(side: Side): Promise<Served> {
  const { database, drop } = side;
  closing.push(drop);
  const double = await openDouble({ now: DEMO_NOW }, (close) => void closing.push(close));
  const parts = await fillDemoMonth(database, { double, calls: CALLS });
  await makeRoles(database);
  const clock = () => DEMO_NOW;
  const api = await startApi(database, { clock, stripe: parts });
  const pages = await startConsole(database, { clock, stripeParts: parts });
  closing.push(
    () => api.close(),
    () => pages.close(),
  );
  const keys = new Map<string, string>();
  const visitors = new Map<string, ConsoleVisitor>();
  for (const role of ['admin', 'reader', 'tenant'] as const) {
    const key = await api.key(role, role === 'tenant' ? { tenant: TENANT } : {});
    keys.set(role, key);
    visitors.set(role, await pages.visit(key));
  }
  visitors.set('link', await pages.visit(null));
  return { ...side, api, keys, pages, visitors, link: await pages.key('link', TENANT) };
}

/** Waits until the run of the month is over: what goes on beside it seals the journal in parts. */
async function runEnds(api: Api, key: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const { json } = await api.ask('/v1/months/2026-10', key);
      expect(json.is_running).toBe(false);
    },
    { timeout: 60_000, interval: 200 },
  );
}

function onBoth<Result>(ask: (side: Served) => Promise<Result>): Promise<readonly Result[]> {
  return Promise.all(served.map(ask));
}

/** What tells one month from another, and one run from another, in the answers of two servers. */
function masked(text: string): string {
  return (
    text
      .replaceAll(/name="form_(?:token|id)" value="[^"]*"/g, 'form')
      .replaceAll(/"became":"[\da-f]{64}"|"was":"[\da-f]{8}"/g, '"random":0')
      .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://server')
      .replaceAll(/\b(admin|reader|tenant|link)-[a-z\d]{8}\b/g, '$1-key')
      .replaceAll(/"key_id":"\w+"/g, '"key_id":0')
      .replaceAll(/"(?:mtr_test|price|prod)_[\da-f]{24}"/g, '"made by the double"')
      .replaceAll(/"(?:entry_hash|root|seal_hash)":"\w+"|"seal_number":\d+/g, '"seal":0')
      .replaceAll(/class="hash">[\da-f]+|>number \d+</g, 'seal')
      .replaceAll(/the last is seal \d+, \w+|seals 1 to \d+/g, 'seal')
      // A distributed ledger has some functions more.
      .replaceAll(/("law":12,"name":"[^"]*","checked":)\d+/g, '$10')
      .replaceAll(/as of <time [^>]*>[^<]*<\/time>/g, '')
      .replaceAll(JOURNALED, 'then')
  );
}

/**
 * The journal's own clock is the database's, and what it says stands in the chain of seals; who acted stands in the hash of
 * a correction. The chain is compared by the month that nobody acted in.
 */
const TODAY = formatInstant(systemClock()).slice(0, 10);
const JOURNALED = new RegExp(`${TODAY}T[\\d:.]+(?:Z|\\+00:00)`, 'g');

/** The page of acts has them in the order in which they came. */
function pageOf(path: string, text: string): string {
  return path === '/console/acts' ? '' : masked(text);
}

/** Acts that go on side by side, one a tenant, come in any order, and keys of one instant by what is random in them. */
function inOrder(path: string, text: string): unknown {
  const list = { '/v1/acts': 'acts', '/v1/keys': 'keys' }[path];
  if (list === undefined) return text;
  const rows = (JSON.parse(text) as Readonly<Record<string, readonly object[]>>)[list] ?? [];
  return rows.map((row) => JSON.stringify({ ...row, act_id: '' })).sort();
}

const VALUES: Readonly<Record<string, readonly string[]>> = {
  tenant: [TENANT],
  month: ['2026-10', '2026-11'],
  entry: ['ent_1000002'],
  line: ['1'],
  book: ['standard'],
  pool: ['gpu'],
  quarantined: ['1'],
  run: ['run-1'],
  source: ['demo'],
  event: ['call-1'],
};

const QUERIES: Readonly<Record<string, readonly string[]>> = {
  '/v1/usage': [
    '',
    '?by=tenant,requested_model,day',
    '?by=user',
    '?month=2026-10&by=feature',
    '?by=run',
    '?as_of=2026-11-04T09:30:00Z',
  ],
  '/v1/runs': ['', '?by=feature', '?by=tenant', '?month=2026-10&order=cost'],
  '/v1/entries': ['', '?month=2026-10', '?outcome=failed'],
};

/** The path with each of some values in the place of its fields, and with the questions that there are for it. */
function asksOf(path: string): readonly string[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const filled = names.reduce<readonly string[]>(
    (paths, name) =>
      paths.flatMap((one) =>
        (VALUES[name] ?? ['1']).map((value) => one.replace(`{${name}}`, value)),
      ),
    [path],
  );
  return filled.flatMap((one) => (QUERIES[one] ?? ['']).map((query) => `${one}${query}`));
}

/** Pages of one kind are looked at once: what differs between them is which entry, line or event it is. */
function shapeOf(path: string): string {
  return path
    .replace(/ent_\d+/, 'ent')
    .replace(/\/lines\/\d+/, '/lines/n')
    .replace(/\/events\/.*/, '/events')
    .replace(/(\/runs\/)[^?]*/, '$1run')
    .replace(/\/(tenants|statements)\/[^/?]+/, '/$1/tenant')
    .replace(/\/prices\/.*/, '/prices/book')
    .replace(/\?.*/, '');
}
