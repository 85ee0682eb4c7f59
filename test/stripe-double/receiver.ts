import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What one webhook call brought. */
interface Received {
  readonly body: string;
  readonly signature: string;
  /** The event's type. */
  readonly type: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What the next calls are answered with; 200 by default. */
  answerWith(status: number): void;
  /** Does something before a call is answered, such as holding the invoice. */
  beforeAnswer(act: (received: Received) => Promise<void>): void;
  types(): string[];
}

/** An endpoint for webhooks on loopback; closed when the test is over. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status = 200;
  let act: (call: Received) => Promise<void> = async () => {};
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const body = Buffer.concat(chunks).toString('utf8');
    const signature = String(request.headers['stripe-signature']);
    const call = { body, signature, type: String(JSON.parse(body).type) };
    received.push(call);
    await act(call);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    received,
    answerWith: (next) => {
      status = next;
    },
    beforeAnswer: (next) => {
      act = next;
    },
    types: () => received.map(({ type }) => type),
  };
}
