import { describe, expect, it } from 'vitest';
import { openApiOf } from '../../src/api/openapi.ts';
import { HEADROOM_HEADERS } from '../../src/api/routes/budgets.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

const ABOUT_A_TENANT = ROUTES.filter(
  ({ method, path, fields }) =>
    method === 'GET' && Object.hasOwn(fields, 'tenant_id') && !path.includes('{'),
);

describe('a question about a tenant', () => {
  it('is one that several routes take', () => {
    const paths = ABOUT_A_TENANT.map(({ path }) => path);
    for (const known of ['usage', 'runs', 'entries', 'periods', 'budgets', 'traces', 'acts']) {
      expect(paths).toContain(`/v1/${known}`);
    }
  });

  it.each(ABOUT_A_TENANT.map(({ path, roles }) => [path, roles] as const))(
    'whom nobody knows is answered 404 by %s, and about one without usage not',
    async (path, roles) => {
      const database = await freshDatabase();
      await importBooks(database, 'standard', 'cost');
      await makeTenant(database, 'registered');
      await receiveEvents(database, [nativeEvent({ tenant_id: 'came' })]);
      const api = await freshApi(database);
      const admin = await api.key('admin');
      const nobody = await api.ask(`${path}?tenant=nobody`, admin);
      expect([nobody.status, nobody.json.kind]).toEqual([404, 'not_found']);
      expect(nobody.json.detail).toContain('there is no tenant "nobody"');
      for (const tenant of ['registered', 'came', 'unattributed']) {
        expect((await api.ask(`${path}?tenant=${tenant}`, admin)).status).toBe(200);
      }
      expect((await api.ask(path, admin)).status).toBe(200);
      if (!roles.includes('tenant')) return;
      const own = await api.key('tenant', { tenant: 'registered' });
      expect((await api.ask(path, own)).status).toBe(200);
    },
  );
});

it('an outcome that there is none of is refused with those that there are', async () => {
  const api = await freshApi(await freshDatabase());
  const admin = await api.key('admin');
  const wrong = await api.ask('/v1/entries?outcome=chraged', admin);
  expect([wrong.status, wrong.json.kind]).toEqual([400, 'bad_request']);
  expect(wrong.json.detail).toContain('charged');
  expect((await api.ask('/v1/entries?outcome=unmeasured', admin)).status).toBe(200);
});

describe('a call that a budget denies', () => {
  it('is answered as the reference says, also when it is asked again', async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    await makeTenant(database, 'acme');
    const api = await freshApi(database);
    const admin = await api.key('admin');
    const set = { tenant: 'acme', per: 'month', amount: '0.01' };
    expect((await api.ask('/v1/budgets', admin, { method: 'PUT', json: set })).status).toBe(200);
    const json = {
      ...{ tenant_id: 'acme', model: 'gpt-4o' },
      ...{ input_tokens: 1_000_000, max_output_tokens: 1_000_000 },
    };
    for (const path of ['/v1/budgets/check', '/v1/budgets/reserve']) {
      const headers = { 'idempotency-key': path };
      const answers = [
        await api.ask(path, admin, { json }),
        await api.ask(path, admin, { json, headers }),
        await api.ask(path, admin, { json, headers }),
      ];
      for (const answer of answers) {
        expect([answer.status, answer.headers.get('content-type')]).toEqual([
          402,
          'application/json',
        ]);
        expect(answer.json.verdict).toBe('deny');
      }
      const document = openApiOf(ROUTES, [], '0') as {
        readonly paths: Record<string, { readonly post: { readonly responses: object } }>;
      };
      expect(document.paths[path]?.post.responses).toMatchObject({
        200: { content: { 'application/json': {} } },
        402: { content: { 'application/json': {} } },
      });
    }
  });
});

it('a hold that is answered again under its Idempotency-Key tells its headroom as it did', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const api = await freshApi(database);
  const admin = await api.key('admin');
  const set = { tenant: 'acme', per: 'month', amount: '5.00' };
  await api.ask('/v1/budgets', admin, { method: 'PUT', json: set });
  const json = { tenant_id: 'acme', model: 'gpt-4o', input_tokens: 1_000, max_output_tokens: 10 };
  const headers = { 'idempotency-key': 'once' };
  const headroom = async () => {
    const answer = await api.ask('/v1/budgets/reserve', admin, { json, headers });
    expect(answer.status).toBe(200);
    return HEADROOM_HEADERS.map((name) => [name, answer.headers.get(name)]);
  };
  const first = await headroom();
  expect(first).not.toContainEqual(['budget-left', null]);
  expect(await headroom()).toEqual(first);
});
