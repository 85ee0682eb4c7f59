import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';

/** What answers a request, with what the server knows of its connection. */
type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Takes no new request, and resolves when those that are being answered are done. */
  close(): Promise<void>;
}

/** A client that sends its headers or body slower than this holds a connection, and is cut off. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
/** Node looks for slow ones twice a minute by itself, so that they would hold a connection four times as long. */
const LOOK_EVERY_MS = 2_000;
const KEEP_ALIVE_MS = 65_000;
const HEADERS_BYTES_MAX = 16_384;
const HEADERS_MAX = 100;
/** Requests that are not answered within this time after the signal are cut off. */
const DRAIN_MS = 20_000;
const IDLE_EVERY_MS = 50;

/** Listens on an address; the port 0 takes one that is free. Rejects when the port is taken. */
export async function listenAt(
  fetch: Fetch,
  { host, port: wanted }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: (request, env) => fetch(request, env as HttpBindings),
    serverOptions: {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    },
  }) as Server;
  server.maxHeadersCount = HEADERS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  return { url: `http://${host}:${port}`, port, close: () => drain(server) };
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
