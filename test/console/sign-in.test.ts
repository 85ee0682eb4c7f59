import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatInstant, parseInstant } from '../../src/clock.ts';
import { hashOfToken, newToken } from '../../src/keys/session.ts';
import { fieldsOfAct, formTokenIn, type RunningConsole, startConsole } from '../support/console.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

/** Who is let into the console, for how long, and whose forms it takes. */

let database: TestDatabase;
let drop: () => Promise<void>;
let running: RunningConsole;
let now = parseInstant('2026-11-04T08:00:00Z');

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  running = await startConsole(database, { clock: () => now });
});
afterAll(async () => {
  await running.close();
  await drop();
});

it('nobody sees a page without a key, and comes back to it with one', async () => {
  const visitor = await running.visit(null);
  const sent = await visitor.get('/console?month=2026-10');
  expect([sent.status, sent.location]).toEqual([
    303,
    '/console/sign-in?to=%2Fconsole%3Fmonth%3D2026-10',
  ]);
  const key = await running.key('reader');
  const back = await visitor.send('/console/sign-in', { key, to: '/console?month=2026-10' });
  expect([back.status, back.location]).toEqual([303, '/console?month=2026-10']);
  expect(back.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect((await visitor.get('/console')).status).toBe(200);
});

it('whoever signs in comes to the page of a tenant with any name', async () => {
  const tenant = "O'Brien & Sons (1984)!* / חברה";
  await makeTenant(database, tenant);
  const visitor = await running.visit(null);
  const path = `/console/tenants/${encodeURIComponent(tenant)}`;
  const sent = await visitor.get(path);
  const to = new URL(sent.location ?? '', running.url).searchParams.get('to') ?? '';
  const key = await running.key('reader');
  const back = await visitor.send('/console/sign-in', { key, to });
  expect([back.status, back.location]).toEqual([303, path]);
  expect((await visitor.get(path)).status).toBe(200);
});

it.each(['https://evil.example', '//evil.example', '/\\evil.example', '/v1/keys'])(
  'the sign-in leads to no other place: %s',
  async (to) => {
    const visitor = await running.visit(null);
    const key = await running.key('reader');
    expect((await visitor.send('/console/sign-in', { key, to })).location).toBe('/console');
  },
);

it('a form that is sent after the session ended comes back as it was filled, and is done once it is sent again', async () => {
  // given a form that waited for longer than its session
  const visitor = await running.visit(await running.key('admin'));
  const path = '/console/act/set-tenant?tenant_id=acme&anchor_day=4';
  const reason = 'as agreed: 100 % * für & wider';
  const form = { ...fieldsOfAct((await visitor.get(path)).text), reason };
  now += 13 * 60 * 60_000;
  const done = async () =>
    (await database.pool.query('select from changes where reason = $1', [reason])).rowCount;

  // when it is sent, nothing is done, and the sign-in knows it
  const sent = await visitor.send('/console/act/set-tenant', form);
  expect(sent.status).toBe(303);
  const signIn = await visitor.get(sent.location ?? '');
  expect(signIn.text).not.toContain('too long');
  const to = new URL(sent.location ?? '', running.url).searchParams.get('to') ?? '';
  expect(to).not.toContain('form_token');
  expect(await done()).toBe(0);

  // then it stands there again after the sign-in, and is done when it is sent from there
  const back = await visitor.send('/console/sign-in', { key: await running.key('admin'), to });
  expect([back.status, back.location]).toEqual([303, to]);
  const { text } = await visitor.get(to);
  const again = fieldsOfAct(text);
  expect(again['reason']).toBe(reason.replace('&', '&amp;'));
  expect({ ...again, reason, form_token: '' }).toEqual({ ...form, form_token: '' });
  expect(await done()).toBe(0);
  expect((await visitor.send('/console/act/set-tenant', { ...again, reason })).status).toBe(200);
  expect(await done()).toBe(1);
});

it('a form that is too long to come back is said to be lost', async () => {
  const visitor = await running.visit(null);
  const sent = await visitor.send('/console/act/import-book/look', {
    document: 'a'.repeat(10_000),
  });
  expect([sent.status, sent.location]).toEqual([
    303,
    '/console/sign-in?to=%2Fconsole%2Fact%2Fimport-book&lost=yes',
  ]);
  const page = await visitor.get(sent.location ?? '');
  expect(page.text).toContain('nothing was done, and the form that you sent is too long');
});

it('over TLS the cookie is for TLS and this host alone', async () => {
  const visitor = await running.visit(null);
  const key = await running.key('reader');
  const sent = await visitor.send('/console/sign-in', { key }, { 'x-forwarded-proto': 'https' });
  expect(sent.headers.get('set-cookie')).toMatch(
    /^__Host-spanledger=\S+; Path=\/; HttpOnly; Secure/,
  );
});

it('a key that is wrong, has ended or only sends events opens nothing', async () => {
  const visitor = await running.visit(null);
  for (const key of ['', 'slk_admin_abcdefgh_wrong', await running.key('ingest')]) {
    expect((await visitor.send('/console/sign-in', { key })).status).toBe(403);
  }
  expect(visitor.cookie()).toBe('');
});

it('a session is kept as a hash, goes on under a new token, and ends after twelve hours', async () => {
  const visitor = await running.visit(await running.key('reader'));
  const first = visitor.cookie();
  now += 31 * 60_000;
  expect((await visitor.get('/console')).status).toBe(200);
  expect(visitor.cookie()).not.toBe(first);
  const { rows } = await database.pool.query('select session_hash from console_sessions');
  expect(JSON.stringify(rows)).not.toContain(visitor.cookie().split('=')[1]);

  const thief = await running.visit(null);
  const asThief = () =>
    fetch(`${running.url}/console`, { headers: { cookie: first }, redirect: 'manual' });
  expect((await asThief()).status).toBe(200);
  now += 61_000;
  expect((await asThief()).status).toBe(303);
  expect((await thief.get('/console')).status).toBe(303);
  now += 12 * 60 * 60_000;
  expect((await visitor.get('/console')).status).toBe(303);
});

it('a form that was open while the session was renewed is taken, whichever page renewed it', async () => {
  const visitor = await running.visit(await running.key('admin'));
  const first = visitor.cookie();
  now += 20 * 60_000;
  const path = '/console/act/set-tenant?tenant_id=acme&anchor_day=3';
  const form = { ...fieldsOfAct((await visitor.get(path)).text), reason: 'as agreed' };
  const form_token = formTokenIn((await visitor.get('/console')).text);
  now += 11 * 60_000;
  expect((await visitor.send('/console/act/set-tenant', form)).status).toBe(200);
  const renewed = visitor.cookie();
  expect(renewed).not.toBe(first);

  now += 31 * 60_000;
  expect((await visitor.get('/console')).status).toBe(200);
  expect(visitor.cookie()).not.toBe(renewed);
  const later = { ...form, form_id: 'another', reason: 'as agreed again' };
  expect((await visitor.send('/console/act/set-tenant', later)).status).toBe(200);
  const out = await visitor.send('/console/sign-out', { form_token });
  expect([out.status, out.location]).toEqual([303, '/console/sign-in']);

  const anew = await running.visit(await running.key('admin'));
  expect((await anew.send('/console/act/set-tenant', form)).status).toBe(403);
});

it('a session that began before its token had two parts is renewed into one that has', async () => {
  const visitor = await running.visit(await running.key('reader'));
  const alone = newToken();
  await database.pool.query(
    'update console_sessions set session_hash = $1 where session_hash = $2',
    [hashOfToken(alone), hashOfToken(visitor.cookie().replace(/^[^=]*=/, ''))],
  );
  const cookie = `spanledger=${alone}`;
  const get = (at: string) =>
    fetch(`${running.url}/console`, { headers: { cookie: at }, redirect: 'manual' });
  const form_token = formTokenIn(await (await get(cookie)).text());
  now += 31 * 60_000;
  const [renewed = ''] = ((await get(cookie)).headers.get('set-cookie') ?? '').split(';');
  const body = new URLSearchParams({ form_token });
  const out = await fetch(`${running.url}/console/sign-out`, {
    ...{ method: 'POST', body, redirect: 'manual', headers: { cookie: renewed } },
  });
  expect(out.status).toBe(303);
});

it('whoever signs out, or whose key is revoked, is out at once', async () => {
  const visitor = await running.visit(await running.key('reader'));
  const form_token = formTokenIn((await visitor.get('/console')).text);
  const before = visitor.cookie();
  await visitor.send('/console/sign-out', { form_token });
  const again = await fetch(`${running.url}/console`, {
    headers: { cookie: before },
    redirect: 'manual',
  });
  expect(again.status).toBe(303);

  const other = await running.visit(await running.key('admin'));
  expect((await other.get('/console')).status).toBe(200);
  await database.pool.query(
    `update http_keys set revoked_at = '${formatInstant(now)}', revoked_by = 'a test' where role = 'admin'`,
  );
  expect((await other.get('/console')).status).toBe(303);
});

it('a form of another site, or of another session, does nothing', async () => {
  const visitor = await running.visit(await running.key('reader'));
  const form_token = formTokenIn((await visitor.get('/console')).text);
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    expect((await visitor.send('/console/sign-out', { form_token }, headers)).status).toBe(403);
  }
  expect((await visitor.send('/console/sign-out', { form_token: 'guessed' })).status).toBe(403);
  expect((await visitor.get('/console')).status).toBe(200);
});

it('every page forbids what is not of this server, and is kept by nobody', async () => {
  const visitor = await running.visit(await running.key('reader'));
  const { headers } = await visitor.get('/console');
  expect(headers.get('content-security-policy')).toContain(
    "default-src 'none'; style-src 'self'; script-src 'self'",
  );
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(headers.get('cache-control')).toBe('no-store');
});
