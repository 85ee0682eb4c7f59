import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { errorCode } from '../error-code.ts';
import type { QuarantineReason } from './event.ts';

/** A body may unfold to this many bytes; more is a bomb or a mistake. The client packs an eighth of it. */
const LARGEST_UNFOLDED_BYTES = 4 * 1024 * 1024;

/** An object that a notification names, as it is or unfolded. */
export const LARGEST_OBJECT_BYTES = 16 * 1024 * 1024;

/**
 * A frame of zstd says how much memory it wants before anything is unfolded: up to 128 MiB. Its levels to
 * 19 want 8 MiB.
 */
const LARGEST_WINDOW_LOG = 23;

export type Unfolded =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly reason: QuarantineReason; readonly detail: string };

/**
 * Returns the bytes that were compressed; `what` names them to a person. Stops at the size limit.
 */
export function unfold(encoding: 'gzip' | 'zstd', bytes: Buffer, what: string): Unfolded {
  return unfoldTo(LARGEST_UNFOLDED_BYTES, { encoding, bytes, what });
}

/** The same of an object that was fetched, which holds the prompts of its calls and is read by its lines. */
export function unfoldObject(bytes: Buffer): Unfolded {
  return unfoldTo(LARGEST_OBJECT_BYTES, { encoding: 'gzip', bytes, what: 'the object' });
}

interface Folded {
  readonly encoding: 'gzip' | 'zstd';
  readonly bytes: Buffer;
  readonly what: string;
}

function unfoldTo(mostBytes: number, { encoding, bytes, what }: Folded): Unfolded {
  const limit = { maxOutputLength: mostBytes };
  const window = { params: { [constants.ZSTD_d_windowLogMax]: LARGEST_WINDOW_LOG } };
  try {
    const unfolded =
      encoding === 'gzip'
        ? gunzipSync(bytes, limit)
        : zstdDecompressSync(bytes, { ...limit, ...window });
    return { kind: 'bytes', bytes: unfolded };
  } catch (error) {
    if (error instanceof RangeError || errorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `${what}: unfolds to more than ${mostBytes} bytes; send smaller packs`;
      return { kind: 'refused', reason: 'too_large', detail };
    }
    const detail = `${what}: is not the base64 of ${encoding} data (${String(error)})`;
    return { kind: 'refused', reason: 'invalid_field', detail };
  }
}

/** Tells whether bytes begin like everything that gzip makes. */
export function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The base64 of gzip begins so, which no JSON does. */
export function isGzipBase64(text: string): boolean {
  return text.startsWith('H4sI') && /^[\w+/=\s-]+$/.test(text);
}
