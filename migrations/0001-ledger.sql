-- The ledger, what it is rated by, what it leads to, and the views that auditors read.
-- Every key begins with the tenant where rows belong to one, so that the schema distributes by tenant.

create schema audit;

-- ---------------------------------------------------------------------------------------------------
-- Promises that the database itself keeps

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is refused: nothing is edited (R13); post a correction instead', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end $$;

-- Workers cache prices and tenants; a changed revision tells them to read again.
create table catalog_revisions (
  catalog text primary key,
  revision bigint not null
);
insert into catalog_revisions values ('prices', 1), ('tenants', 1);

create function bump_catalog_revision() returns trigger language plpgsql as $$
begin
  update catalog_revisions set revision = revision + 1 where catalog = tg_argv[0];
  return null;
end $$;

-- ---------------------------------------------------------------------------------------------------
-- Prices (R15): immutable versions

create table price_books (
  book text collate "C" not null,
  effective_from timestamptz not null,
  kind text not null check (kind in ('charge', 'cost')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  caching text not null check (caching in ('work_done', 'pass_through')),
  base_book text collate "C",
  -- millionths; not null makes it a cost-plus book
  cost_factor numeric(38, 0) check (cost_factor >= 0),
  document text not null,
  document_hash text not null,
  imported_at timestamptz not null,
  primary key (book, effective_from)
);

create table price_rates (
  rate_id bigint generated always as identity primary key,
  book text collate "C" not null,
  effective_from timestamptz not null,
  provider text,
  model text not null,
  service_tier text not null,
  above_input_tokens bigint not null check (above_input_tokens >= 0),
  -- picodollars a call
  per_call numeric(38, 0) not null check (per_call >= 0),
  -- picodollars a token
  input numeric(38, 0) not null check (input >= 0),
  output numeric(38, 0) not null check (output >= 0),
  cache_read numeric(38, 0) not null check (cache_read >= 0),
  cache_write numeric(38, 0) not null check (cache_write >= 0),
  foreign key (book, effective_from) references price_books,
  unique nulls not distinct (book, effective_from, provider, model, service_tier, above_input_tokens)
);

create trigger price_books_are_immutable before update or delete or truncate on price_books
  for each statement execute function refuse_change();
create trigger price_rates_are_immutable before update or delete or truncate on price_rates
  for each statement execute function refuse_change();
create trigger price_books_revision after insert on price_books
  for each statement execute function bump_catalog_revision('prices');

-- ---------------------------------------------------------------------------------------------------
-- Tenants

create table tenants (
  tenant_id text collate "C" primary key check (length(tenant_id) between 1 and 200),
  mode text not null default 'shadow' check (mode in ('shadow', 'live')),
  time_zone text not null default 'UTC',
  anchor_day smallint not null default 1 check (anchor_day between 1 and 31),
  stripe_customer text,
  created_at timestamptz not null
);
insert into tenants (tenant_id, created_at) values ('unattributed', now());

create table tenant_calendar_changes (
  tenant_id text collate "C" not null references tenants,
  effective_from timestamptz not null,
  time_zone text not null,
  anchor_day smallint not null check (anchor_day between 1 and 31),
  primary key (tenant_id, effective_from)
);

create table tenant_price_books (
  tenant_id text collate "C" not null references tenants,
  effective_from timestamptz not null,
  book text collate "C" not null,
  assigned_at timestamptz not null,
  primary key (tenant_id, effective_from)
);

create trigger tenants_revision after update on tenants
  for each statement execute function bump_catalog_revision('tenants');
create trigger tenant_calendar_changes_revision after insert or update or delete on tenant_calendar_changes
  for each statement execute function bump_catalog_revision('tenants');
create trigger tenant_price_books_revision after insert or update or delete on tenant_price_books
  for each statement execute function bump_catalog_revision('tenants');

-- ---------------------------------------------------------------------------------------------------
-- Periods (R16): a row is made when the first entry falls into it; its bounds never change.

create table periods (
  tenant_id text collate "C" not null references tenants,
  period_start date not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  time_zone text not null,
  -- sealed: nothing is posted into it any more, its manifest is being computed
  state text not null default 'open' check (state in ('open', 'sealed', 'closed')),
  primary key (tenant_id, period_start),
  check (starts_at < ends_at)
);

create function guard_period() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a period is never deleted (R12)' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.starts_at, old.ends_at, old.time_zone)
     is distinct from (new.tenant_id, new.period_start, new.starts_at, new.ends_at, new.time_zone)
     or array_position(array['open', 'sealed', 'closed'], new.state)
        < array_position(array['open', 'sealed', 'closed'], old.state) then
    raise exception 'period % of % may only move from open to sealed to closed (R12)', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger periods_only_move_on before update or delete on periods
  for each row execute function guard_period();
create trigger periods_revision after update on periods
  for each statement execute function bump_catalog_revision('tenants');

-- ---------------------------------------------------------------------------------------------------
-- The ledger

-- One row a posting transaction. An entry's id is batch_id * 1,000,000 + its place in the batch.
create table batches (
  batch_id bigint generated always as identity primary key,
  kind text not null check (kind in ('ingest', 'replay', 'correction', 'allocation')),
  recorded_at timestamptz not null,
  entries integer not null,
  charge numeric(38, 0) not null,
  cost numeric(38, 0) not null
);

create table entries (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  -- '' where the event has no members
  member_id text collate "C" not null,
  -- 0 for usage; a correction of the same identity counts on
  revision integer not null check (revision >= 0),
  entry_id bigint not null,
  kind text not null check (kind in ('usage', 'correction', 'allocation')),
  outcome text not null check (outcome in ('charged', 'failed', 'cancelled', 'unrated', 'unattributed')),
  status text not null check (status in ('ok', 'error', 'cancelled')),
  error_type text,
  occurred_at timestamptz not null,
  started_at timestamptz,
  recorded_at timestamptz not null,
  period_start date not null,
  late boolean not null,
  operation text not null,
  provider text,
  requested_model text not null,
  executed_model text not null,
  response_id text collate "C",
  service_tier text not null,
  gateway_cache text not null,
  uncached_input_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  -- the whole call's input, which decides a context-length rate
  context_tokens bigint not null check (context_tokens >= 0),
  -- millionths of the call that this entry carries: 1,000,000 unless split (R7)
  call_share integer not null,
  usage_source text not null check (usage_source in ('reported', 'estimated', 'assumed')),
  layer_prompt_tokens bigint,
  layer_tool_tokens bigint,
  layer_memory_tokens bigint,
  layer_response_tokens bigint,
  -- picodollars; null means that no rate is known, which is not a price of zero (R10)
  charge numeric(38, 0),
  cost numeric(38, 0),
  -- what the requested model would have cost; null where it is the one that answered, or has no cost rate
  requested_cost numeric(38, 0),
  currency text not null,
  charge_book text,
  charge_version timestamptz,
  charge_rate_id bigint,
  cost_book text,
  cost_version timestamptz,
  cost_rate_id bigint,
  user_id text,
  feature text,
  agent_run_id text,
  prompt_version text,
  further_tags jsonb,
  trace_id text,
  span_id text,
  parent_span_id text,
  attempt integer not null check (attempt >= 1),
  corrects_entry_id bigint,
  -- of the two entries of a correction, the one that takes the corrected entry back
  is_reversal boolean not null,
  reason text,
  -- who posted a correction or an allocation
  actor text,
  event_digest bytea not null check (length(event_digest) = 32),
  primary key (tenant_id, source, event_id, member_id, revision),
  constraint unrated_has_no_charge check ((charge is null) = (outcome = 'unrated')),
  constraint only_success_is_charged check (outcome in ('charged', 'unrated') or charge = 0 or kind = 'allocation'),
  constraint usage_is_not_negative check (kind <> 'usage' or (
    uncached_input_tokens >= 0 and cache_read_tokens >= 0 and cache_write_tokens >= 0
    and output_tokens >= 0 and reasoning_tokens >= 0 and call_share between 0 and 1000000
    and coalesce(charge, 0) >= 0 and coalesce(cost, 0) >= 0)),
  constraint only_corrections_reverse check (kind <> 'usage' or not is_reversal),
  constraint correction_names_its_entry check ((kind = 'correction') = (corrects_entry_id is not null)),
  constraint correction_has_a_reason check (kind = 'usage' or (reason is not null and actor is not null))
);
create unique index entries_by_id on entries (entry_id);
-- The second report of one provider response is a duplicate (R8). A gateway cache hit answers with
-- the first call's response id and is a call of its own, so it stays outside.
create unique index entries_by_response on entries (tenant_id, response_id, (coalesce(provider, '')), member_id)
  where response_id is not null and revision = 0 and gateway_cache = 'none';

-- What a close must wait for, and what was corrected already; both are few.
create index entries_unrated on entries (tenant_id, period_start) where outcome = 'unrated';
-- To join the attempts of one call (R8): the failed ones, and those that may have answered instead.
create index entries_failed_attempts on entries (tenant_id, trace_id) where status <> 'ok' and trace_id is not null;
create index entries_later_attempts on entries (tenant_id, trace_id)
  where status = 'ok' and trace_id is not null and (attempt > 1 or further_tags ? 'requested_model_source');
create index entries_corrections on entries (corrects_entry_id) where corrects_entry_id is not null;

create trigger entries_are_append_only before update or delete or truncate on entries
  for each statement execute function refuse_change();

-- Spans that are not model calls (R1): the structure of a run, never charged.
create table structure_spans (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  batch_id bigint not null,
  operation text not null,
  status text not null,
  error_type text,
  occurred_at timestamptz not null,
  started_at timestamptz,
  user_id text,
  feature text,
  agent_run_id text,
  prompt_version text,
  trace_id text,
  span_id text,
  parent_span_id text,
  event_digest bytea not null check (length(event_digest) = 32),
  primary key (tenant_id, source, event_id)
);
create trigger structure_spans_are_append_only before update or delete or truncate on structure_spans
  for each statement execute function refuse_change();

-- What became of every event received (law 1); a batch writes its own rows.
create table receipts (
  batch_id bigint not null references batches,
  source text not null,
  day date not null,
  received integer not null,
  posted integer not null,
  duplicates integer not null,
  conflicts integer not null,
  quarantined integer not null,
  primary key (batch_id, source, day)
);
create trigger receipts_are_append_only before update or delete or truncate on receipts
  for each statement execute function refuse_change();

create table quarantine (
  quarantine_id bigint generated always as identity primary key,
  batch_id bigint not null references batches,
  received_at timestamptz not null,
  source text,
  event_id text,
  reason text not null check (reason in
    ('not_json', 'unknown_format', 'invalid_field', 'conflict', 'too_large', 'occurred_in_future')),
  detail text not null,
  body text not null,
  -- of a conflict: what the ledger holds, and what came
  ledger_digest bytea,
  received_digest bytea,
  replayed_at timestamptz,
  replay_outcome text
);
create index quarantine_waiting on quarantine (quarantine_id) where replayed_at is null;

-- ---------------------------------------------------------------------------------------------------
-- Rollups (law 9): folded from whole batches, beside the hot path

create table fold_queue (batch_id bigint primary key);

-- An absent dimension is ''. Day is the UTC day of occurred_at. Two grains, because users and runs are
-- many: usage_rollups answers most questions, run_rollups the ones about a user or a run.
create table usage_rollups (
  tenant_id text collate "C" not null,
  period_start date not null,
  day date not null,
  kind text not null,
  outcome text not null,
  late boolean not null,
  provider text collate "C" not null,
  requested_model text collate "C" not null,
  executed_model text collate "C" not null,
  feature text collate "C" not null,
  prompt_version text collate "C" not null,
  currency text not null,
  entries bigint not null,
  input_tokens numeric(38, 0) not null,
  cache_read_tokens numeric(38, 0) not null,
  cache_write_tokens numeric(38, 0) not null,
  output_tokens numeric(38, 0) not null,
  -- Input that no layer claims is prompt; the response layer is output_tokens.
  tool_tokens numeric(38, 0) not null,
  memory_tokens numeric(38, 0) not null,
  charge numeric(38, 0) not null,
  cost numeric(38, 0) not null,
  -- What of charge and cost is for output, to tell the layers apart.
  output_charge numeric(38, 0) not null,
  output_cost numeric(38, 0) not null,
  -- Cost at the model requested minus cost at the model executed (R4).
  routing_gain numeric(38, 0) not null,
  primary key (tenant_id, period_start, day, kind, outcome, late, provider, requested_model, executed_model,
    feature, prompt_version, currency)
);

create table run_rollups (
  like usage_rollups,
  user_id text collate "C" not null,
  agent_run_id text collate "C" not null,
  primary key (tenant_id, period_start, day, kind, outcome, late, provider, requested_model, executed_model,
    feature, prompt_version, currency, user_id, agent_run_id)
);

-- ---------------------------------------------------------------------------------------------------
-- Closed periods (R17) and what Stripe was told (R18)

create table closes (
  tenant_id text collate "C" not null,
  period_start date not null,
  -- the manifest's exact bytes, UTF-8 JSON; the columns beside it repeat what queries need
  manifest text not null,
  manifest_hash text not null,
  entries bigint not null,
  currency text not null,
  charge_exact numeric(38, 0) not null,
  carried_in numeric(38, 0) not null,
  -- whole micro-dollars
  billable_micro numeric(38, 0) not null check (billable_micro >= 0),
  carried_out numeric(38, 0) not null,
  -- minor units
  charge_total numeric(38, 0) not null check (charge_total >= 0),
  closed_at timestamptz not null,
  primary key (tenant_id, period_start),
  foreign key (tenant_id, period_start) references periods,
  constraint close_conserves check (charge_exact + carried_in = billable_micro * 1000000 + carried_out)
);
create trigger closes_are_append_only before update or delete or truncate on closes
  for each statement execute function refuse_change();

create table stripe_meters (
  currency text not null,
  livemode boolean not null,
  event_name text not null,
  meter_id text not null,
  product_id text not null,
  price_id text not null,
  set_up_at timestamptz not null,
  primary key (currency, livemode)
);

create table push_intents (
  tenant_id text collate "C" not null,
  period_start date not null,
  sequence integer not null,
  identifier text not null unique check (length(identifier) <= 100),
  meter text not null,
  stripe_customer text not null,
  value_micro numeric(38, 0) not null check (value_micro <> 0),
  event_timestamp bigint not null,
  state text not null check (state in ('pending', 'sent', 'confirmed', 'ambiguous', 'parked')),
  attempts integer not null default 0,
  created_at timestamptz not null,
  first_attempt_at timestamptz,
  last_attempt_at timestamptz,
  sent_at timestamptz,
  confirmed_at timestamptz,
  last_answer text,
  primary key (tenant_id, period_start, sequence),
  foreign key (tenant_id, period_start) references closes
);

-- What was told is told again byte for byte, or not at all (R18): only the state of an intent moves.
create function guard_intent() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a push intent is never deleted (R18)' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.sequence, old.identifier, old.meter, old.stripe_customer, old.value_micro,
      old.event_timestamp, old.created_at)
     is distinct from (new.tenant_id, new.period_start, new.sequence, new.identifier, new.meter, new.stripe_customer,
      new.value_micro, new.event_timestamp, new.created_at) then
    raise exception 'the body of push intent % never changes (R18)', old.identifier using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger push_intents_keep_their_body before update or delete on push_intents
  for each row execute function guard_intent();

-- ---------------------------------------------------------------------------------------------------
-- Views for auditors: stable columns, amounts exact in the currency's major unit

create function major(pico numeric) returns numeric language sql immutable parallel safe
  return trim_scale(pico * 0.000000000001);

create view audit.entries as
select 'ent_' || entry_id as entry_id, kind, outcome, tenant_id, source, event_id, nullif(member_id, '') as member_id,
  occurred_at, recorded_at, period_start, late, provider, requested_model, executed_model, service_tier, gateway_cache,
  uncached_input_tokens + cache_read_tokens + cache_write_tokens as input_tokens,
  cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
  major(charge) as charge, major(cost) as cost, currency, charge_book, charge_version,
  user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id, attempt,
  'ent_' || corrects_entry_id as corrects_entry_id, reason,
  operation, status, error_type, response_id, usage_source, cost_book, cost_version, actor, is_reversal, revision
from entries;

create view audit.periods as
select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
  case when c.tenant_id is null then 'open' else 'closed' end as state,
  coalesce(c.entries, r.entries, 0)::bigint as entries,
  major(coalesce(c.charge_exact, r.charge, 0)) as charge_exact,
  major(c.carried_in) as carried_in,
  trim_scale(c.billable_micro * 0.000001) as billable,
  major(c.carried_out) as carried_out,
  trim_scale(c.charge_total * case when c.currency = 'JPY' then 1 else 0.01 end) as charge_total,
  coalesce(c.currency, r.currency) as currency, c.manifest_hash, c.closed_at
from periods p
left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start
left join lateral (
  select sum(u.entries) as entries, sum(u.charge) as charge, min(u.currency) as currency
  from usage_rollups u where u.tenant_id = p.tenant_id and u.period_start = p.period_start
) r on c.tenant_id is null;

create view audit.pushes as
select tenant_id, period_start, meter, identifier, trim_scale(value_micro) as value, state, attempts,
  first_attempt_at, confirmed_at, sent_at, stripe_customer, last_answer
from push_intents;

create view audit.quarantine as
select quarantine_id, received_at, source, event_id, reason, detail, body, replayed_at, replay_outcome,
  encode(ledger_digest, 'hex') as ledger_digest, encode(received_digest, 'hex') as received_digest
from quarantine;

create view audit.usage_daily as
select day, tenant_id, requested_model, nullif(feature, '') as feature, outcome,
  sum(entries)::bigint as entries, sum(input_tokens)::numeric as input_tokens, sum(output_tokens)::numeric as output_tokens,
  major(sum(charge)) as charge, major(sum(cost)) as cost
from usage_rollups
group by day, tenant_id, requested_model, feature, outcome;
