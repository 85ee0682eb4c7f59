-- People sign in to the console, and customers look at their page by a link that ends; of both a hash is kept

alter table http_keys
  drop constraint http_keys_role_check,
  drop constraint tenant_key_names_its_tenant,
  add constraint http_keys_role_check check (role in ('admin', 'reader', 'tenant', 'link', 'ingest')),
  add constraint tenant_key_names_its_tenant check ((role in ('tenant', 'link')) = (tenant_id is not null)),
  -- A link stands in histories and proxies' logs, so it ends by itself.
  add constraint link_ends check (role <> 'link' or expires_at is not null);

-- Who signed in with a key. The token in the browser is renewed as it is used, and the one before ends soon after.
create table console_sessions (
  -- SHA-256 of the token; the token itself is in the browser alone.
  session_hash bytea primary key check (length(session_hash) = 32),
  key_id text collate "C" not null references http_keys,
  -- The sign-in, by which the whole session ends.
  begun_at timestamptz not null,
  renewed_at timestamptz not null,
  ends_at timestamptz not null
);
