import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProxyUsers, ProxyUsers } from '../../src/api/proxy-users.ts';
import { readConfig } from '../../src/config.ts';
import { type Api, startApi } from '../support/api.ts';
import { formTokenIn, type RunningConsole, startConsole } from '../support/console.ts';
import { createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

/** Users whom a proxy before the server signed in, at the API and in the console. */

const BY = 'x-forwarded-user';
const users = new ProxyUsers({
  header: BY,
  proxies: ['127.0.0.1', '10.1.0.0/16', 'fd00::/8'],
  admins: ['ann'],
  readers: ['rob', 'Zoë'],
});

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;
let running: RunningConsole;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  api = await startApi(database, { users, keeper: null });
  running = await startConsole(database, { users });
});
afterAll(async () => {
  await api.close();
  await running.close();
  await drop();
});

const as = (user: string, headers = {}) => ({ headers: { [BY]: user, ...headers } });

describe('who a user is', () => {
  it.each([
    ['127.0.0.1', 'user'],
    ['::ffff:10.1.2.3', 'user'],
    ['fd00::7', 'user'],
    ['10.2.0.1', 'refused'],
    ['', 'refused'],
  ])('from the address %s is %s', (address, kind) => {
    expect(users.tell(new Headers({ [BY]: 'ann' }), address).kind).toBe(kind);
  });

  it.each(['', '*', 'ann, rob', 'ann,', 'a\u0081', 'x'.repeat(101), 'mallory'])(
    'is refused where the header says %j',
    (name) => {
      expect(users.tell(new Headers({ [BY]: name }), '127.0.0.1').kind).toBe('refused');
    },
  );

  it('is read as UTF-8', () => {
    const name = Buffer.from('Zoë', 'utf8').toString('latin1');
    expect(users.tell(new Headers({ [BY]: name }), '127.0.0.1')).toMatchObject({
      user: { name: 'Zoë', role: 'reader' },
    });
  });

  it('is configured whole, or refused', () => {
    const open = (variables: Record<string, string>) => openProxyUsers(readConfig(variables));
    const header = { SPANLEDGER_USER_HEADER: 'Remote-User' };
    const proxy = { SPANLEDGER_USER_PROXY: '10.0.0.7, 10.0.1.0/24' };
    expect(open({})).toBeNull();
    expect(() => open({ ...header, SPANLEDGER_USER_READERS: '*' })).toThrow(/address of the proxy/);
    expect(() => open({ ...proxy, SPANLEDGER_USER_READERS: '*' })).toThrow(/both the header/);
    expect(() => open({ ...header, ...proxy })).toThrow(/no role/);
    expect(() => open({ ...header, SPANLEDGER_USER_PROXY: 'proxy.internal' })).toThrow(/addresses/);
    expect(() => open({ ...header, ...proxy, SPANLEDGER_USER_ADMINS: '*' })).toThrow(/each admin/);
    const everybody = open({ ...header, ...proxy, SPANLEDGER_USER_READERS: '*' });
    expect(everybody?.tell(new Headers({ 'remote-user': 'x@y.example' }), '10.0.1.9')).toEqual({
      kind: 'user',
      user: {
        ...{ keyId: 'user:x@y.example', name: 'x@y.example', role: 'reader' },
        ...{ tenantId: null, source: null, tenantIds: null, rate: null },
      },
    });
  });
});

describe('at the API', () => {
  it('a reader looks and does not act, and an admin acts under the own name, once', async () => {
    const set = { method: 'PUT', json: { time_zone: 'Europe/Berlin' } };
    expect((await api.ask('/v1/status', null, as('rob'))).status).toBe(200);
    const refused = await api.ask('/v1/tenants/acme', null, { ...set, ...as('rob') });
    expect([refused.status, refused.json.detail]).toEqual([
      403,
      'a user with the role reader may not ask PUT /v1/tenants/{tenant}',
    ]);
    const once = as('ann', { 'idempotency-key': 'k1', 'content-type': 'application/json' });
    const answers = [
      await api.ask('/v1/tenants/acme', null, { ...set, ...once }),
      await api.ask('/v1/tenants/acme', null, { ...set, ...once }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.text).toBe(answers[0]?.text);
    const acts = await textRows(database, "select actor from changes where act = 'tenant set'");
    expect(new Set(acts.map(({ actor }) => actor))).toContain('ann');
  });

  it('a name that is unknown or missing lets nobody in, and a key goes before a name', async () => {
    expect((await api.ask('/v1/status', null, as('mallory'))).status).toBe(403);
    expect((await api.ask('/v1/status', null)).status).toBe(401);
    const ingest = await api.key('ingest');
    expect((await api.ask('/v1/status', ingest, as('ann'))).json.detail).toContain('a key with');
    const token = as('rob', { authorization: 'Bearer eyJhbGciOi.of.the-proxy' });
    expect((await api.ask('/v1/status', null, token)).status).toBe(200);
  });

  it('an act that a page of another site sends is refused, as the cookie of the proxy goes with it', async () => {
    for (const forged of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
      const sent = { method: 'PUT', json: {}, ...as('ann', forged) };
      expect((await api.ask('/v1/tenants/acme', null, sent)).status).toBe(403);
    }
  });

  it('without a proxy nobody is believed', async () => {
    const bare = await startApi(database, { keeper: null });
    expect((await bare.ask('/v1/status', null, as('ann'))).status).toBe(401);
    await bare.close();
  });
});

describe('in the console', () => {
  it('a user looks without a sign-in, and the sign-out is left to the proxy', async () => {
    const page = await fetch(`${running.url}/console`, as('rob'));
    const text = await page.text();
    expect([page.status, text.includes('<bdi>rob</bdi>')]).toEqual([200, true]);
    expect(text).not.toContain('/console/sign-out');
    expect((await fetch(`${running.url}/console`, as('mallory'))).status).toBe(403);
  });

  it('an act is the user’s, and its form is of the own browser', async () => {
    const at = `${running.url}/console/act/set-tenant?tenant_id=acme&time_zone=Europe%2FParis`;
    const page = await fetch(at, as('ann'));
    const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
    const text = await page.text();
    const form_token = formTokenIn(text);
    expect(form_token).not.toBe('');
    const form_id = /name="form_id" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const send = (headers: Record<string, string>) =>
      fetch(`${running.url}/console/act/set-tenant`, {
        method: 'POST',
        body: new URLSearchParams({
          ...{ tenant_id: 'acme', time_zone: 'Europe/Paris', reason: 'moved' },
          ...{ form_token, form_id },
        }),
        headers: { [BY]: 'ann', ...headers },
      });
    expect((await send({})).status).toBe(403);
    expect((await send({ cookie, origin: 'https://evil.example' })).status).toBe(403);
    const done = await send({ cookie });
    expect([done.status, (await done.text()).includes('act of ann: moved')]).toEqual([200, true]);
    const acts = await textRows(database, "select actor from changes where reason = 'moved'");
    expect(acts.map(({ actor }) => actor)).toContain('ann');
  });
});
