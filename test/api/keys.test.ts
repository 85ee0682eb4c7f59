import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { createdKeyAnswer, keysAnswer, revokedKeyAnswer } from '../../src/keys/key-answer.ts';
import { type Api, freshApi, startApi } from '../support/api.ts';
import { cli } from '../support/cli.ts';
import { freshDatabase, reopen, type TestDatabase, textRows } from '../support/database.ts';
import { makeTenant } from '../support/ledger.ts';

let database: TestDatabase;
let api: Api;

beforeEach(async () => {
  database = await freshDatabase();
  api = await freshApi(database);
});

describe('a key', () => {
  it('is made at the command line, shown once, and kept as a hash', async () => {
    const environment = { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' };
    const made = await cli(
      ['key', 'create', '--role', 'reader', '--expires', '90d', '--json'],
      environment,
    );
    const { key, key_id, expires_at } = createdKeyAnswer.parse(JSON.parse(made.stdout));
    expect(key).toMatch(new RegExp(`^slk_reader_${key_id}_[\\w-]{43}$`));
    expect(expires_at).not.toBeNull();
    expect((await api.ask('/v1/status', key)).status).toBe(200);
    const [row] = await textRows(database, 'select * from http_keys');
    expect(JSON.stringify(row)).not.toContain(key.slice(-43));
    const listed = await cli(['key', 'list'], environment);
    expect(listed.stdout).toContain(key_id);
    expect(listed.stdout).not.toContain(key.slice(-43));
    const revoked = await cli(['key', 'revoke', key_id, '--actor', 'ann'], environment);
    expect(revoked.stdout).toBe(`key ${key_id} is revoked\n`);
    const refused = await api.ask('/v1/status', key);
    expect([refused.status, refused.json.detail]).toEqual([
      401,
      'the key of the request was revoked',
    ]);
  });

  it('that is missing, wrong or of another server is refused alike', async () => {
    const key = await api.key('reader');
    const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
    const stranger = key.replace(/_[a-z0-9]{8}_/, '_aaaaaaaa_');
    expect((await api.ask('/v1/status', null)).json.detail).toBe('the request bears no key');
    const refused = [await api.ask('/v1/status', wrong), await api.ask('/v1/status', stranger)];
    expect(refused.map(({ status }) => status)).toEqual([401, 401]);
    expect(refused[0]?.text).toBe(refused[1]?.text);
    expect(refused[0]?.headers.get('www-authenticate')).toBe('Bearer realm="spanledger"');
  });

  it('that is revoked in one process is refused by every other from then on', async () => {
    const other = await startApi(reopen(database.url, 4));
    const admin = await api.key('admin');
    const key = await api.key('reader');
    expect((await other.ask('/v1/status', key)).status).toBe(200);
    const id = key.split('_')[2];
    const revoked = await api.ask(`/v1/keys/${id}`, admin, { method: 'DELETE' });
    const answer = revokedKeyAnswer.parse(revoked.json);
    expect(answer).toMatchObject({
      state: 'revoked',
      revoked_by: expect.stringMatching(/^admin-/),
    });
    const listed = await api.ask('/v1/keys?limit=1000', admin);
    expect(keysAnswer.parse(listed.json.keys)).toHaveLength(2);
    expect((await other.ask('/v1/status', key)).status).toBe(401);
    await other.close();
  });

  it('expires at its instant', async () => {
    let now = parseInstant('2026-11-01T00:00:00Z');
    const timed = await freshApi(database, { clock: () => now, keeper: null });
    const key = await timed.key('reader', { days: 1 });
    expect((await timed.ask('/v1/status', key)).status).toBe(200);
    now += 24 * 3_600_000;
    expect((await timed.ask('/v1/status', key)).json.detail).toBe(
      'the key of the request has expired',
    );
  });

  it('of a tenant is made beside others at the same moment', async () => {
    for (const tenant of ['acme', 'globex']) await makeTenant(database, tenant);
    const admin = await api.key('admin');
    const links = await Promise.all(
      Array.from({ length: 24 }, (_, nth) =>
        api.ask('/v1/keys', admin, {
          json: { role: 'link', tenant: nth % 2 === 0 ? 'acme' : 'globex', expires_in_days: 30 },
        }),
      ),
    );
    expect(links.map(({ status, json }) => [status, json.detail])).toEqual(
      links.map(() => [200, undefined]),
    );
  });

  it('has a rate, and says when to come again', async () => {
    const key = await api.key('reader', { rate: 3 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.ask('/v1/tenants', key)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(2);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
  });

  it('of a role that may not is refused by name', async () => {
    const reader = await api.key('reader');
    const refused = await api.ask('/v1/keys', reader);
    expect(refused.status).toBe(403);
    expect(refused.json).toMatchObject({
      kind: 'not_permitted',
      detail: 'a key with the role reader may not ask GET /v1/keys',
      remedy: 'use a key with the role admin',
    });
  });

  it('acts under its own name, whatever the body says', async () => {
    await makeTenant(database, 'acme');
    const admin = await api.key('admin', { name: 'finance' });
    const budget = { tenant_id: 'acme', per: 'month', amount: '10' };
    const set = await api.ask('/v1/budgets', admin, {
      method: 'PUT',
      json: { ...budget, actor: 'nobody' },
    });
    expect(set.json).toMatchObject({ limit: '10', kind: 'hard' });
    expect(await textRows(database, 'select set_by from budgets')).toEqual([{ set_by: 'finance' }]);
  });

  it('for some tenants, and without a source, sees nothing of what came in for others', async () => {
    const coverage = '/v1/ingest/coverage';
    const some = await api.key('ingest', { tenants: ['acme'] });
    const refused = await api.ask(coverage, some);
    expect([refused.status, refused.json.kind]).toEqual([403, 'not_permitted']);
    expect((await api.ask(`${coverage}?source=shop`, some)).status).toBe(403);
    const sourced = await api.key('ingest', { tenants: ['acme'], source: 'shop' });
    expect((await api.ask(`${coverage}?source=other`, sourced)).status).toBe(200);
    expect((await api.ask(coverage, await api.key('ingest'))).status).toBe(200);
  });
});
