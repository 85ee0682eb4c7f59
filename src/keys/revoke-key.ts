import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { keyIdIn } from './key.ts';
import type { ListedKey, RevokeKeyRequest } from './key-answer.ts';
import { markRevoked } from './key-store.ts';
import { tellKey } from './list-keys.ts';

/**
 * Revokes a key by its id, or by the key itself. Every process asks for the row of each request, so it
 * holds at once in all of them.
 */
export async function revokeKey(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { key_id: given, actor }: RevokeKeyRequest,
): Promise<ListedKey> {
  const at = clock();
  const keyId = keyIdIn(given) ?? given;
  const revoked = await markRevoked(database, keyId, { at, actor });
  if (revoked !== null) return tellKey(revoked, at);
  throw new Refusal(
    'not_found',
    `there is no key with the id "${keyId}"`,
    advise`see ${{ operation: 'key list' }}`,
  );
}
