-- The HTTP server's keys, kept as hashes, and what each did under an Idempotency-Key, so that asking twice does once

create table http_keys (
  key_id text collate "C" primary key check (key_id ~ '^[a-z0-9]{8}$'),
  -- SHA-256 of the whole key; the key itself is shown once and kept nowhere.
  key_hash bytea not null check (length(key_hash) = 32),
  name text not null check (length(name) between 1 and 100),
  role text not null check (role in ('admin', 'reader', 'tenant', 'ingest')),
  -- The tenant whose rows a tenant's key reads.
  tenant_id text collate "C" references tenants,
  -- What a key for ingest sends is of this source, and may name these tenants; null for any.
  source text,
  tenant_ids text[],
  -- Requests a second; null for no limit.
  rate integer check (rate > 0),
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by text,
  last_used_at timestamptz,
  constraint tenant_key_names_its_tenant check ((role = 'tenant') = (tenant_id is not null)),
  constraint only_ingest_is_scoped check (role = 'ingest' or (source is null and tenant_ids is null)),
  constraint revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);

-- A request of a key with an Idempotency-Key, from its begin; what it was answered once it was done.
create table http_actions (
  key_id text collate "C" not null references http_keys,
  idempotency_key text collate "C" not null check (length(idempotency_key) between 1 and 200),
  -- Over method, path and body: the same key with another request is a mistake.
  request_hash bytea not null check (length(request_hash) = 32),
  begun_at timestamptz not null,
  status integer,
  answer text,
  primary key (key_id, idempotency_key),
  constraint answered_whole check ((status is null) = (answer is null))
);
