import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A receiver of webhooks over HTTP, which fails in each way that receivers have. */
type Way = 'ok' | 'error' | 'redirect' | 'reset' | 'gone' | 'silence' | 'endless';

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
    case 'silence':
      return;
  }
}
