import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import Stripe from 'stripe';
import { expect, onTestFinished, test } from 'vitest';
import { unrepeatedHttpClient } from '../../src/stripe/send-once.ts';

/** A client that waits for so long at the most, of a server that answers in its own way. */
async function clientOf(answer: (response: ServerResponse) => void, timeout: number) {
  return clientOfWhole((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
    answer(response);
  }, timeout);
}

async function clientOfWhole(answer: (response: ServerResponse) => void, timeout: number) {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const httpClient = unrepeatedHttpClient(Stripe.createNodeHttpClient());
  const { port } = server.address() as AddressInfo;
  const at = { host: '127.0.0.1', port, protocol: 'http', telemetry: false } as const;
  const open = (client: typeof httpClient) =>
    new Stripe('sk_test_double', { ...at, maxNetworkRetries: 0, timeout, httpClient: client });
  return { open, httpClient };
}

test('an answer that is cut before anybody listens to its body is a lost one, and not waited for', async () => {
  const { open, httpClient } = await clientOf((response) => {
    response.write('{"id":', () => response.socket?.destroy());
  }, 20_000);
  const stripe = open({
    getClientName: () => httpClient.getClientName(),
    makeRequest: async (...request) => {
      const response = await httpClient.makeRequest(...request);
      await setTimeout(50);
      return response;
    },
  });
  await expect(stripe.accounts.retrieve('acct_1')).rejects.toThrow(
    Stripe.errors.StripeConnectionError,
  );
});

test('an answer that trickles is given up when the time to wait is over', async () => {
  const { open, httpClient } = await clientOf((response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  }, 200);
  await expect(open(httpClient).accounts.retrieve('acct_1')).rejects.toThrow(
    Stripe.errors.StripeConnectionError,
  );
});

test.each([
  { status: 200, body: '{}' },
  { status: 200, body: 'null' },
  { status: 200, body: '[]' },
  { status: 200, body: '"up"' },
  { status: 200, body: '{"object":"list"}' },
  { status: 502, body: '{}' },
  { status: 503, body: '{"message":"upstream is away"}' },
])('what a proxy answers in its place is no answer: $status $body', async ({ status, body }) => {
  const { open, httpClient } = await clientOfWhole((response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  }, 20_000);
  const asked = open(httpClient).billing.meters.list({ limit: 1 });
  await expect(asked).rejects.toThrow(Stripe.errors.StripeAPIError);
  await expect(asked).rejects.toMatchObject({ statusCode: undefined });
});
