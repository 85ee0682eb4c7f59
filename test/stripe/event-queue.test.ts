import { expect, onTestFinished, test, vi } from 'vitest';
import { runEventQueue } from '../../src/api/event-queue-loop.ts';
import { parseInstant } from '../../src/clock.ts';
import { readInvoices } from '../../src/stripe/invoices/invoice-store.ts';
import { startCli } from '../support/cli.ts';
import { count, textRows } from '../support/database.ts';
import type { TestQueue } from '../support/queue.ts';
import { freshQueue } from '../support/queue.ts';
import type { BillingScene } from './billing-scene.ts';
import { MONTH, openBillingScene } from './billing-scene.ts';

/** A draft of October at the double, and the queue that its event comes by. */
async function draftAndQueue() {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  const [created] = (await scene.parts.stripe.events.list({ type: 'invoice.created' })).data;
  return { scene, queue: await freshQueue(), envelope: envelopeOf(created) };
}

/** As EventBridge writes it. */
function envelopeOf(detail: object | undefined): string {
  return JSON.stringify({
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': 'invoice.created',
    source: 'aws.partner/stripe.com/ed_test_1',
    account: '123456789012',
    detail,
  });
}

function consume({ parts }: BillingScene, queue: TestQueue): void {
  const stop = new AbortController();
  const running = runEventQueue({ parts, queue: queue.client, retrySeconds: 0 }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
}

const OUTCOMES = 'select type, outcome from stripe_events';
const HELD = [{ type: 'invoice.created', outcome: 'held until the push is proven' }];

test('an event from the queue is handled once, however often EventBridge sends it, and leaves the queue', async () => {
  const { scene, queue, envelope } = await draftAndQueue();
  await queue.sendAll([envelope, envelope, envelope]);

  consume(scene, queue);

  await vi.waitFor(async () => expect(await queue.client.depth()).toBe(0), { timeout: 20_000 });
  expect(await textRows(scene.database, OUTCOMES)).toEqual(HELD);
  const [invoice] = await readInvoices(scene.database, { month: MONTH, tenantId: null });
  expect(invoice?.state).toBe('held');
});

test('an event that could not be handled comes again, and what is no event keeps nothing else waiting', async () => {
  const { scene, queue, envelope } = await draftAndQueue();
  const match = { method: 'POST', path: '/v1/invoices/*' };
  scene.double.control.injectFault({ kind: 'html_503', match, times: 4 });
  await queue.sendAll(['{"detail":{"object":"charge"}}', 'not JSON', envelope]);

  consume(scene, queue);

  await vi.waitFor(async () => expect(await textRows(scene.database, OUTCOMES)).toEqual(HELD), {
    timeout: 20_000,
  });
  await vi.waitFor(async () => expect(await queue.client.depth()).toBe(2), { timeout: 20_000 });
});

test('an event of the other mode is ignored: the key could not see its objects', async () => {
  const { scene, queue, envelope } = await draftAndQueue();
  const parsed = JSON.parse(envelope);
  await queue.send(envelopeOf({ ...parsed.detail, livemode: true }));

  consume(scene, queue);

  await vi.waitFor(async () => expect(await queue.client.depth()).toBe(0), { timeout: 20_000 });
  expect(await count(scene.database, 'stripe_events')).toBe(0);
});

test('serve takes events from the queue that the environment names, and then needs no webhook secret', {
  timeout: 180_000,
}, async () => {
  const { scene, queue, envelope } = await draftAndQueue();
  await queue.send(envelope);
  const url = new URL(String(scene.database.pool.options.connectionString));
  const environment = {
    DATABASE_URL: url.href,
    STRIPE_API_KEY: scene.double.apiKey,
    STRIPE_API_BASE: scene.double.url,
    SPANLEDGER_LOG_LEVEL: 'silent',
  };

  const served = startCli(['serve', '--port', '0', '--json'], {
    ...environment,
    AWS_ENDPOINT_URL_SQS: queue.endpoint,
    SPANLEDGER_STRIPE_EVENTS_QUEUE_URL: queue.queueUrl,
  });
  await vi.waitFor(async () => expect(await textRows(scene.database, OUTCOMES)).toEqual(HELD), {
    timeout: 60_000,
    interval: 200,
  });
  served.kill('SIGTERM');
  const { stdout, exitCode } = await served.finished;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ webhook: null, queue: queue.queueUrl });
});
