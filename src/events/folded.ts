import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { QuarantineReason } from './event.ts';

/** A body may unfold to this many bytes; more is a bomb or a mistake. */
const LARGEST_UNFOLDED_BYTES = 64 * 1024 * 1024;

export type Unfolded =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly reason: QuarantineReason; readonly detail: string };

/** The bytes that were compressed; `what` names them to a person. Stops at the size limit. */
export function unfold(encoding: 'gzip' | 'zstd', bytes: Buffer, what: string): Unfolded {
  const limit = { maxOutputLength: LARGEST_UNFOLDED_BYTES };
  try {
    const unfolded =
      encoding === 'gzip' ? gunzipSync(bytes, limit) : zstdDecompressSync(bytes, limit);
    return { kind: 'bytes', bytes: unfolded };
  } catch (error) {
    if (error instanceof RangeError || codeOf(error) === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `${what}: unfolds to more than ${LARGEST_UNFOLDED_BYTES} bytes; send smaller packs`;
      return { kind: 'refused', reason: 'too_large', detail };
    }
    const detail = `${what}: is not the base64 of ${encoding} data (${String(error)})`;
    return { kind: 'refused', reason: 'invalid_field', detail };
  }
}

/** The first two bytes of everything that gzip makes. */
export function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The base64 of gzip begins so, which no JSON does. */
export function isGzipBase64(text: string): boolean {
  return text.startsWith('H4sI') && /^[\w+/=\s-]+$/.test(text);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
