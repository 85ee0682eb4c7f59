import { expect, it } from 'vitest';
import { freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';

const ORIGIN = 'https://app.example.com';
const preflight = {
  method: 'OPTIONS',
  headers: {
    ...{ origin: ORIGIN, 'access-control-request-method': 'PUT' },
    'access-control-request-headers': 'authorization,idempotency-key',
  },
};

it('no page of another origin may ask unless its origin is named, and then with a key alone', async () => {
  const database = await freshDatabase();
  const closed = await freshApi(database, { keeper: null });
  const key = await closed.key('reader');
  const asked = await closed.ask('/v1/tenants', key, { headers: { origin: ORIGIN } });
  expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  expect((await closed.ask('/v1/tenants', null, preflight)).status).toBe(405);

  const open = await freshApi(database, { keeper: null, corsOrigins: [ORIGIN] });
  const before = await open.ask('/v1/budgets', null, preflight);
  expect(before.status).toBe(204);
  expect(before.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(before.headers.get('access-control-allow-credentials')).toBeNull();
  expect(before.headers.get('access-control-allow-headers')).toMatch(
    /authorization.*idempotency-key/,
  );
  expect(before.headers.get('access-control-allow-methods')).toContain('PUT');
  for (const [of, status] of [
    [key, 200],
    [null, 401],
  ] as const) {
    const answered = await open.ask('/v1/tenants', of, { headers: { origin: ORIGIN } });
    expect([answered.status, answered.headers.get('access-control-allow-origin')]).toEqual([
      status,
      ORIGIN,
    ]);
    expect(answered.headers.get('access-control-expose-headers')).toContain('next-cursor');
    expect(answered.headers.get('vary')).toMatch(/origin/i);
  }
  const stranger = { headers: { origin: 'https://app.example.com.evil.example' } };
  const refused = await open.ask('/v1/tenants', key, stranger);
  expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  const machine = await open.ask('/healthz', null, { headers: { origin: ORIGIN } });
  expect(machine.headers.get('access-control-allow-origin')).toBeNull();
});

it('every answer says what a browser may do with it', async () => {
  const api = await freshApi(await freshDatabase(), { keeper: null });
  for (const path of ['/', '/openapi.json', '/healthz', '/metrics', '/v1/status', '/nothing']) {
    const { headers } = await api.ask(path, null);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('x-frame-options'), path).toBe('DENY');
    expect(headers.get('referrer-policy'), path).toBe('no-referrer');
    expect(headers.get('content-security-policy'), path).toContain("default-src 'none'");
    expect(headers.get('strict-transport-security'), path).toContain('max-age=');
    expect(headers.get('x-powered-by'), path).toBeNull();
  }
});
