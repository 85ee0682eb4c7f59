import { sql } from 'kysely';
import { formatInstant, formatInstantOrNull, type InstantMs } from '../clock.ts';
import { askTogether } from '../database/ask-together.ts';
import type { Database } from '../database/database.ts';
import type { Key } from './key.ts';
import type { KeyRole } from './key-answer.ts';

interface KeyRow {
  readonly key_id: string;
  readonly key_hash: Buffer;
  readonly name: string;
  readonly role: KeyRole;
  readonly tenant_id: string | null;
  readonly source: string | null;
  readonly tenant_ids: readonly string[] | null;
  readonly rate: number | null;
  readonly created_at: InstantMs;
  readonly created_by: string;
  readonly expires_at: InstantMs | null;
  readonly revoked_at: InstantMs | null;
  readonly revoked_by: string | null;
  readonly last_used_at: InstantMs | null;
}

const OWN_COLUMNS = `key_id, key_hash, name, role, tenant_id, source, tenant_ids, rate, created_at, created_by,
  expires_at, revoked_at, revoked_by`;

const COLUMNS = `${OWN_COLUMNS},
  (select u.last_used_at from http_key_uses u where u.key_id = http_keys.key_id) as last_used_at`;

export async function insertKey(database: Database, key: Key): Promise<void> {
  await sql`
    insert into http_keys (${sql.raw(OWN_COLUMNS)})
    values (${key.keyId}, ${key.keyHash}, ${key.name}, ${key.role}, ${key.tenantId}, ${key.source},
      ${key.tenantIds}::text[], ${key.rate}, ${formatInstant(key.createdAt)}, ${key.createdBy},
      ${formatInstantOrNull(key.expiresAt)}, null, null)`.execute(database.kysely);
}

/** Reads one key by its id; null where there is none. */
export async function readKey(database: Database, keyId: string): Promise<Key | null> {
  return (await readTogether(database, keyId)).key;
}

/** Each request asks for its key, so that those of one moment share a read, and its plan is kept. */
const readTogether = askTogether<string, { readonly key: Key | null }>({
  queueOf: () => '',
  async askAll({ pool }, keyIds) {
    const { rows } = await pool.query<KeyRow>({
      name: 'read-keys',
      // The planner does not see how many they are, and so plans once.
      text: `select ${COLUMNS} from http_keys where key_id = any (array(select unnest($1::text[])))`,
      values: [[...new Set(keyIds)]],
    });
    const keys = new Map(rows.map((row) => [row.key_id, toKey(row)]));
    return keyIds.map((keyId) => ({ key: keys.get(keyId) ?? null }));
  },
});

/** Reads all keys, the oldest first. */
export async function readKeys(database: Database): Promise<readonly Key[]> {
  const { rows } = await sql<KeyRow>`
    select ${sql.raw(COLUMNS)} from http_keys order by created_at, key_id`.execute(database.kysely);
  return rows.map(toKey);
}

/** Revokes a key for good; one that is revoked already stays as it was. Null where there is none. */
export async function markRevoked(
  database: Database,
  keyId: string,
  by: { readonly at: InstantMs; readonly actor: string },
): Promise<Key | null> {
  const { rows } = await sql<KeyRow>`
    update http_keys set revoked_at = coalesce(revoked_at, ${formatInstant(by.at)}),
      revoked_by = coalesce(revoked_by, ${by.actor})
    where key_id = ${keyId} returning ${sql.raw(COLUMNS)}`.execute(database.kysely);
  return rows[0] === undefined ? null : toKey(rows[0]);
}

/** Keeps when a key was last used. */
export async function markUsed(database: Database, keyId: string, at: InstantMs): Promise<void> {
  await sql`
    insert into http_key_uses (key_id, last_used_at) values (${keyId}, ${formatInstant(at)})
    on conflict (key_id) do update set last_used_at = excluded.last_used_at`.execute(
    database.kysely,
  );
}

function toKey(row: KeyRow): Key {
  return {
    keyId: row.key_id,
    keyHash: row.key_hash,
    name: row.name,
    role: row.role,
    tenantId: row.tenant_id,
    source: row.source,
    tenantIds: row.tenant_ids,
    rate: row.rate,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
    lastUsedAt: row.last_used_at,
  };
}
