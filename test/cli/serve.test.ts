import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type CliProcess, cli, startCli } from '../support/cli.ts';
import { freshDatabase } from '../support/database.ts';

/** Serves on a port that is free, and answers where. */
async function serve(
  url: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly served: CliProcess; readonly at: string }> {
  const environment = { DATABASE_URL: url, SPANLEDGER_LOG_LEVEL: 'silent', ...more };
  const served = startCli(['serve', '--port', '0'], environment);
  const [said] = await once(served.child.stdout ?? served.child, 'data');
  return { served, at: /http:\S+/.exec(String(said))?.[0] ?? '' };
}

test('serve starts without anything of Stripe, says what is off, and refuses only what needs it', async () => {
  const { url } = await freshDatabase();
  const { served, at } = await serve(url);
  expect((await fetch(`${at}/healthz`)).status).toBe(200);

  const refused = await fetch(`${at}/stripe/webhook`, { method: 'POST', body: '{}' });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  const events = await fetch(`${at}/v1/events`, { method: 'POST', body: '{}' });
  expect(events.status).toBe(401);
  expect(await refused.json()).toEqual({
    type: 'about:blank',
    title: 'misconfigured',
    status: 503,
    kind: 'misconfigured',
    detail: 'this server takes no webhooks of Stripe',
    remedy: 'start it with both STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET set',
    operations: [],
  });

  served.kill('SIGTERM');
  expect(await served.finished).toMatchObject({
    exitCode: 0,
    stdout: [
      `listening on ${at}`,
      'taking events (see --direct) is off: SPANLEDGER_QUEUE_URL is not set',
      "everything of Stripe's is off: STRIPE_API_KEY is not set",
      'the webhook endpoint is off: STRIPE_WEBHOOK_SECRET is not set',
      '',
    ].join('\n'),
  });
});

test('serve starts while the database does not answer, and its health check says so', async () => {
  const { at } = await serve('postgres://nobody@127.0.0.1:1/none');
  expect((await fetch(`${at}/healthz`)).status).toBe(503);
});

test('serve answers a request that had begun before SIGTERM, takes none after it, and ends', async () => {
  const { served, at } = await serve('postgres://nobody@127.0.0.1:1/none');
  const { hostname, port } = new URL(at);
  const half = connect(Number(port), hostname);
  let answer = '';
  half.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  await once(half, 'connect');
  half.write('GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n');
  // The server has read what was sent before when it answers what was asked after it.
  await fetch(`${at}/healthz`);
  served.kill('SIGTERM');
  while (await isOpen(at)) await setTimeout(20);
  half.write('connection: close\r\n\r\n');
  await once(half, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(await served.finished).toMatchObject({ exitCode: 0 });
});

test('serve takes no request after SIGTERM while a delivery is under way, and begins no other one', async () => {
  const { served, at, asked } = await serveToReceiver();
  served.kill('SIGTERM');
  // Long before the deliveries are given up.
  await vi.waitFor(async () => expect(await isOpen(at)).toBe(false), 8_000);
  for (const response of asked) response.end();
  expect(await served.finished).toMatchObject({ exitCode: 0 });
  expect(asked).toHaveLength(AT_ONCE);
});

test('serve waits for a delivery after SIGTERM, and for nothing after a second one', async () => {
  const { served, at } = await serveToReceiver();
  served.kill('SIGTERM');
  while (await isOpen(at)) await setTimeout(20);
  served.kill('SIGTERM');
  expect(await served.finished).toMatchObject({ exitCode: 130 });
});

/** So many deliveries are on their way to one receiver at once. */
const AT_ONCE = 10;

/** Serves with far more events than are on their way at once, for a receiver that has been asked and did not answer yet. */
async function serveToReceiver() {
  const { url, pool } = await freshDatabase();
  const asked: ServerResponse[] = [];
  const receiver = createServer((_request, response) => asked.push(response));
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  onTestFinished(() => {
    receiver.closeAllConnections();
    receiver.close();
  });
  const address = receiver.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  const environment = { DATABASE_URL: url, SPANLEDGER_WEBHOOK_PRIVATE: 'yes' };
  await cli(['webhook', 'add', `http://127.0.0.1:${address.port}/`], environment);
  await pool.query(`
    with events as (
      insert into webhook_events (kind, event_key, subject, occurred_at, data)
      select 'period.closed', n, n, now(), '{}' from generate_series(1, 30) n
      returning event_id, subject
    )
    insert into webhook_deliveries (event_id, endpoint_id, subject, next_try_at)
    select event_id, endpoint_id, subject, now() from events, webhook_endpoints`);
  const { served, at } = await serve(url, environment);
  while (asked.length < AT_ONCE) await setTimeout(20);
  return { served, at, asked };
}

async function isOpen(at: string): Promise<boolean> {
  const { hostname, port } = new URL(at);
  const probe = connect(Number(port), hostname);
  try {
    await once(probe, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
  }
}
