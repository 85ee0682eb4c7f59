import { readFileSync } from 'node:fs';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { openQueueKeeper } from '../../src/ingest/taking/queue-keeper.ts';
import { takenAnswer } from '../../src/ingest/taking/taken-answer.ts';
import { openLog } from '../../src/log.ts';
import { type Api, freshApi } from '../support/api.ts';
import { count, freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';
import { openQueueProxy } from '../support/queue-proxy.ts';
import { brokenLaws, work } from '../support/worker.ts';

const OTLP = new URL('../fixtures/otlp/', import.meta.url);
const capture = (name: string) => readFileSync(new URL(name, OTLP));
const AI_SDK = 'ai-sdk-7.0.173_otel-1.0.173.traces';

let database: TestDatabase;
let api: Api;
let key: string;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  api = await freshApi(database);
  key = await api.key('ingest');
});

/** An event of today, since the ledger refuses what is from the future or too old. */
const event = (change: Record<string, unknown> = {}) =>
  nativeEvent({ occurred_at: new Date().toISOString(), ...change });

const eventIds = async () =>
  (await textRows(database, 'select event_id from entries order by event_id')).map(
    (row) => row['event_id'],
  );

describe('/v1/events', () => {
  it('takes one event, a list, a pack, a line each, and CloudEvents in every mode', async () => {
    const send = (body: string, type: string, headers = {}) =>
      api.ask('/v1/events', key, { body, headers: { 'content-type': type, ...headers } });
    const cloud = {
      ...{ specversion: '1.0', id: 'ce1', source: 'shop', type: 'usage', subject: 'acme' },
      ...{
        time: new Date().toISOString(),
        data: { model: 'gpt-4o', input_tokens: 5, output_tokens: 1 },
      },
    };
    const { data, ...attributes } = { ...cloud, id: 'ce3' };
    const asHeaders = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]);
    const lines = [event({ event_id: 'l1' }), event({ event_id: 'l2' })].map((one) =>
      JSON.stringify(one),
    );
    const answers = [
      await send(JSON.stringify(event({ event_id: 'one' })), 'application/json'),
      await send(
        JSON.stringify([event({ event_id: 'a1' }), event({ event_id: 'a2' })]),
        'application/json',
      ),
      await send(JSON.stringify({ events: [event({ event_id: 'p1' })] }), 'application/json'),
      await send(`${lines.join('\n')}\n`, 'application/x-ndjson'),
      await send(JSON.stringify(cloud), 'application/cloudevents+json'),
      await send(JSON.stringify([{ ...cloud, id: 'ce2' }]), 'application/cloudevents-batch+json'),
      await send(JSON.stringify(data), 'application/json', Object.fromEntries(asHeaders)),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(takenAnswer.parse(answers[0]?.json)).toEqual({
      taken: 1,
      not_taken: 0,
      events: [
        { event_id: 'one', source: 'default', outcome: 'posted', reason: null, detail: null },
      ],
    });
    expect(await eventIds()).toEqual(['a1', 'a2', 'ce1', 'ce2', 'ce3', 'l1', 'l2', 'one', 'p1']);
  });

  it('answers for each event: one that is bad waits in quarantine, and the others are posted', async () => {
    const bad = event({ event_id: 'bad', usage: { input_tokens: -1, output_tokens: 1 } });
    const answer = await api.ask('/v1/events', key, { json: [event({ event_id: 'good' }), bad] });
    expect(answer.status).toBe(207);
    expect(answer.json).toMatchObject({
      ...{ taken: 1, not_taken: 1 },
      events: [
        { event_id: 'good', outcome: 'posted' },
        { event_id: 'bad', outcome: 'quarantined', reason: 'invalid_field' },
      ],
    });
    expect(answer.json.events[1].detail).toContain('usage.input_tokens');
    expect(await textRows(database, 'select event_id, reason from quarantine')).toEqual([
      { event_id: 'bad', reason: 'invalid_field' },
    ]);
  });

  it('says that an event came twice, and that another content under its id is a conflict', async () => {
    const one = event();
    await api.ask('/v1/events', key, { json: one });
    const twice = await api.ask('/v1/events', key, { json: one });
    expect([twice.status, twice.json.events[0].outcome]).toEqual([202, 'duplicate']);
    const other = await api.ask('/v1/events', key, {
      json: { ...one, requested_model: 'gpt-4o-mini' },
    });
    expect([other.status, other.json.events[0].outcome]).toEqual([207, 'conflict']);
    expect(await count(database, 'entries')).toBe(1);
  });

  it('unfolds what is compressed, and stops at what is too large or is no such data', async () => {
    const send = (body: Uint8Array, encoding: string) =>
      api.ask('/v1/events', key, {
        body: new Uint8Array(body),
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      });
    const text = (id: string) => JSON.stringify(event({ event_id: id }));
    const sent = [
      await send(gzipSync(text('g')), 'gzip'),
      await send(zstdCompressSync(text('z')), 'zstd'),
      await send(brotliCompressSync(text('b')), 'br'),
      await send(gzipSync(Buffer.alloc(70 * 1024 * 1024, 32)), 'gzip'),
      await send(Buffer.alloc(17 * 1024 * 1024, 32), 'identity'),
      await send(Buffer.from('not gzip'), 'gzip'),
      await send(Buffer.from(text('x')), 'lzma'),
    ];
    expect(sent.map(({ status }) => status)).toEqual([202, 202, 202, 413, 413, 400, 415]);
    expect(await eventIds()).toEqual(['b', 'g', 'z']);
  });

  it('refuses what is no JSON at all, of a wrong type, or without a key, and keeps nothing of it', async () => {
    const noise = await api.ask('/v1/events', key, {
      body: 'hello',
      headers: { 'content-type': 'text/plain' },
    });
    expect([noise.status, noise.json.kind]).toEqual([400, 'bad_request']);
    const form = await api.ask('/v1/events', key, {
      body: 'a=1',
      headers: { 'content-type': 'multipart/form-data' },
    });
    expect(form.status).toBe(415);
    expect((await api.ask('/v1/events', null, { json: event() })).status).toBe(401);
    const reader = await api.key('reader');
    expect((await api.ask('/v1/events', reader, { json: event() })).status).toBe(403);
    expect(await count(database, 'quarantine')).toBe(0);
    expect(await count(database, 'entries')).toBe(0);
  });

  it('keeps no text of a prompt, and fixes the source and the tenants of the key', async () => {
    const scoped = await api.key('ingest', { source: 'shop', tenants: ['acme'] });
    const said = { prompt: 'the secret of the customer', messages: ['and more of it'] };
    const own = event({ event_id: 'own', source: 'elsewhere', ...said });
    const bad = event({ event_id: 'bad', usage: { nonsense: 1 }, ...said });
    const theirs = event({ event_id: 'theirs', tenant_id: 'globex' });
    const answer = await api.ask('/v1/events', scoped, { json: [own, bad, theirs] });
    expect(answer.json.events.map((one: { outcome: string }) => one.outcome)).toEqual([
      'posted',
      'quarantined',
      'refused',
    ]);
    expect(await textRows(database, 'select source, tenant_id from entries')).toEqual([
      { source: 'shop', tenant_id: 'acme' },
    ]);
    expect(JSON.stringify(await textRows(database, 'select * from quarantine'))).not.toContain(
      'secret',
    );
    const alone = await api.ask('/v1/events', scoped, { json: theirs });
    expect([alone.status, alone.json.kind]).toEqual([403, 'not_permitted']);
  });

  it('keeps nothing that is refused at first and would bill another tenant once it is read again', async () => {
    const scoped = await api.key('ingest', { source: 'shop', tenants: ['acme'] });
    const bad = { usage: { nonsense: 1 }, source: 'elsewhere' };
    const json = [
      event({ event_id: 'own', ...bad }),
      event({ event_id: 'theirs', tenant_id: 'globex', ...bad }),
      event({ event_id: 'member', members: [{ member_id: 'm', tenant_id: 'globex' }], ...bad }),
    ];
    const answer = await api.ask('/v1/events', scoped, { json });
    expect(answer.json.events.map((one: { outcome: string }) => one.outcome)).toEqual([
      'quarantined',
      'refused',
      'refused',
    ]);
    const kept = await textRows(
      database,
      "select event_id, body::json ->> 'source' as source from quarantine",
    );
    expect(kept).toEqual([{ event_id: 'own', source: 'shop' }]);
  });
});

describe('/v1/traces', () => {
  it('takes captured bodies of exporters in JSON and in protobuf, once', async () => {
    const json = await api.ask('/v1/traces', key, {
      body: capture(`${AI_SDK}.json`).toString('utf8'),
      headers: { 'content-type': 'application/json' },
    });
    expect([json.status, json.json]).toEqual([200, {}]);
    const entries = await count(database, 'entries');
    expect(entries).toBeGreaterThan(0);
    const protobuf = await api.ask('/v1/traces', key, {
      body: new Uint8Array(gzipSync(capture(`${AI_SDK}.pb`))),
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
    });
    expect([protobuf.status, protobuf.text]).toEqual([200, '']);
    expect(protobuf.headers.get('content-type')).toBe('application/x-protobuf');
    expect(await count(database, 'entries')).toBe(entries);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("takes what Python's SDK sends: protobuf in each of its three compressions, each span once", async () => {
    // Its exporter documents `none`, `gzip` and `deflate`, and takes every status below 400 for success.
    const headers = {
      'user-agent': 'OTel-OTLP-Exporter-Python/1.38.0',
      'content-type': 'application/x-protobuf',
    };
    const sent = capture(`${AI_SDK}.pb`);
    const bodies = [
      [sent, {}],
      [gzipSync(sent), { 'content-encoding': 'gzip' }],
      [deflateSync(sent), { 'content-encoding': 'deflate' }],
    ] as const;
    const counts = new Set<number>();
    for (const [body, encoded] of bodies) {
      const answer = await api.ask('/v1/traces', key, {
        body: new Uint8Array(body),
        headers: { ...headers, ...encoded },
      });
      expect([answer.status, answer.text]).toEqual([200, '']);
      counts.add(await count(database, 'entries'));
    }
    expect([...counts]).toEqual([expect.any(Number)]);
    expect(Math.max(...counts)).toBeGreaterThan(0);
  });

  it('says in the encoding of the request how many spans were not taken', async () => {
    const body = JSON.parse(capture(`${AI_SDK}.json`).toString('utf8'));
    const broken = JSON.stringify(body).replaceAll(
      '"gen_ai.usage.input_tokens"',
      '"gen_ai.usage.input_zokens"',
    );
    const far = broken.replaceAll(
      /"endTimeUnixNano":"\d+"/g,
      '"endTimeUnixNano":"99999999999000000000"',
    );
    const answer = await api.ask('/v1/traces', key, {
      body: far,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    expect(Number(answer.json.partialSuccess.rejectedSpans)).toBeGreaterThan(0);
    expect(answer.json.partialSuccess.errorMessage).toContain('quarantined');
  });

  it('says what is wrong as a Status in the encoding of the request', async () => {
    const stranger = (type: string) =>
      api.ask('/v1/traces', null, { body: 'x', headers: { 'content-type': type } });
    const json = await stranger('application/json');
    expect([json.status, json.json.kind]).toEqual([401, 'unauthenticated']);
    expect(json.json.message).toContain('the request bears no key');
    const protobuf = await stranger('application/x-protobuf');
    expect([protobuf.status, protobuf.headers.get('content-type')]).toEqual([
      401,
      'application/x-protobuf',
    ]);
    // Status { message = 2 }
    expect(protobuf.text.slice(0, 1)).toBe('\u0012');
    expect(protobuf.text).toContain('the request bears no key');
  });

  it('answers tests of a connection, by POST and by PUT', async () => {
    const headers = { 'content-type': 'application/json', 'x-test-connection': 'true' };
    for (const method of ['POST', 'PUT']) {
      for (const body of ['', '{}', '{"resourceSpans":[]}']) {
        const answer = await api.ask('/v1/traces', key, { method, body, headers });
        expect([answer.status, answer.json]).toEqual([200, {}]);
      }
    }
    const empty = { 'content-type': 'application/x-protobuf' };
    expect((await api.ask('/v1/traces', key, { body: '', headers: empty })).status).toBe(200);
  });
});

describe('with a queue', () => {
  it('answers when SQS has the events, and the worker posts what was taken', async () => {
    const queue = await freshQueue();
    const keeper = openQueueKeeper({ ...queue, region: null, log: openLog('silent'), disk: null });
    const door = await freshApi(database, { keeper });
    const bad = event({ event_id: 'bad', usage: { input_tokens: 'many' } });
    const json = [event({ event_id: 'q1' }), bad, event({ event_id: 'q2', tenant_id: 'globex' })];
    const answer = await door.ask('/v1/events', key, { json });
    expect(answer.status).toBe(207);
    expect(answer.json.events.map((one: { outcome: string }) => one.outcome)).toEqual([
      'accepted',
      'quarantined',
      'accepted',
    ]);
    expect(await count(database, 'entries')).toBe(0);
    const spans = await door.ask('/v1/traces', key, {
      body: new Uint8Array(capture(`${AI_SDK}.pb`)),
      headers: { 'content-type': 'application/x-protobuf' },
    });
    expect(spans.status).toBe(200);
    await work(database, queue.client);
    expect(await count(database, "entries where event_id in ('q1', 'q2')")).toBe(2);
    expect(await count(database, 'entries')).toBeGreaterThan(2);
    expect(await textRows(database, 'select event_id, reason from quarantine')).toEqual([
      { event_id: 'bad', reason: 'invalid_field' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('that is away is told as it is: nothing was taken, come again', async () => {
    const queue = await freshQueue();
    const proxy = await openQueueProxy(queue.endpoint);
    const keeper = openQueueKeeper({
      ...{ queueUrl: queue.queueUrl, endpoint: proxy.endpoint, region: null, disk: null },
      log: openLog('silent'),
    });
    const door = await freshApi(database, { keeper });
    proxy.cut();
    const refused = await door.ask('/v1/events', key, { json: event() });
    expect([refused.status, refused.json.kind]).toEqual([503, 'unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    proxy.restore();
    expect((await door.ask('/v1/events', key, { json: event() })).status).toBe(202);
  });

  it('a result of a batch that names no instant is the same event each time that it is sent', async () => {
    const queue = await freshQueue();
    const keeper = openQueueKeeper({ ...queue, region: null, log: openLog('silent'), disk: null });
    let now = Date.now() - 10_000;
    const door = await freshApi(database, { keeper, clock: () => now });
    const usage = { input_tokens: 10, output_tokens: 2 };
    const lines = [
      { id: 'b1', custom_id: 'one', response: { status_code: 500, body: {} }, error: null },
      {
        custom_id: 'two',
        result: { type: 'succeeded', message: { id: 'msg_1', model: 'claude-haiku-4-5', usage } },
      },
    ];
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    for (let time = 0; time < 2; time += 1) {
      const answer = await door.ask('/v1/events', key, { body, headers });
      expect([answer.status, answer.json.taken]).toEqual([202, 2]);
      await work(database, queue.client);
      now += 5_000;
    }
    expect(await eventIds()).toEqual(['b1:one', 'msg_1:two']);
    expect(await count(database, 'quarantine')).toBe(0);
  });

  it('and neither, says what is missing', async () => {
    const door = await freshApi(database, { keeper: null });
    const refused = await door.ask('/v1/events', key, { json: event() });
    expect(refused.status).toBe(503);
    expect(refused.json.remedy).toContain('SPANLEDGER_QUEUE_URL');
  });
});
