import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, freshApi } from '../support/api.ts';
import { count, freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

let database: TestDatabase;
let api: Api;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  api = await freshApi(database);
});

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const event = (change: Record<string, unknown>) =>
  JSON.stringify(nativeEvent({ occurred_at: new Date().toISOString(), ...change }));

describe('usage in another encoding than UTF-8', () => {
  const tenants = async () =>
    (await textRows(database, 'select distinct tenant_id from entries order by 1')).map(
      ({ tenant_id }) => tenant_id,
    );

  it('makes one customer of no two, and holds up nothing beside it', async () => {
    const key = await api.key('ingest');
    const lines = [
      event({ event_id: 'l1', tenant_id: 'Müller' }),
      event({ event_id: 'l2', tenant_id: 'Mäller' }),
      event({ event_id: 'l3', tenant_id: 'acme', prompt: 'Grüße' }),
    ];
    let sent = 0;
    const bodies = [lines.join('\n'), `[${lines.join(',')}]`];
    for (const text of bodies) {
      for (const encoding of ['identity', 'gzip']) {
        sent += 1;
        const plain = latin1(text.replaceAll('"l', `"${sent}l`));
        const folded = encoding === 'gzip' ? new Uint8Array(gzipSync(plain)) : plain;
        const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
        const answer = await api.ask('/v1/events', key, { body: folded, headers });
        expect([answer.status, answer.json.taken, answer.json.not_taken]).toEqual([207, 1, 2]);
        expect(answer.json.events[0].detail).toContain('tenant_id');
        expect(answer.json.events[0].detail).toContain('no UTF-8');
      }
    }
    expect(await tenants()).toEqual(['acme']);
    expect(await count(database, "quarantine where reason = 'invalid_field'")).toBe(8);
    const admin = await api.key('admin');
    const replayed = await api.ask('/v1/quarantine/replay', admin, { json: {} });
    expect(replayed.json.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      Array(8).fill('quarantined'),
    );
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('keeps apart, too, what OpenTelemetry sends, and leaves names in UTF-8 as they are', async () => {
    const key = await api.key('ingest');
    const attribute = (name: string, value: object) => ({ key: name, value });
    const spans = (tenantId: string, spanId: string) => {
      const end = BigInt(Date.now()) * 1_000_000n;
      const span = {
        ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId, name: 'chat', kind: 3 },
        startTimeUnixNano: String(end - 1_000_000_000n),
        endTimeUnixNano: String(end),
        attributes: [
          attribute('tenant_id', { stringValue: tenantId }),
          attribute('gen_ai.operation.name', { stringValue: 'chat' }),
          attribute('gen_ai.provider.name', { stringValue: 'openai' }),
          attribute('gen_ai.request.model', { stringValue: 'gpt-4o' }),
          attribute('gen_ai.usage.input_tokens', { intValue: '5' }),
          attribute('gen_ai.usage.output_tokens', { intValue: '5' }),
        ],
        status: {},
      };
      const scopeSpans = [{ scope: { name: 'mine' }, spans: [span] }];
      return JSON.stringify({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans }] });
    };
    const headers = { 'content-type': 'application/json' };
    const send = (body: Uint8Array<ArrayBuffer>) => api.ask('/v1/traces', key, { body, headers });
    const bad = await send(latin1(spans('Müller', 'b7ad6b7169203331')));
    expect([bad.status, bad.json.partialSuccess.rejectedSpans]).toEqual([200, '1']);
    const good = await send(
      new Uint8Array(Buffer.from(spans('Müller \uFFFD', 'b7ad6b7169203332'))),
    );
    expect([good.status, good.json]).toEqual([200, {}]);
    expect(await tenants()).toEqual(['Müller \uFFFD']);
  });
});

describe('acts and questions in another encoding than UTF-8', () => {
  it('are refused, and nothing is done', async () => {
    await makeTenant(database, 'acme');
    const admin = await api.key('admin');
    const asked = [
      await api.ask('/v1/tenants/acme/adjustments', admin, {
        body: latin1('{"amount":"-5.00","reason":"café"}'),
        headers: { 'content-type': 'application/json' },
      }),
      await api.ask('/v1/tenants/zz%ff', admin, { method: 'PUT', json: {} }),
      await api.ask('/v1/usage?tenant=M%fcller', admin),
      await api.ask('/v1/events/latin/l%e9', admin),
    ];
    expect(asked.map(({ status, json }) => [status, json.kind])).toEqual(
      Array(4).fill([400, 'bad_request']),
    );
    for (const { json } of asked) expect(json.detail).toContain('not UTF-8');
    expect(await count(database, "tenants where tenant_id like 'zz%'")).toBe(0);
    expect(await count(database, 'entries')).toBe(0);
    const known = await api.ask('/v1/tenants/caf%C3%A9%20100%25', admin, {
      method: 'PUT',
      json: {},
    });
    expect([known.status, known.json.tenant_id]).toEqual([200, 'café 100%']);
  });
});
