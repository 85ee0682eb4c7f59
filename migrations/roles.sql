-- Who may do what: not a migration. "spanledger migrate --roles" applies it after the migrations, in one
-- transaction, as often as it is run. The roles cannot log in; grant them to users that can.
--   spanledger_worker   runs "spanledger worker": posts, quarantines, folds, seals; changes nothing that is posted
--   spanledger_reader   reads the audit views and what they are made of, changes nothing: for auditors, who verify and reconcile
--   spanledger_tenant   reads one tenant's rows: its login's in tenant_logins, else the one that
--                       "set local spanledger.tenant" names, and none without either
-- Everything else (prices, tenants, closes, pushes, corrections) is done by the owner of the schema.

do $$
declare
  needed text;
begin
  foreach needed in array array['spanledger_worker', 'spanledger_reader', 'spanledger_tenant'] loop
    begin
      if not exists (select from pg_roles where rolname = needed) then
        execute format('create role %I nologin', needed);
      end if;
    exception when duplicate_object or unique_violation then
      -- Another database of this server makes them at the same time.
      null;
    end;
  end loop;
  -- COPY knows no row-level security: a role that copies must be above it. What it may touch, the grants say.
  if not (select rolbypassrls from pg_roles where rolname = 'spanledger_worker') then
    alter role spanledger_worker bypassrls;
  end if;
end $$;

-- Where tables are distributed, rights are given on one connection a node.
select set_config('citus.multi_shard_modify_mode', 'sequential', true);

-- The worker.
grant select, insert on entries, structure_spans, second_reports, unnamed_spans, batches, receipts, quarantine, seals,
  fold_queue, seal_queue, settle_queue to spanledger_worker;
-- A tenant that nobody knows is made in shadow: whom it is billed to, and how, is not a worker's to say. Neither is whether
-- a period is shut, and what after it is due.
do $$
declare
  narrowed text;
begin
  foreach narrowed in array array['tenants', 'periods'] loop
    if has_table_privilege('spanledger_worker', narrowed, 'insert') then
      execute format('revoke insert on %I from spanledger_worker', narrowed);
    end if;
  end loop;
end $$;
grant select, insert (tenant_id, created_at) on tenants to spanledger_worker;
grant select, insert (tenant_id, period_start, starts_at, ends_at, time_zone) on periods to spanledger_worker;
grant select, insert, update on usage_rollups, run_usage, ledger_rollups, exchange_rollups, ledger_exchange_rollups,
  budget_counters to spanledger_worker;
grant select, update, delete on budget_holds to spanledger_worker;
grant select, insert, update on kept_holds to spanledger_worker;
grant select, insert on unknown_holds to spanledger_worker;
grant select, insert, delete on run_steps to spanledger_worker;
grant select on budgets to spanledger_worker;
grant delete on fold_queue, seal_queue, change_queue, settle_queue to spanledger_worker;
grant select on change_queue to spanledger_worker;
-- It seals the journal by its digest, and reads nothing of it.
revoke execute on function changes_digest(bigint[]) from public;
-- A copy that was restored without its rights gives this one to everybody again, who could write a change without its row.
revoke execute on function keep_change() from public;
grant execute on function changes_digest(bigint[]) to spanledger_worker, spanledger_reader;
do $$ begin
  if has_table_privilege('spanledger_worker', 'changes', 'select') then
    revoke select on changes from spanledger_worker;
  end if;
end $$;
grant select on exchange_versions, exchange_rates, price_books, price_rates, tenant_price_books, default_price_books,
  tenant_calendar_changes, catalog_revisions, closes,
  run_rollups, batch_leaves, entry_leaves to spanledger_worker;
-- It sees by this whether the schema is as new as it is.
grant select on schema_migrations to spanledger_worker;

-- The reader. Views answer most questions; whoever is to verify the ledger, or to read a statement as it was made, reads
-- the tables themselves. The keys of the HTTP server and what was done by them are not among them.
grant usage on schema audit to spanledger_reader;
grant select on all tables in schema audit to spanledger_reader;
grant select on allocations, batches, budget_counters, budget_holds, budget_raises, budgets, catalog_revisions, change_queue,
  changes, closes, default_price_books, entries, exchange_rates, exchange_rollups, exchange_versions, fold_queue,
  kept_holds, ledger_exchange_rollups, ledger_name, ledger_rollups, month_run_steps,
  periods, price_books, price_rates, push_alerts, push_intents, quarantine, receipts, run_steps, run_usage, seal_queue, seals,
  second_reports, settle_queue, stripe_customers, stripe_invoices, stripe_meters, stripe_reads, structure_spans,
  tenant_calendar_changes, tenant_logins, tenant_price_books, tenants, unnamed_spans, usage_rollups, verifications,
  run_rollups, batch_leaves, entry_leaves, issuer to spanledger_reader;
-- A figure of Stripe's that is kept is believed by the next who asks: an auditor asks Stripe itself, and keeps none.
do $$ begin
  if has_table_privilege('spanledger_reader', 'stripe_reads', 'insert, update') then
    revoke insert, update on stripe_reads from spanledger_reader;
  end if;
end $$;

-- The tenant. Row by row its own, and of an entry the columns that its statement's proof shows: how a call was
-- served and what it cost us is not among them.
create schema if not exists tenant;
grant usage on schema tenant to spanledger_tenant;
grant select (tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, occurred_at, started_at,
  recorded_at, period_start, late, operation, requested_model, service_tier, gateway_cache, uncached_input_tokens,
  cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, call_share, usage_source, layer_prompt_tokens,
  layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, currency, charge_book, charge_version,
  charge_rate_id, user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id, attempt,
  corrects_entry_id, is_reversal, units, not_due) on entries to spanledger_tenant;
-- A share of a pool says there of how much it is one, which is what all others used.
revoke select (reason) on entries from spanledger_tenant;
grant select on closes, periods to spanledger_tenant;
grant select (tenant_id, mode, time_zone, anchor_day, stripe_customer, created_at, registered_at, left_at, name, address,
  contact) on tenants
  to spanledger_tenant;
grant select on tenant_calendar_changes, tenant_price_books to spanledger_tenant;
-- What heads its statements and bills them.
grant select on issuer to spanledger_tenant;
grant select (tenant_id, period_start, invoice_id, state, hosted_url) on stripe_invoices to spanledger_tenant;
grant select (tenant_id, per, feature, user_id, amount, currency, is_hard) on budgets to spanledger_tenant;
grant select (tenant_id, source, event_id, batch_id, operation, status, occurred_at, started_at, user_id, feature,
  agent_run_id, prompt_version, trace_id, span_id, parent_span_id) on structure_spans to spanledger_tenant;
grant select (tenant_id, period_start, day, usage_key, kind, outcome, late, requested_model, feature, prompt_version,
  currency, entries, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, tool_tokens, memory_tokens,
  charge, output_charge, units, not_due_charge, other_charge, layered_input_tokens, layered_output_tokens, tool_charge,
  memory_charge, uncharged) on usage_rollups to spanledger_tenant;
grant select (tenant_id, period_start, day, usage_key, agent_run_id, user_id, entries, input_tokens, cache_read_tokens,
  cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge, output_charge, units, not_due_charge, other_charge,
  layered_input_tokens, layered_output_tokens, tool_charge, memory_charge, uncharged) on run_usage
  to spanledger_tenant;
-- Numbers of batches, which tell nothing of anybody.
grant select on fold_queue to spanledger_tenant;
grant select (batch_id, recorded_at) on batches to spanledger_tenant;

do $$
declare
  guarded text;
begin
  foreach guarded in array array['entries', 'closes', 'periods', 'tenants', 'tenant_calendar_changes',
    'tenant_price_books', 'budgets', 'structure_spans', 'usage_rollups', 'run_usage', 'stripe_invoices'] loop
    -- Row-level security of a distributed table would be asked on the workers, which know no logins of tenants: there a
    -- tenant reads nothing of it, and its views read what own_entries, own_spans and own_runs give it.
    if is_distributed(guarded) then
      execute format('revoke select on %I from spanledger_tenant', guarded);
      continue;
    end if;
    if not (select relrowsecurity from pg_class where oid = guarded::regclass) then
      execute format('alter table %I enable row level security', guarded);
    end if;
    if not exists (select from pg_policies where tablename = guarded and policyname = 'tenant_rows') then
      execute format(
        'create policy tenant_rows on %I for select to spanledger_tenant '
        'using (tenant_id = (select session_tenant()))', guarded);
    elsif exists (select from pg_policies where tablename = guarded and policyname = 'tenant_rows'
        and qual not like '%session_tenant()%') then
      execute format('alter policy tenant_rows on %I using (tenant_id = (select session_tenant()))', guarded);
    end if;
    if not exists (select from pg_policies where tablename = guarded and policyname = 'reader_rows') then
      execute format('create policy reader_rows on %I for select to spanledger_reader using (true)', guarded);
    end if;
  end loop;
end $$;

-- A wall stands where a session's tenant is known, which is the coordinator: no node that keeps shards gets anything of it.
select set_config('citus.enable_ddl_propagation', 'off', true);

create or replace view tenant.entries with (security_invoker = true, security_barrier = true) as
select 'ent_' || entry_id as entry_id, kind, outcome, status, tenant_id, source, event_id, nullif(member_id, '') as member_id,
  occurred_at, recorded_at, period_start, late, operation, requested_model, service_tier, gateway_cache,
  uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input_tokens,
  cache_read_tokens + units_within(units, 'cache_read') as cache_read_tokens,
  cache_write_tokens + units_within(units, 'cache_write') as cache_write_tokens,
  output_tokens + units_within(units, 'output') as output_tokens, reasoning_tokens, major(charge) as charge, currency, charge_book, charge_version, user_id, feature,
  agent_run_id, prompt_version, trace_id, span_id, parent_span_id, attempt,
  'ent_' || corrects_entry_id as corrects_entry_id, is_reversal, units, not_due is true as not_due
from entries;

create or replace view tenant.periods with (security_invoker = true, security_barrier = true) as
select p.tenant_id, p.period_start, p.starts_at, p.ends_at, p.time_zone,
  case when c.tenant_id is null then 'open' else 'closed' end as state,
  c.entries, major(c.charge_exact) as charge_exact, major(c.carried_in) as carried_in,
  trim_scale(c.billable_micro * 0.000001) as billable, major(c.carried_out) as carried_out,
  trim_scale(c.charge_total * minor_unit(c.currency)) as charge_total, c.currency,
  c.manifest_hash, c.closed_at
from periods p left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start;

grant select on all tables in schema tenant to spanledger_tenant;

-- The wall. The HTTP server answers a tenant's key with these views in front of the tables of the same names, so that
-- every question is asked as of the whole ledger and finds the tenant's own rows, without what it may not see.
create schema if not exists wall;
grant usage on schema wall to spanledger_tenant;

-- The owner's view, since of the reason and of the tags a tenant reads no more than what stands here.
create or replace view wall.entries with (security_barrier = true) as
select tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, null::text as error_type,
  occurred_at, started_at, recorded_at, period_start, late, operation, null::text as provider, requested_model,
  requested_model as executed_model, null::text as response_id, service_tier, gateway_cache, uncached_input_tokens,
  cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, call_share, usage_source, layer_prompt_tokens,
  layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, null::numeric as cost,
  null::numeric as requested_cost, currency, charge_book, charge_version, charge_rate_id, null::text as cost_book,
  null::timestamptz as cost_version, null::bigint as cost_rate_id, user_id, feature, agent_run_id, prompt_version,
  -- Of the tags only what the ledger itself says of the layers, which a statement tells.
  case further_tags ->> 'layers_source' when 'scaled' then '{"layers_source": "scaled"}'::jsonb end as further_tags,
  trace_id, span_id, parent_span_id, attempt, corrects_entry_id, is_reversal,
  -- Why its bill was changed is the customer's to know; of how much a share of a pool is says what all others used.
  case when kind = 'allocation' then regexp_replace(reason,
      ': [0-9.]+ of [0-9.]+ (calls|weighted tokens|of direct cost), remainder place [0-9]+, rounded (up|down)$', '')
    when kind <> 'usage' then reason end as reason, null::text as actor, units, null::numeric as reported_cost,
  null::text as reported_cost_currency, null::text as reported_cost_source, null::text as call_id, not_due
from public.entries where tenant_id = (select session_tenant());

create or replace view wall.structure_spans with (security_invoker = true, security_barrier = true) as
select tenant_id, source, event_id, batch_id, operation, status, null::text as error_type, occurred_at, started_at,
  user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id
from structure_spans;

create or replace view wall.usage_rollups with (security_invoker = true, security_barrier = true) as
select tenant_id, period_start, day, usage_key, kind, outcome, late, ''::text as provider, requested_model,
  requested_model as executed_model, feature, prompt_version, currency, entries, input_tokens, cache_read_tokens,
  cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge, 0::numeric as cost, output_charge,
  0::numeric as output_cost, 0::numeric as routing_gain, units, entries as uncosted, charge as uncosted_charge,
  not_due_charge, other_charge, 0::numeric as other_cost, layered_input_tokens, layered_output_tokens, tool_charge,
  memory_charge, 0::numeric as tool_cost, 0::numeric as memory_cost, uncharged, 0::numeric as uncharged_cost
from usage_rollups;

create or replace view wall.run_rollups with (security_invoker = true, security_barrier = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, 0::numeric as cost, r.output_charge,
  0::numeric as output_cost, 0::numeric as routing_gain, r.units, r.entries as uncosted, r.charge as uncosted_charge,
  r.not_due_charge, r.other_charge, 0::numeric as other_cost, r.layered_input_tokens, r.layered_output_tokens,
  r.tool_charge, r.memory_charge, 0::numeric as tool_cost, 0::numeric as memory_cost, r.uncharged,
  0::numeric as uncharged_cost
from run_usage r
  join wall.usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
    and u.usage_key = r.usage_key;

create or replace view wall.ledger_rollups with (security_invoker = true, security_barrier = true) as
select period_start, day, kind, outcome, provider, requested_model, executed_model, feature, currency,
  true as is_attributed, entries, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, tool_tokens,
  memory_tokens, charge, not_due_charge, cost, output_charge, output_cost, other_charge, other_cost, routing_gain,
  uncosted, uncosted_charge, layered_input_tokens, layered_output_tokens, tool_charge, memory_charge, tool_cost,
  memory_cost, uncharged, uncharged_cost
from wall.usage_rollups;

-- How much of the charge of its entries is of which layer. Rates say so, and rates are kept from a tenant, since a price
-- may be a factor over a cost: the owner's view reads them, and shows sums of charges alone, as usage_rollups do.
create or replace view wall.charge_shares with (security_barrier = true) as
select tenant_id, entry_id, case when has_layers then output end as output_charge,
  case when has_layers then other else due end as other_charge,
  case when tool <> 0 then div((due - output - other) * tool, nullif(input, 0)) end as tool_charge,
  case when memory <> 0 then div((due - output - other) * memory, nullif(input, 0)) end as memory_charge, period_start
from (
  select e.tenant_id, e.entry_id, e.period_start, d.due, e.layer_prompt_tokens is not null and d.due <> 0 as has_layers,
    e.layer_tool_tokens as tool, e.layer_memory_tokens as memory,
    e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens + units_within(e.units, 'input') as input,
    case when d.due <> 0 then coalesce(e.output_tokens * p.output, 0)
      + output_units_amount(e.units, r.units, p.factor) else 0 end as output,
    case when d.due = 0 then 0 when e.charge_rate_id is null then d.due
      else round(r.per_call * p.factor / 1000000000000) * e.call_share
        + other_units_amount(e.units, r.units, p.factor) end as other
  from public.entries e
    cross join lateral (select case when e.not_due is null then coalesce(e.charge, 0) else 0 end as due) d
    left join public.price_rates r on r.rate_id = e.charge_rate_id
    left join public.price_books b on b.book = e.charge_book and b.effective_from = e.charge_version
    left join lateral (
      select f.factor, floor((2 * r.output * f.factor + 1000000) / 2000000) as output
      from (select case when r.book <> b.book then coalesce(b.cost_factor, b.base_factor, 1000000)
        else 1000000 end as factor) f
    ) p on true
  where e.tenant_id = (select session_tenant())
) s;

create or replace view wall.budgets with (security_invoker = true, security_barrier = true) as
select tenant_id, per, feature, user_id, amount, currency, is_hard from budgets;

create or replace view wall.shown_periods with (security_invoker = true, security_barrier = true) as
select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
  case when c.tenant_id is null then 'open' else 'closed' end as state,
  coalesce(c.entries, r.entries, 0)::bigint as entries, major(coalesce(c.charge_exact, r.charge, 0)) as charge_exact,
  major(c.carried_in) as carried_in, trim_scale(c.billable_micro * 0.000001) as billable,
  major(c.carried_out) as carried_out, trim_scale(c.charge_total * minor_unit(c.currency)) as charge_total,
  coalesce(c.currency, r.currency) as currency, c.manifest_hash, c.closed_at, coalesce(c.mode, p.mode, t.mode) as mode,
  null::text as told, null::text as invoice_id
from periods p
  join tenants t on t.tenant_id = p.tenant_id
  left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start
  left join lateral (
    select sum(u.entries) as entries, sum(u.charge - u.not_due_charge) as charge, min(u.currency) as currency from wall.usage_rollups u
    where u.tenant_id = p.tenant_id and u.period_start = p.period_start) r on c.tenant_id is null;

grant select on all tables in schema wall to spanledger_tenant;

-- Whoever makes the roles may work as the tenant: the HTTP server does, for the time of a question.
grant spanledger_tenant to current_user;

-- What is looked up behind the wall is looked up in what stands there.
do $$
declare
  look_up record;
begin
  perform set_config('check_function_bodies', 'off', true);
  for look_up in
    select pg_get_functiondef(p.oid) as text from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proretset and not p.prosecdef
      and p.prorettype in ('entries'::regtype, 'structure_spans'::regtype)
  loop
    execute regexp_replace(regexp_replace(regexp_replace(look_up.text, 'FUNCTION public\.', 'FUNCTION wall.'),
      'RETURNS SETOF (public\.)?', 'RETURNS SETOF wall.'), '\mfrom (entries|structure_spans)\M', 'from wall.\1');
  end loop;
end $$;

-- Where the entries are distributed, the views of a tenant read its own rows as the owner does.
do $$
declare
  over_entries record;
begin
  if is_distributed('entries') then
    execute 'create or replace function own_entries() returns setof entries language plpgsql stable security definer
      set search_path = public, pg_temp as ''declare own text := session_tenant();
      begin return query select * from entries where tenant_id = own; end''';
    execute 'create or replace function own_spans() returns setof structure_spans language plpgsql stable security definer
      set search_path = public, pg_temp as ''declare own text := session_tenant();
      begin return query select * from structure_spans where tenant_id = own; end''';
    execute 'create or replace function own_runs() returns setof run_usage language plpgsql stable security definer
      set search_path = public, pg_temp as ''declare own text := session_tenant();
      begin return query select * from run_usage where tenant_id = own; end''';
    revoke execute on function own_entries(), own_spans(), own_runs() from public;
    grant execute on function own_entries(), own_spans(), own_runs() to spanledger_tenant;
    for over_entries in
      select c.oid::regclass as name, array_to_string(c.reloptions, ', ') as options, pg_get_viewdef(c.oid) as text
      from pg_class c where c.oid in ('tenant.entries'::regclass, 'wall.entries'::regclass,
        'wall.structure_spans'::regclass, 'wall.charge_shares'::regclass, 'wall.run_rollups'::regclass)
    loop
      execute format('create or replace view %s with (%s) as %s', over_entries.name, over_entries.options,
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(over_entries.text,
          '(FROM \(*)entries(?= e\M)', '\1own_entries()'), '(FROM \(*)entries\M', '\1own_entries() entries'),
          '(FROM \(*)structure_spans\M', '\1own_spans() structure_spans'),
          '(FROM \(*)run_usage(?= r\M)', '\1own_runs()'));
    end loop;
  end if;
end $$;
