import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { pingDatabase } from '../database/database.ts';
import { explainFault } from '../database/explain-fault.ts';
import type { Log } from '../log.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import type { EventAnswer } from '../stripe/webhooks/event-answer.ts';
import { receiveSigned } from '../stripe/webhooks/webhook.ts';
import { problem, problemOf, type Reply } from './problem.ts';

export interface HttpServerOptions {
  readonly parts: Pick<Parts, 'database' | 'log'>;
  /** Null is no endpoint for webhooks: it is refused, and everything else is answered. */
  readonly webhook: WebhookOptions | null;
  readonly host: string;
  /** The port 0 takes one that is free. */
  readonly port: number;
}

export interface WebhookOptions {
  readonly parts: StripeParts;
  /** The signing secret of the endpoint, whsec_…. */
  readonly secret: string;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Takes no new request, and resolves when those that are being answered are done. */
  close(): Promise<void>;
}

/** Stripe's largest event has some tens of kilobytes. */
const BODY_BYTES_MAX = 1_048_576;

/** Serves the webhook endpoint and a health check. Rejects when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      (reply) => send(response, reply),
      (error: unknown) => send(response, failed(options.parts.log, error)),
    );
  });
  await listen(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  return {
    url: `http://${options.host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answer(options: HttpServerOptions, request: IncomingMessage): Promise<Reply> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  switch (`${request.method} ${path}`) {
    case 'GET /healthz':
      return answerHealth(options);
    case 'POST /stripe/webhook':
      return answerWebhook(options, request);
    default:
      return problem(404, 'not found', `there is no ${request.method} ${path}`);
  }
}

async function answerHealth({ parts }: HttpServerOptions): Promise<Reply> {
  try {
    await pingDatabase(parts.database);
    return { status: 200, body: { status: 'ok' } };
  } catch (error) {
    parts.log.warn({ error: String(error) }, 'the database does not answer');
    return problem(503, 'database away', 'the database does not answer');
  }
}

async function answerWebhook(options: HttpServerOptions, request: IncomingMessage): Promise<Reply> {
  const { webhook } = options;
  if (webhook === null) refuseWebhook();
  const body = await readBody(request);
  if (body === null) return problem(413, 'too large', `at most ${BODY_BYTES_MAX} bytes`);
  const header = request.headers['stripe-signature'];
  const signature = typeof header === 'string' ? header : '';
  const { parts, secret } = webhook;
  const outcome: EventAnswer = await receiveSigned(parts, { body, signature, secret });
  return { status: 200, body: outcome };
}

function refuseWebhook(): never {
  throw new Refusal(
    'misconfigured',
    'this server takes no webhooks of Stripe',
    'start it with both STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET set',
  );
}

/** The bytes as they came, since the signature is over them; null when they are too many. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A refusal says its own status; anything else is a fault of ours. Stripe delivers again after both. */
function failed(log: Log, error: unknown): Reply {
  const refusal = error instanceof Refusal ? error : explainFault(error);
  if (refusal !== null) {
    log.warn({ kind: refusal.kind, reason: refusal.message }, 'request refused');
    return problemOf(refusal);
  }
  const reason = error instanceof Error ? error.message : String(error);
  log.warn({ reason }, 'webhook not handled; Stripe delivers it again');
  return problem(500, 'not handled', 'the event could not be handled; deliver it again');
}

function send(response: ServerResponse, { status, body }: Reply): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
