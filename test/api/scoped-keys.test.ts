import { createCipheriv, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { replayQuarantine } from '../../src/ingest/quarantine/replay-quarantine.ts';
import { openQueueKeeper } from '../../src/ingest/taking/queue-keeper.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../src/log.ts';
import { type Api, freshApi, type KeyScope } from '../support/api.ts';
import { count, freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';
import { brokenLaws, work } from '../support/worker.ts';

let database: TestDatabase;
let api: Api;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  api = await freshApi(database);
});

const event = (change: Record<string, unknown> = {}) =>
  nativeEvent({ occurred_at: new Date().toISOString(), ...change });

const attribute = (key: string, value: string | number) => ({
  key,
  value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
});

/** A span that used half a million tokens of nobody knows which model. */
function span(tenantId: string, change: { readonly spanId?: string } = {}) {
  const end = BigInt(Date.now()) * 1_000_000n;
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: change.spanId ?? 'b7ad6b7169203331',
    name: 'llm call',
    kind: 3,
    startTimeUnixNano: String(end - 1_000_000_000n),
    endTimeUnixNano: String(end),
    attributes: [
      attribute('tenant_id', tenantId),
      attribute('gen_ai.usage.input_tokens', 500_000),
      attribute('gen_ai.usage.output_tokens', 10),
    ],
    status: {},
  };
}

const spansOf = (...spans: readonly unknown[]) => ({
  resourceSpans: [
    { resource: { attributes: [] }, scopeSpans: [{ scope: { name: 'mine' }, spans }] },
  ],
});

const SCOPES: readonly (readonly [string, KeyScope])[] = [
  ['none', {}],
  ['a source', { source: 'shop' }],
  ['its tenant', { tenants: ['globex'] }],
  ['both', { source: 'shop', tenants: ['globex'] }],
];

const { event_id: _, ...unnamed } = event({ tenant_id: 'globex' });
const line = (id: string) => JSON.stringify(event({ event_id: id, tenant_id: 'globex' }));

const BODIES: readonly (readonly [string, string, string])[] = [
  ['a span with usage and no model', '/v1/traces', JSON.stringify(spansOf(span('globex')))],
  ['an event without an id', '/v1/events', JSON.stringify(unnamed)],
  ['JSON that was cut short', '/v1/events', '{"event_id":"x","tenant_id":"globex"'],
  ['JSON with a comma too many', '/v1/events', '{"event_id":"x","tenant_id":"globex",}'],
  ['a broken line among others', '/v1/events', `${line('n1')}\n${line('n2')}\n{"event_id":`],
];

describe('what cannot be posted', () => {
  it.each(SCOPES)(
    'is told and kept alike, whatever the scope of its key: %s',
    async (_name, scope) => {
      const key = await api.key('ingest', scope);
      for (const [what, path, body] of BODIES) {
        const answer = await api.ask(path, key, {
          body,
          headers: { 'content-type': 'application/json' },
        });
        const told =
          path === '/v1/traces'
            ? [answer.json.partialSuccess?.rejectedSpans, 'quarantined']
            : [String(answer.json.not_taken), answer.json.events?.at(-1)?.outcome];
        expect([what, answer.status, ...told]).toEqual([
          what,
          path === '/v1/traces' ? 200 : 207,
          ...['1', 'quarantined'],
        ]);
        expect(answer.text).not.toContain('the key may not');
      }
      const kept = await textRows(database, 'select source, reason from quarantine order by 1, 2');
      const reasons = kept.map(({ reason }) => reason).toSorted();
      expect(reasons).toEqual([
        'invalid_field',
        'not_json',
        'not_json',
        'not_json',
        'not_understood',
      ]);
      if (scope.source !== undefined)
        expect(new Set(kept.map(({ source }) => source))).toEqual(new Set(['shop']));
      expect(await brokenLaws(database)).toEqual([]);
    },
  );

  it('is told and kept by a queue, too, of the source of its key', async () => {
    const queue = await freshQueue();
    const keeper = openQueueKeeper({ ...queue, region: null, log: openLog('silent'), disk: null });
    const door = await freshApi(database, { keeper });
    const key = await api.key('ingest', { source: 'shop', tenants: ['globex'] });
    for (const [, path, body] of BODIES) {
      const answer = await door.ask(path, key, {
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(path === '/v1/traces' ? 200 : 207);
    }
    await work(database, queue.client);
    expect(await count(database, 'quarantine')).toBe(BODIES.length);
    expect(await count(database, "quarantine where source is distinct from 'shop'")).toBe(0);
    expect(await count(database, 'entries')).toBe(2);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

describe('what waits and can be read later', () => {
  const secret = randomBytes(32);
  const reading = { litellmKey: { key: secret, additionalData: null } };

  /** A message that nobody can look into without the key of the producer. */
  function encrypted(message: unknown) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', secret, nonce);
    const ciphertext = Buffer.concat([cipher.update(JSON.stringify(message)), cipher.final()]);
    const base64 = (bytes: Buffer) => bytes.toString('base64');
    const payload = { nonce: base64(nonce), ciphertext: base64(ciphertext) };
    return { __encrypted__: true, payload: { ...payload, tag: base64(cipher.getAuthTag()) } };
  }

  const own = () => encrypted(event({ event_id: 'own', tenant_id: 'globex', source: 'elsewhere' }));
  const theirs = () => encrypted(event({ event_id: 'theirs', tenant_id: 'hooli' }));
  const named = () => ({ ...theirs(), event_id: 'x', tenant_id: 'globex' });
  const nested = () => ({ sender_scope: { source: 'mine', tenant_ids: null }, sent: theirs() });
  const sent = () => ({ json: [own(), theirs(), named(), nested()] });

  async function expectHeld() {
    const parts = { database, clock: systemClock, reading };
    const replayed = await replayQuarantine(parts, { quarantine_ids: [] });
    expect(replayed.map(({ outcome }) => outcome)).toEqual([
      ...['posted', 'quarantined', 'quarantined', 'quarantined'],
    ]);
    expect(replayed[1]?.detail).toContain('may not name its tenant');
    expect(await textRows(database, 'select event_id, tenant_id, source from entries')).toEqual([
      { event_id: 'own', tenant_id: 'globex', source: 'shop' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  }

  it('is held to the scope of the key that sent it', async () => {
    const key = await api.key('ingest', { source: 'shop', tenants: ['globex'] });
    const answer = await api.ask('/v1/events', key, sent());
    expect([answer.status, answer.json.not_taken]).toEqual([207, 4]);
    await expectHeld();
  });

  it('is held to it, too, where it came by the queue', async () => {
    const queue = await freshQueue();
    const keeper = openQueueKeeper({ ...queue, region: null, log: openLog('silent'), disk: null });
    const door = await freshApi(database, { keeper });
    const key = await api.key('ingest', { source: 'shop', tenants: ['globex'] });
    const answer = await door.ask('/v1/events', key, sent());
    expect([answer.status, answer.json.not_taken]).toEqual([207, 4]);
    await work(database, queue.client);
    await expectHeld();
  });
});

describe('a hold', () => {
  const call = {
    ...{ model: 'gpt-4o', input_tokens: 100, max_output_tokens: 100, feature: 'chat' },
    hold_id: 'h-1',
  };
  const stateOfHold = async () =>
    (await textRows(database, "select state from budget_holds where hold_id = 'h-1'"))[0]?.[
      'state'
    ];

  beforeEach(async () => {
    await makeTenant(database, 'acme', { priceBook: 'standard' });
    const admin = await api.key('admin');
    const set = { tenant: 'acme', per: 'once', amount: '5.00' };
    expect((await api.ask('/v1/budgets', admin, { method: 'PUT', json: set })).status).toBe(200);
    const json = { ...call, tenant: 'acme' };
    expect((await api.ask('/v1/budgets/reserve', admin, { json })).json.hold_id).toBe('h-1');
  });

  // A name may read as what stands where no tenant is named.
  it.each([['globex'], ['null'], ['undefined']])(
    'of another tenant is neither given back nor settled by a key for %s',
    async (tenant) => {
      const key = await api.key('ingest', { tenants: [tenant] });
      const release = (json: object) => api.ask('/v1/budgets/holds/h-1/release', key, { json });
      expect((await release({})).status).toBe(403);
      expect((await release({ tenant: null })).status).toBe(403);
      expect((await release({ tenant: 'acme' })).status).toBe(403);
      expect((await release({ tenant })).status).toBe(404);
      const sent = event({ event_id: 'settles', tenant_id: tenant, hold_id: 'h-1' });
      expect((await api.ask('/v1/events', key, { json: sent })).status).toBe(202);
      await foldAll(database, systemClock);
      expect(await stateOfHold()).toBe('open');
      // Nor is it said what it holds.
      const again = await api.ask('/v1/budgets/reserve', key, { json: { ...call, tenant } });
      expect(again.text).not.toContain('acme');
    },
  );

  it('of its own tenant is given back', async () => {
    const key = await api.key('ingest', { tenants: ['acme', 'globex'] });
    const json = { tenant: 'acme' };
    expect((await api.ask('/v1/budgets/holds/h-1/release', key, { json })).status).toBe(200);
    expect(await stateOfHold()).toBe('released');
  });
});

describe('two reports of one call in a message', () => {
  const call = (traceId: string, spanId: string, parent: object) => {
    const one = span('globex', { spanId });
    const attributes = [
      ...one.attributes,
      attribute('gen_ai.operation.name', 'chat'),
      attribute('gen_ai.provider.name', 'openai'),
      attribute('gen_ai.request.model', 'gpt-4o'),
      attribute('gen_ai.response.id', `resp_${traceId}`),
    ];
    return { ...one, traceId, ...parent, attributes };
  };

  it('are both of the source of the key, and so is one that is counted apart', async () => {
    const key = await api.key('ingest', { source: 'shop' });
    for (const trace of ['a', 'b']) {
      const traceId = trace.repeat(32);
      const outer = call(traceId, 'b7ad6b7169203331', {});
      const inner = call(traceId, 'b7ad6b7169203332', { parentSpanId: outer.spanId });
      const messages = trace === 'a' ? [[outer, inner]] : [[outer], [outer, inner]];
      for (const spans of messages) {
        const answer = await api.ask('/v1/traces', key, { json: spansOf(...spans) });
        expect([answer.status, answer.json]).toEqual([200, {}]);
      }
    }
    const sources = (what: string) => textRows(database, `select distinct ${what}`);
    expect(await sources('source from entries')).toEqual([{ source: 'shop' }]);
    expect(await sources('repeats_source as source from second_reports')).toEqual([
      { source: 'shop' },
    ]);
  });
});
