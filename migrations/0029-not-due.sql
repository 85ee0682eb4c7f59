-- What belongs to a month that was closed in shadow is never due (R19): its late usage and its corrections say so
-- themselves, so that no later bill can take them in.

-- ---------------------------------------------------------------------------------------------------
-- A period has the mode of its tenant from the moment in which it is shut

alter table periods add column mode text check (mode in ('shadow', 'live'));

alter table periods disable trigger periods_only_move_on;
update periods p set mode = coalesce(
  (select c.mode from closes c where c.tenant_id = p.tenant_id and c.period_start = p.period_start),
  (select t.mode from tenants t where t.tenant_id = p.tenant_id))
where p.state <> 'open';
alter table periods enable trigger periods_only_move_on;

-- Whoever shuts a period freezes the mode with it, and nobody changes it afterwards.
create or replace function guard_period() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a period is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start) is distinct from (new.tenant_id, new.period_start)
     or array_position(array['open', 'shut', 'closed'], new.state)
        < array_position(array['open', 'shut', 'closed'], old.state)
     or (old.starts_at, old.ends_at, old.time_zone) is distinct from (new.starts_at, new.ends_at, new.time_zone)
        and not ((old.starts_at, old.time_zone) = (new.starts_at, new.time_zone)
          and old.state = 'open' and new.state = 'open' and new.ends_at < old.ends_at)
        and exists (select 1 from periods p where p.tenant_id = old.tenant_id and p.state <> 'open') then
    raise exception 'period % of % may only move from open to shut to closed', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  if old.state <> 'open' and old.mode is distinct from new.mode then
    raise exception 'the mode of period % of % is frozen', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  if old.state = 'open' and new.state <> 'open' then
    new.mode := (select t.mode from tenants t where t.tenant_id = new.tenant_id);
  end if;
  return new;
end $$;

-- ---------------------------------------------------------------------------------------------------
-- Entries

-- Null for everything that is due, so that nearly every entry pays nothing for it.
alter table entries
  add column not_due boolean,
  add constraint only_late_entries_are_not_due check (not_due is null or (not_due and late));

-- Columns that came later stand at the end of the text; where the last of them are null, they leave no trace.
create or replace function entry_shown(e entries) returns text language sql stable parallel safe as $$
  select array_to_string(array[
    copy_text(e.tenant_id), copy_text(e.source), copy_text(e.event_id), copy_text(e.member_id), e.revision::text,
    e.entry_id::text, e.kind, e.outcome, e.status, copy_instant(e.occurred_at), copy_instant(e.started_at),
    copy_instant(e.recorded_at), to_char(e.period_start, 'YYYY-MM-DD'), copy_boolean(e.late), copy_text(e.operation),
    copy_text(e.requested_model), copy_text(e.service_tier), copy_text(e.gateway_cache), e.uncached_input_tokens::text,
    e.cache_read_tokens::text, e.cache_write_tokens::text, e.output_tokens::text, e.reasoning_tokens::text,
    e.call_share::text, e.usage_source, e.layer_prompt_tokens::text, e.layer_tool_tokens::text,
    e.layer_memory_tokens::text, e.layer_response_tokens::text, e.charge::text, copy_text(e.currency),
    copy_text(e.charge_book), copy_instant(e.charge_version), e.charge_rate_id::text, copy_text(e.user_id),
    copy_text(e.feature), copy_text(e.agent_run_id), copy_text(e.prompt_version), copy_text(e.trace_id),
    copy_text(e.span_id), copy_text(e.parent_span_id), e.attempt::text, e.corrects_entry_id::text,
    copy_boolean(e.is_reversal)], e'\t', '\N')
    || case when e.not_due is null then coalesce(e'\t' || copy_text(e.units::text), '')
      else e'\t' || coalesce(copy_text(e.units::text), '\N') || e'\t' || copy_boolean(e.not_due) end
$$;

create or replace view entry_leaves as
select e.tenant_id, e.period_start, e.entry_id, b.batch_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from entries e join batches b on b.batch_id = e.entry_id / 1000000;

create or replace view batch_leaves as
select b.batch_id, e.entry_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from batches b cross join lateral (
  select * from entries n where n.entry_id >= b.batch_id * 1000000 and n.entry_id < (b.batch_id + 1) * 1000000 offset 0
) e;

-- ---------------------------------------------------------------------------------------------------
-- Rollups: what of a charge is not due

alter table usage_rollups add column not_due_charge numeric(38, 0) not null default 0;
alter table run_usage add column not_due_charge numeric(38, 0) not null default 0;

create or replace view run_rollups with (security_invoker = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, r.cost, r.output_charge,
  r.output_cost, r.routing_gain, r.units, r.uncosted, r.uncosted_charge, r.not_due_charge
from run_usage r
join usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
  and u.usage_key = r.usage_key;

-- ---------------------------------------------------------------------------------------------------
-- What auditors read: the exact charge of a period is what is due in it

create or replace view audit.entries as
select 'ent_' || entry_id as entry_id, kind, outcome, tenant_id, source, event_id, nullif(member_id, '') as member_id,
  occurred_at, recorded_at, period_start, late, provider, requested_model, executed_model, service_tier, gateway_cache,
  uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input_tokens,
  cache_read_tokens + units_within(units, 'cache_read') as cache_read_tokens,
  cache_write_tokens + units_within(units, 'cache_write') as cache_write_tokens,
  output_tokens + units_within(units, 'output') as output_tokens, reasoning_tokens,
  major(charge) as charge, major(cost) as cost, currency, charge_book, charge_version,
  user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id, attempt,
  'ent_' || corrects_entry_id as corrects_entry_id, reason,
  operation, status, error_type, response_id, usage_source, cost_book, cost_version, actor, is_reversal, revision,
  units, major(reported_cost) as reported_cost, reported_cost_currency, reported_cost_source, call_id,
  not_due is true as not_due
from entries;

create or replace view audit.periods as
select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
  case when c.tenant_id is null then 'open' else 'closed' end as state,
  coalesce(c.entries, r.entries, 0)::bigint as entries,
  major(coalesce(c.charge_exact, r.charge, 0)) as charge_exact,
  major(c.carried_in) as carried_in,
  trim_scale(c.billable_micro * 0.000001) as billable,
  major(c.carried_out) as carried_out,
  trim_scale(c.charge_total * minor_unit(c.currency)) as charge_total,
  coalesce(c.currency, r.currency) as currency, c.manifest_hash, c.closed_at,
  coalesce(c.mode, p.mode, t.mode) as mode,
  case
    when c.tenant_id is null then null
    when c.billable_micro = 0 or (c.mode = 'shadow' and i.intents = 0) then 'not_due'
    when i.confirmed < c.billable_micro then 'untold'
    when i.settled = c.billable_micro then 'settled'
    else 'told'
  end as told,
  v.invoice_id
from periods p
join tenants t on t.tenant_id = p.tenant_id
left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start
left join lateral (
  select sum(u.entries) as entries, sum(u.charge - u.not_due_charge) as charge, min(u.currency) as currency
  from usage_rollups u where u.tenant_id = p.tenant_id and u.period_start = p.period_start
) r on c.tenant_id is null
left join lateral (
  select count(*) as intents,
    coalesce(sum(n.value_micro) filter (where n.state = 'confirmed'), 0) as confirmed,
    coalesce(sum(n.value_micro) filter (where n.state = 'confirmed' and n.destination = 'settled'), 0) as settled
  from push_intents n where n.tenant_id = p.tenant_id and n.period_start = p.period_start
) i on c.tenant_id is not null
-- The one that bills most where there are several: a final one before a draft.
left join lateral (
  select s.invoice_id from stripe_invoices s
  where s.tenant_id = p.tenant_id and s.period_start = p.period_start and s.state not in ('gone', 'void')
  order by s.state = 'finalized' desc, s.quantity desc nulls last, s.invoice_id limit 1
) v on c.tenant_id is not null;

create or replace function audit.periods_as_of(at timestamptz) returns setof audit.periods
language sql stable parallel safe as $$
  select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
    case when p.closed_at <= at then 'closed' else 'open' end,
    case when p.closed_at <= at then p.entries else e.entries end,
    case when p.closed_at <= at then p.charge_exact else e.charge end,
    case when p.closed_at <= at then p.carried_in end,
    case when p.closed_at <= at then p.billable end,
    case when p.closed_at <= at then p.carried_out end,
    case when p.closed_at <= at then p.charge_total end,
    case when p.closed_at <= at then p.currency else e.currency end,
    case when p.closed_at <= at then p.manifest_hash end,
    case when p.closed_at <= at then p.closed_at end,
    p.mode,
    -- The close decides that nothing is due. When somebody was told has no history of its own.
    case when p.closed_at <= at and p.told = 'not_due' then 'not_due' end,
    null::text
  from audit.periods p
  left join lateral (
    select count(*) as entries, trim_scale(coalesce(sum(o.charge) filter (where not o.not_due), 0)) as charge, min(o.currency) as currency
    from audit.entries o
    where o.tenant_id = p.tenant_id and o.period_start = p.period_start and o.recorded_at <= at
      and (p.closed_at <= at) is not true
  ) e on true
  where p.closed_at <= at or e.entries > 0
$$;
