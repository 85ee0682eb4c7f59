-- A user whom a proxy signed in acts under an Idempotency-Key as the bearer of a key does, and has no row among the keys.
alter table http_actions drop constraint http_actions_key_id_fkey;
comment on column http_actions.key_id is 'of a key, or user: and the name of a user of the proxy';
