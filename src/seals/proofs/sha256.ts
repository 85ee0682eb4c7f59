import { hash } from 'node:crypto';

/**
 * Returns the hash by which a proof is checked where Node is; a page of a customer's has one of its
 * own.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}
