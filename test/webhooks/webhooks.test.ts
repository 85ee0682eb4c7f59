import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../src/log.ts';
import { tellStatus } from '../../src/month/status/tell-status.ts';
import { deliverDue } from '../../src/webhooks/deliver-events.ts';
import { sendSigned } from '../../src/webhooks/delivery-client.ts';
import { gatherEvents } from '../../src/webhooks/gather-events.ts';
import {
  addEndpoint,
  endEndpoint,
  listEndpoints,
  removeEndpoint,
  replayEvents,
  testEndpoint,
} from '../../src/webhooks/manage-endpoints.ts';
import type { WebhookKind } from '../../src/webhooks/webhook-answer.ts';
import { putBudget } from '../support/budgets.ts';
import { count, createDatabase, resetTables, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { type Receiver, startReceiver, type Way } from '../support/webhook-receiver.ts';

/** Deliveries to a real receiver over HTTP, which fails in each way that receivers have. */

let database: TestDatabase;
let drop: () => Promise<void>;
let receiver: Receiver;
let now = '2026-10-20T12:00:00Z';

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  receiver = await startReceiver();
});

beforeEach(async () => {
  await resetTables(database);
  now = '2026-10-20T12:00:00Z';
  receiver.answers('ok');
  receiver.got.length = 0;
});

afterEach(() => receiver.answers('ok'));

afterAll(async () => {
  await receiver.close();
  await drop();
});

const parts = () => ({
  ...{ database, log: openLog('silent'), allowsPrivateWebhooks: true },
  clock: () => parseInstant(now),
});

function add(events: readonly WebhookKind[] | null = null, path = '/hook') {
  return addEndpoint(parts(), { url: `${receiver.url}${path}`, events, actor: 'ada' });
}

async function look(withMissing = false) {
  const found = await gatherEvents(parts(), { withMissing });
  return { found, ...(await deliverDue(parts())) };
}

function later(seconds: number): void {
  now = new Date(parseInstant(now) + seconds * 1000).toISOString();
}

it('a delivery is signed by the secret that was shown once, and has the id of its event', async () => {
  const added = await add();
  const tested = await testEndpoint(parts(), { endpoint_id: added.endpoint_id, actor: 'ada' });
  expect(tested).toMatchObject({ state: 'delivered', answer: 'status 200' });
  const [got] = receiver.got;
  const id = `evt_${tested.event_id}`;
  const secret = Buffer.from(added.secret.slice('whsec_'.length), 'base64');
  const at = String(Math.floor(parseInstant(now) / 1000));
  const signature = createHmac('sha256', secret)
    .update(`${id}.${at}.${got?.body}`)
    .digest('base64');
  expect(got?.headers).toMatchObject({
    ...{ 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': `v1,${signature}` },
  });
  expect(JSON.parse(got?.body ?? '')).toMatchObject({ type: 'webhook.test' });
  const { rows } = await database.pool.query(
    "select kept from changes where of_table = 'webhook_endpoints'",
  );
  expect(JSON.stringify(rows)).not.toContain(secret.toString('hex'));
});

it.each([
  ['error', /^status 500$/],
  ['redirect', /^status 302: redirects are not followed$/],
  ['reset', /hang up|ECONNRESET/],
] as const)(
  'a receiver that answers with an %s is tried again until it takes it',
  async (way, failure) => {
    const { endpoint_id } = await add();
    await putBudget(database, { tenant_id: await spend(), thresholds: [1] }, now);
    receiver.answers(way);
    expect(await look()).toMatchObject({ found: 1, delivered: 0, failed: 1 });
    const [listed] = await listEndpoints(parts());
    expect(listed).toMatchObject({
      endpoint_id,
      pending: 1,
      last_failure: expect.stringMatching(failure),
    });
    receiver.answers('ok');
    // The next try is five seconds later, and not before.
    expect(await look()).toMatchObject({ found: 0, delivered: 0 });
    later(6);
    expect(await look()).toMatchObject({ found: 0, delivered: 1 });
    const ids = receiver.got.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(1);
  },
);

const STATUSES = [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 520];
const REDIRECTS = [301, 303, 307, 308];

it.each<readonly [Way, RegExp]>([
  ...REDIRECTS.map(
    (way) => [way, new RegExp(`^status ${way}: redirects are not followed$`)] as const,
  ),
  ...STATUSES.map((way) => [way, new RegExp(`^status ${way}$`)] as const),
  ['no http', /Parse Error/],
  ['half a head', /hang up|ECONNRESET/],
  ['reset', /hang up|ECONNRESET/],
])('a receiver that answers %s has not taken it', async (way, answer) => {
  receiver.answers(way);
  const request = { url: receiver.url, headers: {}, body: '{}' };
  expect(await sendSigned(request, { allowsPrivate: true })).toMatchObject({
    ...{ kind: 'failed', answer: expect.stringMatching(answer), retryAfter: null },
  });
});

it.each(['huge', 'cut off', 201, 204] as const)(
  'a receiver that answers 2xx has taken it, whatever its body is: %s',
  async (way) => {
    receiver.answers(way);
    const request = { url: receiver.url, headers: {}, body: '{}' };
    const begun = performance.now();
    expect(await sendSigned(request, { allowsPrivate: true })).toMatchObject({ kind: 'taken' });
    expect(performance.now() - begun).toBeLessThan(5_000);
  },
);

it('a receiver without TLS, without a port that listens, or without an address is tried again', async () => {
  const failureOf = async (url: string) => {
    const tried = await sendSigned({ url, headers: {}, body: '{}' }, { allowsPrivate: true });
    expect(tried.kind).toBe('failed');
    return tried.answer;
  };
  expect(await failureOf(receiver.url.replace('http:', 'https:'))).toMatch(/ssl|EPROTO|wrong/i);
  expect(await failureOf('http://127.0.0.1:1/')).toContain('ECONNREFUSED');
  expect(await failureOf('https://nowhere.invalid/')).toMatch(/ENOTFOUND|EAI_AGAIN/);
});

it('a receiver that says when it may be asked again is asked then, and not before', async () => {
  await add();
  await putBudget(database, { tenant_id: await spend(), thresholds: [1] }, now);
  receiver.answers({ status: 429, retryAfter: '90' });
  expect(await look()).toMatchObject({ failed: 1 });
  receiver.answers('ok');
  later(60);
  expect(await look()).toMatchObject({ delivered: 0 });
  later(31);
  expect(await look()).toMatchObject({ delivered: 1 });
});

it('a receiver that never answers is left after its time, and one whose body never ends is not waited for', async () => {
  const request = { url: receiver.url, headers: {}, body: '{}' };
  receiver.answers('silence');
  expect(await sendSigned(request, { allowsPrivate: true, timeoutMs: 100 })).toEqual({
    ...{ kind: 'failed', answer: 'no answer in time', retryAfter: null },
  });
  receiver.answers('endless');
  expect(await sendSigned(request, { allowsPrivate: true })).toEqual({
    ...{ kind: 'taken', answer: 'status 200', retryAfter: null },
  });
});

it('a name that leads into a private network is not asked', async () => {
  const request = { url: receiver.url.replace('http:', 'https:'), headers: {}, body: '{}' };
  expect(await sendSigned(request, { allowsPrivate: false })).toMatchObject({
    ...{ kind: 'failed', answer: expect.stringContaining('private network') },
  });
  expect(receiver.got).toEqual([]);
});

it('a receiver that is gone is told nothing any more', async () => {
  await add();
  await putBudget(database, { tenant_id: await spend(), thresholds: [1] }, now);
  receiver.answers('gone');
  expect(await look()).toMatchObject({ dead: 1 });
  expect((await listEndpoints(parts()))[0]?.disabled_by).toContain('410');
});

it('after three days a delivery is dead, status names it, and a replay sends it with its old id', async () => {
  const { endpoint_id } = await add();
  await putBudget(database, { tenant_id: await spend(), thresholds: [1] }, now);
  receiver.answers('error');
  await look();
  for (let tries = 0; tries < 20; tries += 1) {
    later(10 * 60 * 60);
    await deliverDue(parts());
  }
  const status = { ...parts(), queue: 'none', destinationFault: null };
  const { dead_webhooks: dead } = await tellStatus(status, { month: null });
  expect(dead).toMatchObject([{ endpoint_id, count: 1 }]);
  receiver.answers('ok');
  const since = parseInstant('2026-10-20T00:00:00Z');
  const asked = { event_id: null, since, endpoint_id: null, actor: 'ada' };
  expect(await replayEvents(parts(), asked)).toEqual({ deliveries: 1 });
  const before = receiver.got.length;
  expect(await deliverDue(parts())).toMatchObject({ delivered: 1 });
  expect(receiver.got[before]?.headers['webhook-id']).toBe(receiver.got[0]?.headers['webhook-id']);
});

it('each share of a budget is told once a period, and the next period tells it again', async () => {
  await add(['budget.threshold']);
  const tenant = await spend();
  // 0.0042 of 0.005 are 84 percent.
  await putBudget(
    database,
    { tenant_id: tenant, per: 'day', amount: '0.005', thresholds: [50, 80, 100] },
    now,
  );
  await look();
  await look();
  expect(shares()).toEqual([50, 80]);
  await spend('again');
  await look();
  expect(shares()).toEqual([50, 80, 100]);
  now = '2026-10-21T12:00:00Z';
  await spend('tomorrow', now);
  await look();
  expect(shares()).toEqual([50, 80, 100, 50, 80]);
});

it('a limit that was raised has its own shares, and each is told once for it', async () => {
  await add(['budget.threshold']);
  const tenant = await spend();
  const limit = (amount: string) =>
    putBudget(database, { tenant_id: tenant, per: 'day', amount, thresholds: [80] }, now);
  await limit('0.005');
  await look();
  // 0.0042 of 0.01 are 42 percent, and twice as much 84.
  await limit('0.01');
  await look();
  expect(limits()).toEqual(['0.005']);
  await spend('again');
  await look();
  await look();
  expect(limits()).toEqual(['0.005', '0.01']);
  await limit('0.005');
  await look();
  expect(limits()).toEqual(['0.005', '0.01']);
});

it('a limit that was changed tells nothing of a day that is over, nor of a run that spends nothing more', async () => {
  await add(['budget.threshold']);
  const tenant = await spend('one', now, { agent_run_id: 'run 7' });
  const limit = async (amount: string) => {
    await putBudget(database, { tenant_id: tenant, per: 'day', amount, thresholds: [80] }, now);
    await putBudget(database, { tenant_id: tenant, per: 'run', amount, thresholds: [80] }, now);
  };
  await limit('0.005');
  await spend('two', now, { agent_run_id: 'run 7' });
  await look();
  const times = () => receiver.got.map(({ body }) => JSON.parse(body).data.time);
  expect(times()).toEqual(['2026-10-20', 'run 7']);
  now = '2026-10-21T12:00:00Z';
  await spend('three', now, { agent_run_id: 'run' });
  await limit('0.0051');
  await look();
  expect(times()).toEqual(['2026-10-20', 'run 7', '2026-10-21', 'run']);
  await spend('four', now, { agent_run_id: 'run 7' });
  await look();
  expect(times()).toEqual(['2026-10-20', 'run 7', '2026-10-21', 'run', 'run 7']);
});

it('a pace that passes a budget is told once for each limit', async () => {
  await add(['budget.projected_overrun']);
  const tenant = await spend();
  // At three in the afternoon of Berlin's day 15 hours of it are over: 0.0042 become 0.00672.
  now = '2026-10-20T13:00:00Z';
  for (const amount of ['0.005', '0.006', '0.006']) {
    await putBudget(database, { tenant_id: tenant, per: 'day', amount, thresholds: [] }, now);
    await look();
  }
  expect(limits()).toEqual(['0.005', '0.006']);
});

it('a run that came to a share of what each run may cost is told, and so is a pace that passes a budget', async () => {
  await add(['budget.threshold', 'budget.projected_overrun']);
  const tenant = await spend();
  await putBudget(
    database,
    { tenant_id: tenant, per: 'run', amount: '0.004', thresholds: [100] },
    now,
  );
  // At noon of Berlin's day half of it is over: 0.0042 become about 0.0072.
  await putBudget(
    database,
    { tenant_id: tenant, per: 'day', amount: '0.006', thresholds: [] },
    now,
  );
  await spend('more', now, { agent_run_id: 'run-7' });
  now = '2026-10-20T13:00:00Z';
  await look();
  expect(receiver.got.map(({ body }) => JSON.parse(body))).toMatchObject([
    { type: 'budget.threshold', data: { per: 'run', time: 'run-7', spent: '0.0042' } },
  ]);
});

it('a period that was closed is told in its order, with its total, and to whom hears of it alone', async () => {
  await add(['period.closed']);
  await add(['budget.threshold'], '/other');
  await spend();
  const clock = () => parseInstant('2026-11-02T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  now = '2026-11-02T00:00:00Z';
  await look(true);
  expect(receiver.got.map(({ path }) => path)).toEqual(['/hook']);
  expect(JSON.parse(receiver.got[0]?.body ?? '')).toMatchObject({
    type: 'period.closed',
    data: { tenant_id: 'acme', period_start: '2026-10-01', total: '0.00', mode: 'shadow' },
  });
});

it('what keeps a month from being whole is told once', async () => {
  await add(['month.incomplete']);
  await receiveEvents(database, [nativeEvent({ usage: {} })], now);
  await look(true);
  await look(true);
  const told = receiver.got.map(({ body }) => JSON.parse(body).data.kind);
  expect(told).toContain('unmeasured');
  expect(new Set(told).size).toBe(told.length);
});

it('two that look and deliver at once tell each thing once', async () => {
  await add();
  await putBudget(database, { tenant_id: await spend(), thresholds: [1, 2, 3, 4, 5] }, now);
  await Promise.all([look(), look(), look()]);
  await deliverDue(parts());
  expect(shares()).toEqual([1, 2, 3, 4, 5]);
  expect(await count(database, 'webhook_events')).toBe(5);
});

it('an endpoint that is removed takes its deliveries along, and one that is disabled keeps them', async () => {
  const [one, other] = [await add(), await add()];
  await putBudget(database, { tenant_id: await spend(), thresholds: [1] }, now);
  await look();
  await endEndpoint(parts(), { endpoint_id: one.endpoint_id, actor: 'ada' });
  await removeEndpoint(parts(), { endpoint_id: other.endpoint_id, actor: 'ada' });
  expect(await listEndpoints(parts())).toMatchObject([{ delivered: 1 }]);
});

function limits(): readonly string[] {
  return receiver.got.map(({ body }) => JSON.parse(body).data.limit);
}

function shares(): readonly number[] {
  return receiver.got.map(({ body }) => JSON.parse(body).data.share_percent);
}

/** 1,000 × 3.00 µ + 100 × 12.00 µ = 0.0042 for acme; answers its id. */
async function spend(event = 'evt-1', at = now, change: object = {}): Promise<string> {
  if ((await count(database, 'tenants')) < 2) {
    await importBooks(database, 'standard', 'cost');
    await makeTenant(database, 'acme', { timeZone: 'Europe/Berlin' });
  }
  await receiveEvents(database, [nativeEvent({ event_id: event, occurred_at: at, ...change })], at);
  await foldAll(database, () => parseInstant(at));
  return 'acme';
}
