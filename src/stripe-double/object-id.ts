import { createHash, randomBytes } from 'node:crypto';

/** Makes a new id that tells its kind, such as `cus_` and 24 hexadecimal digits. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/**
 * Returns the same id for the same parts, for rows that are computed again by each call, so that
 * paging works.
 */
export function derivedId(prefix: string, ...parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${prefix}_${digest.slice(0, 24)}`;
}
