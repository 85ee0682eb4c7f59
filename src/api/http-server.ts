import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { OLDEST_DAYS } from '../events/read-item.ts';
import type { EventKeeper } from '../ingest/taking/event-keeper.ts';
import type { Parts } from '../parts.ts';
import type { ApiParts } from './api-parts.ts';
import { buildApp } from './app.ts';
import type { AppOptions } from './app-options.ts';
import type { WebhookOptions } from './webhook-door.ts';

export interface HttpServerOptions {
  readonly parts: Parts & Partial<ApiParts>;
  /** Null is no endpoint for webhooks: it is refused, and everything else is answered. */
  readonly webhook: WebhookOptions | null;
  /** Pages for people beside the routes; left out, there are none. */
  readonly pages?: AppOptions['pages'];
  /** Where events of producers are kept; left out or null, they are refused. */
  readonly keeper?: EventKeeper | null;
  readonly host: string;
  /** The port 0 takes one that is free. */
  readonly port: number;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Takes no new request, and resolves when those that are being answered are done. */
  close(): Promise<void>;
}

/** Whoever sends its headers or its body slower than this holds a connection, and is cut off. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
const HEADERS_BYTES_MAX = 16_384;
const HEADERS_MAX = 100;
/** What is not answered within this time after the signal is cut off. */
const DRAIN_MS = 20_000;
const IDLE_EVERY_MS = 50;

/** Serves the API, the doors of producers, the webhook endpoint and health checks. Rejects when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const state = { draining: false };
  const app = buildApp({
    pages: options.pages ?? null,
    parts: apiPartsOf(options.parts),
    webhook: options.webhook,
    keeper: options.keeper ?? null,
    isDraining: () => state.draining,
  });
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, env as HttpBindings),
    serverOptions: {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
  }) as Server;
  server.maxHeadersCount = HEADERS_MAX;
  await listen(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  return {
    url: `http://${options.host}:${port}`,
    port,
    close() {
      state.draining = true;
      return drain(server);
    },
  };
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    // A connection that is kept alive is idle once its answer is out, and would hold the server for a minute.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_EVERY_MS);
    server.close(() => {
      clearTimeout(late);
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** What is left out is off. */
export function apiPartsOf(parts: HttpServerOptions['parts']): ApiParts {
  return {
    reading: { litellmKey: null, oldestDays: OLDEST_DAYS },
    queue: 'the queue was not asked: none is configured',
    destinationFault: null,
    allowsPrivateWebhooks: false,
    stripeParts: null,
    s3Endpoint: null,
    ...parts,
  };
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
