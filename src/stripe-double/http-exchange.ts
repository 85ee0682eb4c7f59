import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './api-reply.ts';

/** A body above this size is refused; Stripe's own requests are a few kilobytes. */
const BODY_BYTES_MAX = 1_000_000;

/** Reads the whole body as text. Throws when it is too long or the connection breaks. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_BYTES_MAX) throw new Error(`a body has at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Returns a header as one text, or null. */
export function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}

/** Sends a reply, or breaks the connection in the way that it asks for. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  if (reply.transport === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, 'content-length': body.length });
  if (reply.transport === 'send') {
    response.end(body);
    return;
  }
  // The headers promise the whole body, so the client notices that the rest never comes.
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
}
