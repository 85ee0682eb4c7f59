import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { errorCode } from '../error-code.ts';
import { problem } from './problem.ts';
import type { Reply } from './reply.ts';

export type ReadBytes =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly reply: Reply };

/** Largest bodies as they travel, and unfolded. */
export interface BodyLimits {
  readonly sentBytes: number;
  readonly unfoldedBytes: number;
}

/**
 * Reads the body of a request, unfolded where it was compressed. Reading stops at the limit, and so
 * does unfolding: neither a large body nor a bomb is ever in memory.
 */
export async function readBytes(request: Request, limits: BodyLimits): Promise<ReadBytes> {
  const sent = await readSent(request, limits.sentBytes);
  if (sent === null) return { kind: 'refused', reply: tooLarge(limits) };
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return { kind: 'bytes', bytes: sent };
  const unfold = UNFOLDERS[encoding];
  if (unfold === undefined) return { kind: 'refused', reply: unknownEncoding(encoding) };
  try {
    return { kind: 'bytes', bytes: await unfold(sent, { maxOutputLength: limits.unfoldedBytes }) };
  } catch (error) {
    const isBomb = error instanceof RangeError || errorCode(error) === 'ERR_BUFFER_TOO_LARGE';
    const reply = isBomb ? tooLargeUnfolded(limits) : notUnfolded(encoding, error);
    return { kind: 'refused', reply };
  }
}

/** The body as it was sent; null where it is longer. */
export async function readSent(request: Request, most: number): Promise<Buffer | null> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > most) return null;
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

type Unfolder = (bytes: Buffer, limit: { readonly maxOutputLength: number }) => Promise<Buffer>;

const UNFOLDERS: Readonly<Record<string, Unfolder>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

function tooLarge({ sentBytes, unfoldedBytes }: BodyLimits): Reply {
  return problem('too_large', {
    detail: `the body is larger than ${sentBytes} bytes, which is what a request may send`,
    remedy: `send less at once, or send it compressed, with Content-Encoding: ${Object.keys(UNFOLDERS).join(', ')}; unfolded it may have ${unfoldedBytes} bytes`,
  });
}

function tooLargeUnfolded({ unfoldedBytes }: BodyLimits): Reply {
  return problem('too_large', {
    detail: `the body is larger than ${unfoldedBytes} bytes once it is unfolded, which is what a request may come to`,
    remedy: 'send less at once: compressing it more changes nothing',
  });
}

function unknownEncoding(encoding: string): Reply {
  return problem('unsupported_media_type', {
    detail: `the content encoding ${JSON.stringify(encoding)} is not known`,
    remedy: `send the body as it is, or compressed with ${Object.keys(UNFOLDERS).join(', ')}`,
    headers: { 'accept-encoding': Object.keys(UNFOLDERS).join(', ') },
  });
}

function notUnfolded(encoding: string, error: unknown): Reply {
  return problem('bad_request', {
    detail: `the body is not ${encoding} data: ${String(error)}`,
    remedy: 'compress the body as its Content-Encoding says',
  });
}
