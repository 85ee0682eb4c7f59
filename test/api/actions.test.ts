import { once } from 'node:events';
import { request } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { type Api, freshApi } from '../support/api.ts';
import { count, freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import {
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../support/ledger.ts';

let database: TestDatabase;
let api: Api;
let admin: string;
let now = parseInstant('2026-11-04T00:00:00Z');

beforeEach(async () => {
  now = parseInstant('2026-11-04T00:00:00Z');
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  api = await freshApi(database, { clock: () => now });
  admin = await api.key('admin', { name: 'finance' });
});

const CREDIT = { amount: '-5', reason: 'goodwill' };
const credit = (key: string, json: object = CREDIT) =>
  api.ask('/v1/tenants/acme/adjustments', admin, { json, headers: { 'idempotency-key': key } });

describe('an action', () => {
  it('is done once for each Idempotency-Key, and answered the same again', async () => {
    const first = await credit('one');
    expect(first.json).toMatchObject({ state: 'posted', tenant_id: 'acme', amount: '-5' });
    const again = await credit('one');
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(await textRows(database, 'select actor, reason from entries')).toEqual([
      { actor: 'finance', reason: 'goodwill' },
    ]);
    const other = await credit('two');
    expect(other.json.entry_id).not.toBe(first.json.entry_id);
    const changed = await credit('one', { ...CREDIT, amount: '-6' });
    expect([changed.status, changed.json.kind]).toEqual([409, 'conflict']);
    expect(await count(database, 'entries')).toBe(2);
  });

  it('that was answered as CSV is answered as CSV again, and as JSON under no name of it', async () => {
    const check = (accept: string) =>
      api.ask('/v1/ingest/check', admin, {
        json: { text: '{"event_id":"one"}' },
        headers: { 'idempotency-key': 'look', accept },
      });
    const answers = [await check('text/csv'), await check('text/csv')];
    const shown = answers.map(({ status, headers, text }) => [
      ...[status, headers.get('content-type'), text.slice(0, 20)],
    ]);
    const csv = [200, 'text/csv; charset=utf-8', 'body,outcome,reason,'];
    expect(shown).toEqual([csv, csv]);
    expect((await check('application/json')).status).toBe(409);
  });

  it('that was done and not answered acts no second time', async () => {
    const first = await credit('one');
    await database.pool.query('delete from http_actions');
    const again = await credit('one');
    expect(again.json).toMatchObject({ state: 'duplicate', entry_id: first.json.entry_id });
    expect(await count(database, 'entries')).toBe(1);
  });

  it('whose answer is shown once keeps no secret, and is not done again', async () => {
    const json = { name: 'a reader', role: 'reader' };
    const make = () => api.ask('/v1/keys', admin, { json, headers: { 'idempotency-key': 'make' } });
    const made = await make();
    expect(made.status).toBe(200);
    expect(JSON.stringify(await textRows(database, 'select * from http_actions'))).not.toContain(
      made.json.key,
    );
    expect([
      (await make()).status,
      await count(database, "http_keys where name = 'a reader'"),
    ]).toEqual([409, 1]);
  });

  it('at the same moment under one key is done by one of the requests', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => credit('same')));
    expect(await count(database, 'entries')).toBe(1);
    const done = answers.filter(({ status }) => status === 200);
    expect(done.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(6 - done.length);
  });

  it('that is refused can be tried again under the same key, and one that was left is taken over', async () => {
    expect((await credit('mended', { ...CREDIT, amount: 'five' })).status).toBe(400);
    expect((await credit('mended')).status).toBe(200);
    const [key] = await textRows(database, 'select key_id from http_keys');
    await credit('left');
    await database.pool.query(
      "update http_actions set status = null, answer = null where idempotency_key = 'left'",
    );
    expect((await credit('left')).json.detail).toContain('is under way');
    now += 11 * 60_000;
    expect((await credit('left')).status).toBe(200);
    expect(key).toBeDefined();
  });

  it('of every kind is there: tenants, prices, corrections, closes, quarantine', async () => {
    const put = await api.ask('/v1/tenants/globex', admin, {
      method: 'PUT',
      json: { mode: 'live' },
    });
    expect(put.json).toMatchObject({ tenant_id: 'globex', mode: 'live' });
    const book = { ...(sharedBook('standard') as object), book: 'gold' };
    const imported = await api.ask('/v1/price-books', admin, { json: { documents: [book] } });
    expect(imported.json).toMatchObject([{ book: 'gold', answer: 'imported' }]);
    await receiveEvents(database, [nativeEvent(), { event_id: 'bad' }], '2026-11-03T00:00:00Z');
    const [entry] = (await api.ask('/v1/entries', admin)).json.entries;
    const corrected = await api.ask(`/v1/entries/${entry.entry_id}/corrections`, admin, {
      json: { change: { output_tokens: 200 }, reason: 'a count was wrong' },
    });
    expect(corrected.json).toMatchObject({ corrected: entry.entry_id, charge_after: '0.0054' });
    const waiting = await api.ask('/v1/quarantine', admin);
    const [{ quarantine_id }] = waiting.json.quarantine;
    const dismissed = await api.ask('/v1/quarantine/dismiss', admin, {
      json: { quarantine_ids: [quarantine_id], reason: 'sent again' },
    });
    expect(dismissed.json).toMatchObject([{ outcome: 'dismissed' }]);
    const closed = await api.ask('/v1/closes', admin, {
      json: { month: '2026-10', tenant: 'acme' },
    });
    expect(closed.json).toMatchObject([
      { tenant_id: 'acme', state: 'closed', charge_total: '0.01' },
    ]);
    const statement = await api.ask('/v1/statements/acme/2026-10', admin);
    expect(statement.json.total).toBe('0.01');
  });

  it('that needs Stripe is refused where the server has no key of Stripe', async () => {
    const refused = await api.ask('/v1/pushes', admin, { json: { month: '2026-10' } });
    expect([refused.status, refused.json.detail]).toEqual([
      503,
      'this server has no key of Stripe',
    ]);
  });

  it('checks a budget as the command does, and needs its whole request', async () => {
    const call = { tenant: 'acme', model: 'gpt-4o', input_tokens: 10, max_output_tokens: 10 };
    const checked = await api.ask('/v1/budgets/check', admin, { json: call });
    expect(checked.json).toMatchObject({ verdict: 'allow', currency: 'USD', budgets: [] });
    const { tenant: _, ...without } = call;
    const refused = await api.ask('/v1/budgets/check', admin, { json: without });
    expect(refused.json.detail).toContain('tenant');
  });
});

describe('for machines', () => {
  it('metrics count requests and events, and name no tenant', async () => {
    await api.ask('/v1/events', admin, {
      json: nativeEvent({ occurred_at: '2026-11-03T12:00:00Z' }),
    });
    await api.ask('/v1/usage?tenant=acme', admin);
    await api.ask('/v1/usage', 'slk_admin_nothing');
    const { text, headers } = await api.ask('/metrics', null);
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toContain('spanledger_http_requests_total{route="/v1/usage",status="200"} 1');
    expect(text).toContain('spanledger_ingest_events_total{route="/v1/events",outcome="posted"} 1');
    expect(text).toContain('spanledger_keys_refused_total 1');
    expect(text).toMatch(/^spanledger_quarantined_events 0$/m);
    expect(text).not.toContain('acme');
  });

  it('a server is ready with its database, and drains what it has in hand', async () => {
    expect((await api.ask('/readyz', null)).status).toBe(200);
    const body = JSON.stringify(nativeEvent({ occurred_at: '2026-11-03T12:00:00Z' }));
    const { hostname, port } = new URL(api.url);
    const sent = request({ hostname, port, path: '/v1/events', method: 'POST' });
    sent.setHeader('authorization', `Bearer ${admin}`);
    sent.setHeader('content-type', 'application/json');
    sent.write(body.slice(0, 20));
    // The server has the request, and waits for the rest of its body.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const closed = api.server.close();
    sent.end(body.slice(20));
    const [answer] = await once(sent, 'response');
    expect(answer.statusCode).toBe(202);
    answer.resume();
    await closed;
    await expect(api.ask('/healthz', null)).rejects.toThrow();
  });

  it('headers are bounded, and answers carry what keeps a browser safe', async () => {
    const { headers } = await api.ask('/healthz', null, { headers: { 'x-request-id': 'mine-1' } });
    expect(headers.get('x-request-id')).toBe('mine-1');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    const large = await fetch(`${api.url}/healthz`, { headers: { 'x-large': 'x'.repeat(20_000) } });
    expect(large.status).toBe(431);
  });
});
