import { createHmac } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { LoopLoad } from '../../src/api/loop-load.ts';
import type { LetIn } from '../../src/ingest/taking/event-keeper.ts';
import { InHand } from '../../src/ingest/taking/in-hand.ts';
import { type Api, freshApi, startApi } from '../support/api.ts';
import { count, createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';

/** What the server does of its own: when it has too much, whom it believes, and what it tells tracing. */

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;

const SECRET = 'whsec_of_langwatch';

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard');
  api = await startApi(database, { langwatchSecret: SECRET });
});
afterAll(async () => {
  await api.close();
  await drop();
});

const event = () => nativeEvent({ occurred_at: new Date().toISOString() });

it('a loop that is late for a while takes no events, and answers questions; then it takes them again', async () => {
  const load = new LoopLoad({ windowMs: 60, mostMs: 40 });
  const pressed = await freshApi(database, { load });
  const [ingest, reader] = [await pressed.key('ingest'), await pressed.key('reader')];
  const busy = setInterval(() => {
    for (const until = performance.now() + 90; performance.now() < until; );
  }, 1);
  try {
    await expect.poll(() => load.isTooMuch, { timeout: 10_000, interval: 10 }).toBe(true);
    const refused = await pressed.ask('/v1/events', ingest, { json: event() });
    expect([refused.status, refused.json.kind]).toEqual([503, 'unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await pressed.ask('/v1/freshness', reader)).status).toBe(200);
  } finally {
    clearInterval(busy);
  }
  await expect.poll(() => load.isTooMuch, { timeout: 10_000, interval: 20 }).toBe(false);
});

it('more than is kept at once waits with its sender, and what is under way is kept', async () => {
  const inHand = new InHand(100, 'the ledger');
  const of = (characters: number) => [{ json: 'x'.repeat(characters) } as unknown as LetIn];
  let finish = () => {};
  const first = inHand.hold(of(500), () => new Promise<void>((done) => (finish = done)));
  await expect(inHand.hold(of(1), async () => 'kept')).rejects.toThrow(/too much is under way/);
  finish();
  await first;
  expect(await inHand.hold(of(1), async () => 'kept')).toBe('kept');
});

it('/v1/langwatch takes what its gateway signed, and nothing that somebody else did', async () => {
  const now = Math.floor(Date.now() / 1000);
  const body = JSON.stringify({
    batch: [
      {
        ...{ id: 'lw-1', type: 'gateway.request.completed' },
        data: {
          ...{ occurred_at: new Date().toISOString(), gateway_request_id: 'g1', model: 'gpt-4o' },
          usage: { input_tokens: 10, output_tokens: 2 },
          metadata: { tenant_id: 'acme' },
        },
      },
    ],
  });
  const sign = (secret: string, at: number, of = body) =>
    `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${of}`).digest('hex')}`;
  const send = (signature: string) =>
    api.ask('/v1/langwatch', null, {
      body,
      headers: { 'content-type': 'application/json', 'x-langwatch-signature': signature },
    });
  for (const wrong of [
    sign('whsec_of_another', now),
    sign(SECRET, now, `${body} `),
    sign(SECRET, now - 80 * 3600),
    `t=${now},v1=`,
    'v1=ab',
  ]) {
    expect((await send(wrong)).status).toBe(401);
  }
  const taken = await send(sign(SECRET, now));
  expect([taken.status, taken.json.events[0].outcome]).toEqual([202, 'posted']);
  expect((await send(sign(SECRET, now - 3600))).json.events[0].outcome).toBe('duplicate');
  expect(await count(database, "entries where event_id = 'lw-1'")).toBe(1);
  const key = await api.key('ingest');
  const headers = { 'content-type': 'application/json' };
  expect((await api.ask('/v1/langwatch', key, { body, headers })).status).toBe(202);
  const elsewhere = { ...headers, 'x-langwatch-signature': sign(SECRET, now) };
  expect((await api.ask('/v1/events', null, { body, headers: elsewhere })).status).toBe(401);
});

it('a request is a span of OpenTelemetry where the process has an SDK, and names its route alone', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  trace.setGlobalTracerProvider(provider);
  onTestFinished(() => trace.disable());
  const reader = await api.key('reader');
  await api.ask('/v1/runs/secret-run?tenant=acme', reader, { headers: { 'x-request-id': 'r-1' } });
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({
    name: 'GET /v1/runs/{run}',
    attributes: {
      'http.request.method': 'GET',
      'http.route': '/v1/runs/{run}',
      'http.response.status_code': 404,
      'spanledger.request_id': 'r-1',
    },
  });
  expect(JSON.stringify(span?.attributes)).not.toContain('secret-run');
});
