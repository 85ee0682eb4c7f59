import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { startHttpServer } from '../../src/api/http-server.ts';
import { systemClock } from '../../src/clock.ts';
import { raiseAlert } from '../../src/push/alert-store.ts';
import { pushAnswer } from '../../src/push/push-answer.ts';
import { settleAnswer } from '../../src/push/settle-answer.ts';
import { unparkAnswer } from '../../src/push/unpark-answer.ts';
import { unsettleAnswer } from '../../src/push/unsettle-answer.ts';
import { alertAnswer, alertsAnswer } from '../../src/stripe/alerts/alert-answer.ts';
import { releaseAnswer } from '../../src/stripe/invoices/release-answer.ts';
import { reconcileAnswer } from '../../src/stripe/reconcile-answer.ts';
import { setUpAnswer } from '../../src/stripe/set-up-answer.ts';
import { eventAnswer } from '../../src/stripe/webhooks/event-answer.ts';
import { cli } from '../support/cli.ts';
import { receive } from '../support/ledger.ts';
import type { PushScene } from '../support/stripe.ts';
import { openPushScene } from '../support/stripe.ts';

/** What the commands of Stripe's side print with `--json` is read by their schemas, strictly. */

const closing: (() => Promise<void>)[] = [];
let scene: PushScene;
/** As the push names it. */
let identifier: string;

beforeAll(async () => {
  scene = await openPushScene(['acme', 'bolt'], { now: systemClock() }, (close) =>
    closing.push(close),
  );
  identifier = `spl-testbook-acme-${scene.month}-01-usd-1`;
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function answerOf<Answer extends z.ZodType>(
  args: readonly string[],
  answer: Answer,
): Promise<z.output<Answer>> {
  const { stdout, stderr } = await cli([...args, '--json'], scene.environment);
  expect(stderr).toBe('');
  return answer.parse(JSON.parse(stdout));
}

it('setup says what it made and found, and null of what was not asked for', async () => {
  const bare = await answerOf(['stripe', 'setup'], setUpAnswer);
  expect(bare).toMatchObject({ event_name: 'spanledger_usage_usd', customers: null });
  const flags = ['--customers', '--subscriptions'];
  const full = await answerOf(['stripe', 'setup', ...flags], setUpAnswer);
  expect(full.customers).toMatchObject([{ tenant_id: 'acme', state: 'kept' }, {}]);
  expect(full.subscriptions).toMatchObject([{ tenant_id: 'acme', state: 'made' }, {}]);
});

it('push, reconcile, unpark and release answer by period', async () => {
  const { month, database } = scene;
  const [wouldSend] = await answerOf(['push', month, '--dry-run'], pushAnswer);
  expect(wouldSend).toMatchObject({ tenant_id: 'acme', state: 'would_send', pushed: '0' });
  const [pushed] = await answerOf(['push', month, '--tenant', 'acme'], pushAnswer);
  expect(pushed).toMatchObject({ state: 'confirmed', pushed: '4200000', detail: null });
  const [compared] = await answerOf(['reconcile', month], reconcileAnswer);
  expect(compared).toMatchObject({ stripe: '4200000', difference: 'none', remedy: null });

  // An intent that a report took back and that Stripe counts after all.
  await database.pool.query("update push_intents set state = 'parked'");
  const unparked = await answerOf(['stripe', 'unpark', identifier], unparkAnswer);
  expect(unparked).toMatchObject({ identifier, state: 'confirmed' });

  await database.pool.query(
    `insert into stripe_invoices (invoice_id, tenant_id, period_start, stripe_customer, state, finalized_at)
     values ('in_1', 'acme', $1, 'cus_acme', 'finalized', now())`,
    [`${month}-01`],
  );
  const released = await answerOf(['stripe', 'release', month], releaseAnswer);
  // The subscription has an invoice of its own, and ids that the double makes stand anywhere among them.
  expect(released).toContainEqual(
    expect.objectContaining({ tenant_id: 'acme', invoice: 'in_1', state: 'finalized' }),
  );
});

it('what a person billed elsewhere is settled', async () => {
  const args = ['--amount', '4.20', '--reason', 'invoice R-17', '--actor', 'ann'];
  const settled = await answerOf(['stripe', 'settled', 'bolt', scene.month, ...args], settleAnswer);
  expect(settled).toMatchObject({ tenant_id: 'bolt', settled: '4200000', due: '0' });
  const how = ['--reason', 'never sent', '--actor', 'ann'];
  const back = await answerOf(['stripe', 'unsettle', settled.identifier, ...how], unsettleAnswer);
  expect(back).toMatchObject({ tenant_id: 'bolt', taken_back: '4200000', due: '4200000' });
});

it('alerts are listed with who resolved them, and how', async () => {
  const alert = { kind: 'customer_deleted', subject: 'cus_acme', tenantId: 'acme' } as const;
  const whole = { ...alert, periodStart: null, detail: 'customer cus_acme was deleted' };
  await raiseAlert(scene.database, whole, scene.options.clock());
  const [open] = await answerOf(['stripe', 'alerts'], alertsAnswer);
  expect(open).toMatchObject({ kind: 'customer_deleted', resolved_at: null });
  const how = ['--reason', 'linked cus_2', '--actor', 'ann'];
  const resolved = await answerOf(['stripe', 'resolve', open?.alert_id ?? '', ...how], alertAnswer);
  expect(resolved).toMatchObject({ resolution: 'linked cus_2', resolved_by: 'ann' });
  expect(await answerOf(['stripe', 'alerts', '--all'], alertsAnswer)).toEqual([resolved]);
});

it('the webhook answers what an event led to', async () => {
  const { options: parts } = scene;
  const secret = 'whsec_answers';
  const webhook = { parts, secret };
  const server = await startHttpServer({ parts, webhook, host: '127.0.0.1', port: 0 });
  closing.push(() => server.close());
  const event = { id: 'evt_1', object: 'event', type: 'charge.succeeded', livemode: false };
  const body = JSON.stringify({ ...event, data: { object: {} } });
  const signature = parts.stripe.webhooks.generateTestHeaderString({ payload: body, secret });
  const headers = { 'stripe-signature': signature };
  const response = await fetch(`${server.url}/stripe/webhook`, { method: 'POST', headers, body });
  expect(eventAnswer.parse(await response.json())).toEqual({
    event: 'evt_1',
    type: 'charge.succeeded',
    outcome: 'ignored',
  });
});

it('push, reconcile and status end with 1 for what stands against a month, beside their answers', async () => {
  const own = await openPushScene(['acme', 'cole'], { now: systemClock() }, (close) =>
    closing.push(close),
  );
  const { database, month, double, options } = own;
  const run = (...args: readonly string[]) => cli([...args, '--json'], own.environment);
  const statesOf = (stdout: string) =>
    pushAnswer.parse(JSON.parse(stdout)).map(({ tenant_id, state }) => `${tenant_id} ${state}`);
  // given a customer that Stripe does not know, its tenant is told nothing, which its row says
  await database.pool.query("update tenants set stripe_customer = 'x' where tenant_id = 'cole'");
  const refused = await run('push', month);
  expect(statesOf(refused.stdout)).toEqual(
    expect.arrayContaining(['acme confirmed', 'cole refused']),
  );
  expect(refused).toMatchObject({ exitCode: 1, stderr: '' });
  await database.pool.query(
    "update tenants set stripe_customer = 'cus_cole' where tenant_id = 'cole'",
  );
  expect(await run('push', month)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await run('reconcile', month)).toMatchObject({ exitCode: 0 });

  // when an event of the month waits, though everybody is told
  await receive(database, ['noise'], `${month}-20T12:00:00Z`);
  const pushed = await run('push', month);
  expect(statesOf(pushed.stdout)).toEqual(
    expect.arrayContaining(['acme confirmed', 'cole confirmed']),
  );
  expect(pushed.exitCode).toBe(1);
  expect(pushed.stderr).toContain('1 event in quarantine (not_json 1)');
  expect((await run('status')).exitCode).toBe(1);

  // and when something else reports to the meter
  const [year = 0, number = 0] = month.split('-').map(Number);
  await options.stripe.billing.meterEvents.create({
    event_name: 'spanledger_usage_usd',
    // The last minute of the month is the one that Stripe takes longest.
    timestamp: Date.UTC(year, number, 1) / 1000 - 1,
    payload: { stripe_customer_id: 'cus_acme', value: '7' },
  });
  await double.control.settle();
  expect((await run('reconcile', month)).exitCode).toBe(1);
});
