import { describe, expect, it } from 'vitest';
import { fieldNamed, givenBy } from '../../src/api/given.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { freshApi } from '../support/api.ts';
import { count, freshDatabase } from '../support/database.ts';
import { makeTenant } from '../support/ledger.ts';

describe('the table of routes', () => {
  it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'has a field for each name in the path of %s',
    (_at, { path, fields }) => {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      expect(names.filter((name) => !Object.hasOwn(fields, fieldNamed(name, fields)))).toEqual([]);
    },
  );
});

describe('a field that is given twice', () => {
  const usage = ROUTES.find(({ path }) => path === '/v1/tenants/{tenant}/adjustments');
  if (usage === undefined) throw new Error('the route is gone');
  const given = (body: Record<string, unknown>, query = '', path = {}) =>
    givenBy(usage, { path, query: new URLSearchParams(query), body })['tenant_id'];
  const TWICE = 'the request says tenant_id twice, and not the same';

  it('is one where both are the same, or one of them says nothing', () => {
    expect(given({ tenant: 'a', tenant_id: 'a' })).toBe('a');
    expect(given({ tenant_id: 'a' }, 'tenant=a', { tenant: 'a' })).toBe('a');
    expect(given({ tenant_id: null }, '', { tenant: 'a' })).toBe('a');
    expect(given({ tenant_id: 'a', tenant: null })).toBe('a');
    expect(given({})).toBeUndefined();
  });

  it('is one where a number stands beside its digits, in the form that the field has', () => {
    const of = (method: string, path: string) => {
      const route = ROUTES.find((one) => one.method === method && one.path === path);
      if (route === undefined) throw new Error(`${path} is gone`);
      return route;
    };
    const seals = { path: {}, query: new URLSearchParams('last=5') };
    expect(givenBy(of('GET', '/v1/seals'), { ...seals, body: { last: '5' } })['last']).toBe(5);
    expect(given({ tenant_id: 5 }, '', { tenant: '5' })).toBe('5');
    expect(() => given({ tenant_id: 5 }, '', { tenant: '6' })).toThrow(TWICE);
  });

  it('is refused where they differ, wherever each of them stands', () => {
    expect(() => given({ tenant: 'b', tenant_id: 'a' })).toThrow(TWICE);
    expect(() => given({ tenant_id: 'a', tenant: 'b' })).toThrow(TWICE);
    expect(() => given({ tenant_id: 'twice' }, '', { tenant: 'acme' })).toThrow(TWICE);
    expect(() => given({ tenant_id: 'a' }, 'tenant=b')).toThrow(TWICE);
    expect(() => given({}, 'tenant=a&tenant_id=b')).toThrow(TWICE);
  });

  it('credits nobody, and names both', async () => {
    const database = await freshDatabase();
    await makeTenant(database, 'acme');
    await makeTenant(database, 'twice');
    const api = await freshApi(database);
    const admin = await api.key('admin');
    const json = { tenant_id: 'twice', amount: '-9.00', reason: 'a goodwill' };
    const answer = await api.ask('/v1/tenants/acme/adjustments', admin, { json });
    expect([answer.status, answer.json.kind]).toEqual([400, 'bad_request']);
    expect(answer.json.detail).toContain('tenant_id "twice", and tenant "acme"');
    expect(await count(database, 'entries')).toBe(0);
  });
});

it('a receiver of webhooks is disabled and removed by its place', async () => {
  const database = await freshDatabase();
  const api = await freshApi(database);
  const admin = await api.key('admin');
  const made = await api.ask('/v1/webhooks', admin, {
    json: { url: 'https://hooks.example.com/services/T00' },
  });
  expect(made.status).toBe(200);
  const at = `/v1/webhooks/${made.json.endpoint_id}`;
  const disabled = await api.ask(`${at}/disable`, admin, { method: 'POST' });
  expect([disabled.status, disabled.json.endpoint_id]).toEqual([200, made.json.endpoint_id]);
  const removed = await api.ask(at, admin, { method: 'DELETE' });
  expect(removed.status).toBe(200);
  expect((await api.ask('/v1/webhooks', admin)).json.webhooks).toEqual([]);
});
