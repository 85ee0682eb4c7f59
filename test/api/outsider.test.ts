import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RequestField } from '../../src/api/fields-of.ts';
import type { Route } from '../../src/api/route.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { parseInstant } from '../../src/clock.ts';
import { KEY_ROLES, type KeyRole } from '../../src/keys/key-answer.ts';
import { type Answered, type Api, startApi } from '../support/api.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/**
 * Whoever tries things out is told what is wrong, by which rule, and what to do about it; nothing that can be sent is a
 * fault of the server. Every field of every route is given what it does not expect.
 */
const ALL = process.env['SPANLEDGER_CASES'] === 'all';

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;
const keys = new Map<KeyRole, string>();

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  await receiveEvents(database, [nativeEvent({ event_id: 'mine', agent_run_id: 'run' })]);
  api = await startApi(database, { clock: () => parseInstant('2026-11-04T00:00:00Z') });
  for (const role of KEY_ROLES) {
    const scope = role === 'link' ? { tenant: 'acme', days: 1 } : {};
    keys.set(role, await api.key(role, role === 'tenant' ? { tenant: 'acme' } : scope));
  }
});

afterAll(async () => {
  await api.close();
  await drop();
});

/** Texts that no field means. */
const TEXTS = [
  ...['\u0000', 'a\u0000b', '-1', '0', '1e99', '1.5', '99999999999999999999999', 'ent_0'],
  ...['ent_99999999999999999999', '0000-01', '9999-12', '2026-13', '0000-00-00', '9999-12-31'],
  ...['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2026-10-01T00:00:00', '+275760-09-13'],
  ...['2200-01-01T00:00:00Z', '1970-01-01T00:00:00Z', "'; drop table entries; --", '', ' '],
  ...['💸'.repeat(600), '\u202egnp', '../../etc/passwd', 'x'.repeat(9_000), '%', '[]', 'null'],
];

/** What JSON can say beside texts. */
const VALUES = [
  ...TEXTS,
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, [], ['\u0000'], {}, { a: { b: [1] } }, '\ud800'],
];

/** A request that fits as far as names say what they mean, so that what is wrong is one field alone. */
const USUAL: Readonly<Record<string, unknown>> = {
  ...{ tenant: 'acme', tenant_id: 'acme', month: '2026-10', period: '2026-10', run: 'run' },
  ...{ source: 'default', event: 'mine', event_id: 'mine', entry: 'ent_1000000', reason: 'why' },
  ...{ entry_id: 'ent_1000000', amount: '1.5', feature: 'chat', per: 'month', role: 'reader' },
  ...{ model: 'gpt-4o', input_tokens: 10, max_output_tokens: 10, dry_run: true, pool: 'gpu' },
  ...{ book: 'standard', scope: 'full', kind: 'hard', by: 'activity', time_zone: 'UTC' },
};

it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s tells an outsider what is wrong',
  async (_, route) => {
    const roles = ALL ? route.roles : route.roles.slice(0, 1);
    for (const role of roles) {
      for (const { path, json } of requestsTo(route)) {
        const key = keys.get(role) ?? '';
        const body = route.method === 'GET' ? {} : { json };
        const answered = await api.ask(path, key, { method: route.method, ...body });
        expectTold(answered, `${role} ${route.method} ${path} ${JSON.stringify(json)}`);
      }
    }
  },
  ALL ? 600_000 : 30_000,
);

/** A question has its fields in the query, an action in its body; ids are in the path of either. */
function* requestsTo(route: Route) {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const usualPath = filled(route.path, USUAL);
  for (const name of inPath) {
    for (const text of some(TEXTS)) {
      if (text === '') continue;
      yield { path: filled(route.path, { ...USUAL, [name]: text }), json: {} };
    }
  }
  const fields = Object.entries(route.fields).filter(([name]) => name !== 'actor');
  const usual = Object.fromEntries(
    fields.filter(([name]) => Object.hasOwn(USUAL, name)).map(([name]) => [name, USUAL[name]]),
  );
  for (const [name, field] of fields) {
    if (route.method === 'GET') {
      for (const text of some(TEXTS)) yield { path: withQuery(usualPath, name, text), json: {} };
    } else {
      for (const value of some([...VALUES, ...valuesOf(field)])) {
        yield { path: usualPath, json: { ...usual, [name]: value } };
      }
    }
  }
}

/** A share of them, another one of each field. */
let turn = 0;
function some<Value>(values: readonly Value[]): readonly Value[] {
  if (ALL) return values;
  turn += 1;
  return values.filter((_, index) => index === 0 || (index + turn) % 24 === 0);
}

/** The values that the schema names, of which each leads into another way. */
function valuesOf({ schema }: RequestField): readonly unknown[] {
  const values = schema['enum'];
  return Array.isArray(values) ? values : [];
}

function filled(path: string, values: Readonly<Record<string, unknown>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values[name] ?? '1')),
  );
}

const withQuery = (path: string, name: string, text: string) =>
  `${path}?${name}=${encodeURIComponent(text)}`;

function expectTold({ status, headers, json, text }: Answered, what: string): void {
  const said = `${what.slice(0, 600)} → ${status} ${text.slice(0, 600)}`;
  expect(status === 503 && json?.kind === 'misconfigured' ? 400 : status, said).toBeLessThan(500);
  if (status < 400) return;
  // A call that no budget has room for is answered by what the budget says.
  if (status === 402) return;
  expect(headers.get('content-type'), said).toBe('application/problem+json');
  for (const name of ['kind', 'detail', 'remedy']) {
    expect(typeof json[name] === 'string' && json[name].length > 3, `${name}: ${said}`).toBe(true);
  }
}

it.each([
  ['GET', '/v1/runs/%zz', 404],
  ['GET', '/v1/runs/%ED%A0%80', 400],
  ['GET', '/v1/usage/', 404],
  ['GET', '/V1/usage', 404],
  ['GET', '//v1/usage', 404],
  ['OPTIONS', '/v1/usage', 405],
  ['DELETE', '/v1/usage', 405],
  ['POST', '/healthz', 405],
  ['PATCH', '/v1/events', 405],
  ['HEAD', '/v1/usage', 200],
  ['HEAD', '/v1/runs/nobody', 404],
])('%s %s is answered %i', async (method, path, status) => {
  const answered = await api.ask(path, keys.get('admin') ?? '', { method });
  expect(answered.status, answered.text).toBe(status);
  if (method === 'HEAD') expect(answered.text).toBe('');
  else expectTold(answered, `${method} ${path}`);
});

it.each([
  ['no JSON', '{', 400],
  ['a list', '[]', 400],
  ['a text', '"x"', 400],
  ['many brackets', '['.repeat(200_000), 400],
  ['bytes that are no UTF-8', Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]), 400],
  ['a name that JavaScript knows', '{"__proto__":{"tenant":"acme"},"constructor":1}', 400],
])('a body that is %s is refused by its name', async (_, body, status) => {
  const answered = await api.ask('/v1/tenants/acme/adjustments', keys.get('admin') ?? '', { body });
  expect(answered.status, answered.text).toBe(status);
  expectTold(answered, 'POST /v1/tenants/acme/adjustments');
});
