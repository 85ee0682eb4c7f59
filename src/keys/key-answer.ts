import { z } from 'zod';
import { instantField, instantGiven, listOf } from '../fields.ts';

/** The roles of a key; a link is a key within an address, which opens only its tenant's page. */
export const KEY_ROLES = ['admin', 'reader', 'tenant', 'link', 'ingest'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

const scopeFields = {
  role: z.enum(KEY_ROLES),
  /** The tenant whose usage a tenant's key or a link reads; null for every other role. */
  tenant_id: z.string().nullable(),
  /** What a key for ingest sends is of this source; null where the events say it. */
  source: z.string().min(1).max(100).nullable(),
  /** The tenants that a key for ingest may name; null for any. */
  tenant_ids: listOf(z.string().min(1).max(200)).nullable(),
  /** Requests a second; null for no limit. */
  rate: z.int().positive().max(1_000_000).nullable(),
};

export const createKeyRequest = z.strictObject({
  ...scopeFields,
  /** The name under which its acts are recorded; null takes the role and the key's id. */
  name: z.string().min(1).max(100).nullable(),
  /** The instant from which it is refused; null for never. */
  expires_at: instantGiven.nullable(),
  /** The same as days from now; one of the two at the most. */
  expires_in_days: z.int().positive().max(36_500).nullable(),
  actor: z.string(),
});
export type CreateKeyRequest = z.output<typeof createKeyRequest>;

const keyFields = {
  key_id: z.string(),
  name: z.string(),
  ...scopeFields,
  created_at: instantField,
  created_by: z.string(),
  expires_at: instantField.nullable(),
};

/** The key itself is shown here, and never again. */
export const createdKeyAnswer = z.strictObject({ key: z.string(), ...keyFields });
export type CreatedKeyAnswer = z.infer<typeof createdKeyAnswer>;

const listedKey = z.strictObject({
  ...keyFields,
  state: z.enum(['valid', 'expired', 'revoked']),
  revoked_at: instantField.nullable(),
  revoked_by: z.string().nullable(),
  /** It is true to the minute. */
  last_used_at: instantField.nullable(),
});
export type ListedKey = z.infer<typeof listedKey>;

/** The oldest first. */
export const keysAnswer = listOf(listedKey);
export type KeysAnswer = z.infer<typeof keysAnswer>;

export const revokeKeyRequest = z.strictObject({
  /** The id that the list shows, which stands in the key itself, too. */
  key_id: z.string(),
  actor: z.string(),
});
export type RevokeKeyRequest = z.output<typeof revokeKeyRequest>;

export const revokedKeyAnswer = listedKey;
