-- Whoever must know of a budget, a close or a month that is not whole is told by signed webhooks, from an outbox, once each.

create table webhook_endpoints (
  endpoint_id text collate "C" primary key check (endpoint_id ~ '^whk_[0-9a-f]{12}$'),
  url text not null check (length(url) between 1 and 2000),
  -- The kinds that it hears of; null for all.
  events text[],
  -- Deliveries are signed by it, so it is kept as it is; it is shown once, and no role but the owner reads it.
  secret bytea not null check (length(secret) between 24 and 64),
  created_at timestamptz not null,
  created_by text not null,
  disabled_at timestamptz,
  disabled_by text,
  constraint disabled_by_somebody check ((disabled_at is null) = (disabled_by is null))
);
select begin_journal('webhook_endpoints', 'endpoint_id', 'secret');

-- What happened, each thing once for ever by its key.
create table webhook_events (
  event_id bigint generated always as identity primary key,
  kind text not null,
  event_key text collate "C" not null unique,
  -- What happens to one subject is told in its order.
  subject text collate "C" not null,
  occurred_at timestamptz not null,
  data jsonb not null
);
create index webhook_events_by_time on webhook_events (occurred_at);

create table webhook_deliveries (
  event_id bigint not null references webhook_events,
  endpoint_id text collate "C" not null references webhook_endpoints on delete cascade,
  subject text collate "C" not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  first_tried_at timestamptz,
  tried_at timestamptz,
  next_try_at timestamptz not null,
  -- What the last try that failed was answered, or why it could not be made.
  last_failure text,
  primary key (event_id, endpoint_id)
);
create index webhook_deliveries_due on webhook_deliveries (next_try_at) where state = 'pending';
create index webhook_deliveries_in_order on webhook_deliveries (endpoint_id, subject, event_id) where state = 'pending';

-- Shares of the limit, in percent, at which somebody is told.
alter table budgets add column thresholds integer[] not null default '{80,100}';
