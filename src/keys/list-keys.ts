import { formatInstant, formatInstantOrNull, type InstantMs } from '../clock.ts';
import type { Parts } from '../parts.ts';
import { type Key, stateOfKey } from './key.ts';
import type { KeysAnswer, ListedKey } from './key-answer.ts';
import { readKeys } from './key-store.ts';

/** All keys with what they may do, the oldest first. */
export async function listKeys({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<KeysAnswer> {
  const now = clock();
  return (await readKeys(database)).map((key) => tellKey(key, now));
}

/** Returns a key as answers show it: everything that is kept but the hash. */
export function tellKey(key: Key, now: InstantMs): ListedKey {
  return {
    key_id: key.keyId,
    name: key.name,
    role: key.role,
    tenant_id: key.tenantId,
    source: key.source,
    tenant_ids: key.tenantIds,
    rate: key.rate,
    created_at: formatInstant(key.createdAt),
    created_by: key.createdBy,
    expires_at: formatInstantOrNull(key.expiresAt),
    state: stateOfKey(key, now),
    revoked_at: formatInstantOrNull(key.revokedAt),
    revoked_by: key.revokedBy,
    last_used_at: formatInstantOrNull(key.lastUsedAt),
  };
}
