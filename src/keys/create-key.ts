import { randomBytes, randomInt } from 'node:crypto';
import { DAY_MS, formatInstant, type InstantMs } from '../clock.ts';
import { makeRoles } from '../database/roles.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { hashOfKey, type Key, writeKey } from './key.ts';
import type { CreatedKeyAnswer, CreateKeyRequest } from './key-answer.ts';
import { insertKey } from './key-store.ts';
import { tellKey } from './list-keys.ts';

/**
 * Makes a key. The answer has it, this one time; what is kept is its hash. A tenant's key works behind
 * row-level security, so the roles that make the wall are made with the first one.
 */
export async function createKey(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: CreateKeyRequest,
): Promise<CreatedKeyAnswer> {
  const now = clock();
  refuseUnfit(request);
  const expiresAt = expiryOf(request, now);
  if (request.tenant_id !== null) {
    await readTenant(database.kysely, request.tenant_id);
    await makeRoles(database);
  }
  const { role } = request;
  const keyId = newKeyId();
  const key = writeKey({ role, keyId, secret: randomBytes(32) });
  const kept: Key = {
    keyId,
    keyHash: hashOfKey(key),
    name: request.name ?? `${role}-${keyId}`,
    role,
    tenantId: request.tenant_id,
    source: request.source,
    tenantIds: request.tenant_ids,
    rate: request.rate,
    createdAt: now,
    createdBy: request.actor,
    expiresAt,
    revokedAt: null,
    revokedBy: null,
    lastUsedAt: null,
  };
  await insertKey(database, kept);
  const {
    state: _,
    revoked_at: _at,
    revoked_by: _by,
    last_used_at: _used,
    ...told
  } = tellKey(kept, now);
  return { key, ...told };
}

function refuseUnfit(request: CreateKeyRequest): void {
  const { role, tenant_id: tenantId, source, tenant_ids: tenantIds } = request;
  const isOfTenant = role === 'tenant' || role === 'link';
  if (isOfTenant && tenantId === null) {
    throw new Refusal(
      'bad_request',
      "a tenant's key reads the usage of one tenant, and none is named",
      'name the tenant',
    );
  }
  if (!isOfTenant && tenantId !== null) {
    throw new Refusal(
      'bad_request',
      `a key with the role ${role} is not of one tenant`,
      'leave the tenant out, or make a key with the role tenant',
    );
  }
  if (role === 'link' && request.expires_at === null && request.expires_in_days === null) {
    throw new Refusal(
      'bad_request',
      'a link is kept in browser histories and proxy logs, so one that never expires is not allowed',
      'say for how many days it holds',
    );
  }
  if (role !== 'ingest' && (source !== null || tenantIds !== null)) {
    throw new Refusal(
      'bad_request',
      `a key with the role ${role} sends no events, so it has no source and no list of tenants`,
      'leave them out, or make a key with the role ingest',
    );
  }
}

function expiryOf(request: CreateKeyRequest, now: InstantMs): InstantMs | null {
  const { expires_at: at, expires_in_days: days } = request;
  if (at !== null && days !== null) {
    throw new Refusal(
      'bad_request',
      'the key is to expire at an instant and after some days',
      'give one of the two',
    );
  }
  if (at === null) return days === null ? null : now + days * DAY_MS;
  if (at > now) return at;
  throw new Refusal(
    'bad_request',
    `the key would have expired at ${formatInstant(at)}, which is past`,
    'give a later instant, or leave it out',
  );
}

const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Eight letters that nobody mistakes for one another; forty bits, and the primary key refuses a second one. */
function newKeyId(): string {
  return Array.from({ length: 8 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
}
