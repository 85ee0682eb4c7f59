import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A receiver of webhooks over HTTP, which fails in each way that receivers have. */
export type Way =
  | number
  | { readonly status: number; readonly retryAfter: string }
  | ('ok' | 'error' | 'redirect' | 'reset' | 'gone' | 'silence' | 'endless')
  | ('huge' | 'no http' | 'cut off' | 'half a head');

export interface Receiver {
  readonly url: string;
  readonly got: { path: string; headers: http.IncomingHttpHeaders; body: string }[];
  answers(way: Way): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  let way: Way = 'ok';
  const got: Receiver['got'] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      got.push({ path: request.url ?? '', headers: request.headers, body });
      reply(way, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, got },
    answers(next) {
      way = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(way: Way, response: http.ServerResponse): void {
  if (typeof way === 'number') return void response.writeHead(way, { location: '/on' }).end('no');
  if (typeof way === 'object') {
    return void response.writeHead(way.status, { 'retry-after': way.retryAfter }).end();
  }
  switch (way) {
    case 'ok':
      return void response.end();
    case 'error':
      return void response.writeHead(500).end('no');
    case 'redirect':
      return void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    case 'gone':
      return void response.writeHead(410).end();
    case 'reset':
      return void response.socket?.resetAndDestroy();
    case 'endless':
      return void response.writeHead(200).write('a');
    case 'huge':
      return void response.writeHead(200).end(Buffer.alloc(64 * 1024 * 1024, 'a'));
    case 'no http':
      return void response.socket?.end('220 mail.example.com ESMTP\r\n');
    case 'cut off':
      response.writeHead(200, { 'content-length': 100 }).write('a');
      return void response.socket?.destroySoon();
    case 'half a head':
      return void response.socket?.end('HTTP/1.1 200 OK\r\nContent-');
    case 'silence':
      return;
  }
}
