import { hash } from 'node:crypto';

/** It has no letters that are taken for digits, or for one another. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Returns the number of a tenant's statement, such as `2026-10-7KQ2-M9XD-4RTW`: it follows from the
 * tenant and the begin of the period alone, so that it is the same forever. Its sixty bits of
 * SHA-256 keep a million tenants apart.
 */
export function statementNumber(tenantId: string, periodStart: string): string {
  const digest = BigInt(`0x${hash('sha256', JSON.stringify([tenantId, periodStart]), 'hex')}`);
  const signs = Array.from({ length: 12 }, (_, place) => {
    return ALPHABET[Number((digest >> BigInt(5 * place)) & 31n)] ?? '';
  });
  const groups = [0, 4, 8].map((from) => signs.slice(from, from + 4).join(''));
  return [periodStart.slice(0, 7), ...groups].join('-');
}
