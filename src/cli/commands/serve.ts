import { once } from 'node:events';
import type { Command } from 'commander';
import { runEventQueue } from '../../api/event-queue-loop.ts';
import type { WebhookOptions } from '../../api/http-server.ts';
import { startHttpServer } from '../../api/http-server.ts';
import type { QueueClient } from '../../ingest/queue-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import { queueAddress } from '../../sqs-client.ts';
import { runReleases } from '../../stripe/invoices/release-loop.ts';
import type { StripeParts } from '../../stripe/stripe-parts.ts';
import { readPort } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { listenOn } from '../terminal/listen.ts';
import type { Session } from '../terminal/session.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';

const DEFAULT_PORT = 8080;

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description(
      "takes Stripe's events: the webhook endpoint (POST /stripe/webhook), or a queue; GET /healthz",
    )
    .option('--port <n>', 'the port to listen on; 0 takes one that is free', readPort, DEFAULT_PORT)
    .option('--host <address>', 'which address; put a proxy with TLS before it', '127.0.0.1');
  perform<{ port: number; host: string }>(command, async (session, { options }) => {
    const stripe = await openStripeSide(session);
    const parts = session.parts();
    const webhook = webhookOf(session, stripe);
    const start = () => startHttpServer({ parts, webhook, ...options });
    const server = await listenOn(options.port, start);
    const queue = stripe === null ? null : openEventQueue(session);
    announce(session, server.url, { webhook, queue });
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
    await Promise.all([
      once(stop.signal, 'abort'),
      ...(stripe === null ? [] : [runReleases(stripe, stop.signal)]),
      ...(stripe === null || queue === null
        ? []
        : [runEventQueue({ parts: stripe, queue }, stop.signal)]),
    ]);
    queue?.close();
    await server.close();
  });
}

/** Answers null without a key: what needs Stripe is then off, and the rest is served. */
async function openStripeSide(session: Session): Promise<StripeParts | null> {
  return session.config.STRIPE_API_KEY === undefined ? null : openStripeParts(session);
}

function webhookOf(session: Session, parts: StripeParts | null): WebhookOptions | null {
  const secret = session.config.STRIPE_WEBHOOK_SECRET;
  return parts === null || secret === undefined ? null : { parts, secret };
}

/** Says where it listens, and what is off for want of a variable. */
function announce(
  session: Session,
  url: string,
  on: { readonly webhook: WebhookOptions | null; readonly queue: QueueClient | null },
): void {
  const events = on.queue === null ? null : session.config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL;
  const webhook = on.webhook === null ? null : `${url}/stripe/webhook`;
  const off = variablesMissing(session).map(({ name, what }) => ({ variable: name, off: what }));
  const taken = events === null ? '' : `, taking events from ${events}`;
  const lines = off.map(({ variable, off: what }) => `${what} is off: ${variable} is not set`);
  const text = [`listening on ${url}${taken}`, ...lines].join('\n');
  session.out.answer({ url, webhook, queue: events, off }, text);
}

/** A server that takes events from a queue has no need of webhooks, and the other way round. */
function variablesMissing({ config }: Session) {
  const hasWebhooks = config.STRIPE_WEBHOOK_SECRET !== undefined;
  const hasQueue = config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL !== undefined;
  return [
    ...(config.STRIPE_API_KEY === undefined
      ? [{ name: 'STRIPE_API_KEY', what: "everything of Stripe's" }]
      : []),
    ...(hasWebhooks || hasQueue
      ? []
      : [{ name: 'STRIPE_WEBHOOK_SECRET', what: 'the webhook endpoint' }]),
  ];
}

/** One long poll and one message in work at a time. */
function openEventQueue(session: Session): QueueClient | null {
  if (session.config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL === undefined) return null;
  const address = queueAddress(session.config, 'SPANLEDGER_STRIPE_EVENTS_QUEUE_URL');
  return openQueue({ ...address, pollers: 1 });
}
