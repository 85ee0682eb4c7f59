import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** How a provider answers one request. */
export interface ProviderAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  /** Pieces of a stream, a turn of the event loop apart; `hang` keeps it open after them, `break` cuts it off. */
  readonly pieces?: readonly string[];
  readonly ending?: 'end' | 'hang' | 'break';
}

export interface ProviderDouble {
  readonly url: string;
  /** The bodies that were sent, read as JSON where they are. */
  readonly requests: { readonly path: string; readonly body: unknown }[];
}

/** Opens a server that answers as a provider does, for the real SDKs to call. */
export async function openProvider(
  answer: (path: string, nth: number) => ProviderAnswer,
): Promise<ProviderDouble> {
  const requests: { readonly path: string; readonly body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    requests.push({ path, body: await bodyOf(request) });
    const {
      status = 200,
      headers = {},
      body,
      pieces,
      ending = 'end',
    } = answer(path, requests.length);
    const type = pieces === undefined ? 'application/json' : 'text/event-stream';
    response.writeHead(status, {
      'content-type': type,
      'x-request-id': `req_${requests.length}`,
      ...headers,
    });
    if (pieces === undefined) {
      response.end(
        typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      );
      return;
    }
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (ending === 'end') response.end();
    if (ending === 'break') response.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Writes a stream of server-sent events, as providers write them. */
export function sse(events: readonly unknown[], isNamed = false): readonly string[] {
  return events.map((event) => {
    const data = typeof event === 'string' ? event : JSON.stringify(event);
    const name = isNamed ? `event: ${(event as { type: string }).type}\n` : '';
    return `${name}data: ${data}\n\n`;
  });
}
