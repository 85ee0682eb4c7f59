import type { Command } from 'commander';
import { runEventQueue } from '../../api/event-queue-loop.ts';
import { startHttpServer } from '../../api/http-server.ts';
import { pause } from '../../clock.ts';
import type { QueueClient } from '../../ingest/queue-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import { Refusal } from '../../refusal.ts';
import { releaseInvoices } from '../../stripe/invoices/invoice.ts';
import type { StripeParts } from '../../stripe/stripe-parts.ts';
import { readPort } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { listenOn } from '../terminal/listen.ts';
import type { Session } from '../terminal/session.ts';
import { stripeParts } from './stripe.ts';
import { queueAddress } from './worker.ts';

const DEFAULT_PORT = 8080;
/** A held invoice waits so much longer than its proof at the most. */
const RELEASE_EVERY_MS = 5 * 60 * 1000;

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description(
      "takes Stripe's events: the webhook endpoint (POST /stripe/webhook), or a queue; GET /healthz",
    )
    .option('--port <n>', 'the port to listen on; 0 takes one that is free', readPort, DEFAULT_PORT)
    .option('--host <address>', 'which address; put a proxy with TLS before it', '127.0.0.1');
  perform<{ port: number; host: string }>(command, async (session, { options }) => {
    const parts = await stripeParts(session);
    const webhookSecret = session.config.STRIPE_WEBHOOK_SECRET ?? null;
    const queue = openEventQueue(session);
    if (queue === null && webhookSecret === null) refuseDeaf();
    const start = () => startHttpServer({ parts, webhookSecret, ...options });
    const server = await listenOn(options.port, start);
    const { url } = server;
    const webhook = webhookSecret === null ? null : `${url}/stripe/webhook`;
    const events = session.config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL ?? null;
    const taken = events === null ? '' : `, taking events from ${events}`;
    session.out.answer({ url, webhook, queue: events }, `listening on ${url}${taken}`);
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
    const consuming = queue === null ? null : runEventQueue({ parts, queue }, stop.signal);
    while (!stop.signal.aborted) {
      await pause(RELEASE_EVERY_MS, stop.signal);
      if (!stop.signal.aborted) await releaseProven(parts);
    }
    await consuming;
    queue?.close();
    await server.close();
  });
}

function refuseDeaf(): never {
  throw new Refusal(
    'misconfigured',
    'neither STRIPE_WEBHOOK_SECRET nor SPANLEDGER_STRIPE_EVENTS_QUEUE_URL is set',
    'set the one to the secret of the webhook endpoint, or the other to the queue that EventBridge sends to',
  );
}

/** One long poll and one message in work at a time. */
function openEventQueue(session: Session): QueueClient | null {
  if (session.config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL === undefined) return null;
  const address = queueAddress(session, 'SPANLEDGER_STRIPE_EVENTS_QUEUE_URL');
  return openQueue({ ...address, pollers: 1 });
}

/** What fails now is tried again at the next turn; the endpoint goes on serving. */
async function releaseProven(parts: StripeParts): Promise<void> {
  try {
    await releaseInvoices(parts, null);
  } catch (error) {
    parts.log.warn({ error: String(error) }, 'held invoices not looked at; trying again later');
  }
}
