import { once } from 'node:events';
import type { Command } from 'commander';
import type { ApiParts } from '../../api/api-parts.ts';
import { runEventQueue } from '../../api/event-queue-loop.ts';
import { apiPartsOf, startHttpServer } from '../../api/http-server.ts';
import { openProxyUsers } from '../../api/proxy-users.ts';
import type { WebhookOptions } from '../../api/webhook-door.ts';
import { queueAddress } from '../../aws/sqs-client.ts';
import { buildConsole } from '../../console/console-app.ts';
import { readSettings } from '../../events/read-settings.ts';
import type { QueueClient } from '../../ingest/queue-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import type { EventKeeper } from '../../ingest/taking/event-keeper.ts';
import { openLedgerKeeper } from '../../ingest/taking/ledger-keeper.ts';
import { openQueueKeeper } from '../../ingest/taking/queue-keeper.ts';
import { runReleases } from '../../stripe/invoices/release-loop.ts';
import type { StripeParts } from '../../stripe/stripe-parts.ts';
import { runWebhooks } from '../../webhooks/webhook-loop.ts';
import { readPort } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { consoleOptions } from '../terminal/console-options.ts';
import { listenOn } from '../terminal/listen.ts';
import { QUEUE_NOT_ASKED, STRIPE_NOT_ASKED } from '../terminal/not-asked.ts';
import type { Session } from '../terminal/session.ts';
import { stopOnSignal } from '../terminal/signals.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';
import { webhookParts } from '../terminal/webhook-parts.ts';

const DEFAULT_PORT = 8080;

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description(
      'the HTTP server: the API (GET / shows it), the doors by which producers send events, the webhook endpoint of Stripe',
    )
    .option('--port <n>', 'the port to listen on; 0 takes one that is free', readPort, DEFAULT_PORT)
    .option('--host <address>', 'which address; put a proxy with TLS before it', '127.0.0.1')
    .option('--direct', 'post events to the ledger itself, with no queue and no worker');
  perform<ServeFlags>(command, async (session, { options }) => {
    const { direct = false, ...address } = options;
    const users = openProxyUsers(session.config);
    const stripe = await openStripeSide(session);
    const ingest = await openIngest(session, direct);
    const parts = apiPartsOf({ ...webhookParts(session), ...ingest.parts, stripeParts: stripe });
    const webhook = webhookOf(session, stripe);
    const pages = buildConsole(consoleOptions(session.config, parts, users));
    const start = () =>
      startHttpServer({
        parts,
        webhook,
        keeper: ingest.keeper,
        pages,
        users,
        corsOrigins: session.config.SPANLEDGER_CORS_ORIGINS,
        langwatchSecret: session.config.SPANLEDGER_LANGWATCH_SECRET ?? null,
        ...address,
      });
    const server = await listenOn(address.port, start);
    const queue = stripe === null ? null : openEventQueue(session);
    const { stop } = stopOnSignal();
    announce(session, server.url, { webhook, queue, direct });
    await Promise.all([
      // Requests are taken no more from the signal on, however long the loops beside them finish what they have in hand.
      once(stop, 'abort').then(() => server.close()),
      runWebhooks(parts, stop),
      ...(stripe === null ? [] : [runReleases(stripe, stop)]),
      ...(stripe === null || queue === null ? [] : [runEventQueue({ parts: stripe, queue }, stop)]),
    ]);
    queue?.close();
    await ingest.close();
  });
}

interface ServeFlags {
  readonly port: number;
  readonly host: string;
  readonly direct?: boolean;
}

interface Ingest {
  /** It is null where events are refused. */
  readonly keeper: EventKeeper | null;
  readonly parts: Pick<ApiParts, 'reading' | 'queue' | 'destinationFault'>;
  close(): Promise<void>;
}

/** Where the events of producers are kept: the queue, the ledger itself, or nowhere. */
async function openIngest(session: Session, direct: boolean): Promise<Ingest> {
  const { config, log } = session;
  const reading = readSettings(config);
  const destinationFault = config.STRIPE_API_KEY === undefined ? STRIPE_NOT_ASKED : null;
  if (direct) {
    const keeper = openLedgerKeeper({ ...session.parts(), reading });
    const queue = 'there is no queue: events are posted directly';
    return { keeper, parts: { reading, queue, destinationFault }, close: () => keeper.close() };
  }
  if (config.SPANLEDGER_QUEUE_URL === undefined) {
    const queue = QUEUE_NOT_ASKED;
    return { keeper: null, parts: { reading, queue, destinationFault }, close: async () => {} };
  }
  const address = queueAddress(config, 'SPANLEDGER_QUEUE_URL');
  const { SPANLEDGER_INGEST_FOLDER: folder, SPANLEDGER_INGEST_FOLDER_MB: megabytes } = config;
  const disk = folder === undefined ? null : { folder, mostBytes: megabytes * 1_000_000 };
  const keeper = openQueueKeeper({ ...address, log, disk });
  const queue = openQueue({ ...address, pollers: 1 });
  return {
    keeper,
    parts: { reading, queue, destinationFault },
    async close() {
      await keeper.close();
      queue.close();
    },
  };
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
  on: {
    readonly webhook: WebhookOptions | null;
    readonly queue: QueueClient | null;
    readonly direct: boolean;
  },
): void {
  const events = on.queue === null ? null : session.config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL;
  const webhook = on.webhook === null ? null : `${url}/stripe/webhook`;
  const off = variablesMissing(session, on.direct).map(({ name, what }) => ({
    variable: name,
    off: what,
  }));
  const taken = events === null ? '' : `, taking events from ${events}`;
  const lines = off.map(({ variable, off: what }) => `${what} is off: ${variable} is not set`);
  const text = [`listening on ${url}${taken}`, ...lines].join('\n');
  session.out.answer({ url, webhook, queue: events, off }, text);
}

/** A server that takes events from a queue has no need of webhooks, and the other way round. */
function variablesMissing({ config }: Session, direct: boolean) {
  const hasWebhooks = config.STRIPE_WEBHOOK_SECRET !== undefined;
  const hasQueue = config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL !== undefined;
  return [
    ...(config.SPANLEDGER_QUEUE_URL === undefined && !direct
      ? [{ name: 'SPANLEDGER_QUEUE_URL', what: 'taking events (see --direct)' }]
      : []),
    ...(config.STRIPE_API_KEY === undefined
      ? [{ name: 'STRIPE_API_KEY', what: "everything of Stripe's" }]
      : []),
    ...(hasWebhooks || hasQueue
      ? []
      : [{ name: 'STRIPE_WEBHOOK_SECRET', what: 'the webhook endpoint' }]),
  ];
}

/** Opens a queue with one long poll and one message in work at a time. */
function openEventQueue(session: Session): QueueClient | null {
  if (session.config.SPANLEDGER_STRIPE_EVENTS_QUEUE_URL === undefined) return null;
  const address = queueAddress(session.config, 'SPANLEDGER_STRIPE_EVENTS_QUEUE_URL');
  return openQueue({ ...address, pollers: 1 });
}
