-- A report by layer shared out what models of different prices and outcomes came to together, so that a token of a failed
-- or cheap call took the money of a dear one, and corrections that nearly cancelled out divided by almost nothing. Each
-- entry's own layers are summed instead. What has no layers, and what is not due, belongs to no layer.

-- No default: the fold of the version before, which would leave them at zero unseen, is refused. The shards of a
-- distributed table get their columns with one.
alter table usage_rollups
  add column layered_input_tokens numeric(38, 0) not null default 0,
  add column layered_output_tokens numeric(38, 0) not null default 0,
  add column tool_charge numeric(38, 0) not null default 0,
  add column memory_charge numeric(38, 0) not null default 0,
  add column tool_cost numeric(38, 0) not null default 0,
  add column memory_cost numeric(38, 0) not null default 0,
  -- Entries that wait for a price or for their usage, and what is known of their cost.
  add column uncharged bigint not null default 0,
  add column uncharged_cost numeric(38, 0) not null default 0;
alter table run_usage
  add column layered_input_tokens numeric(38, 0) not null default 0,
  add column layered_output_tokens numeric(38, 0) not null default 0,
  add column tool_charge numeric(38, 0) not null default 0,
  add column memory_charge numeric(38, 0) not null default 0,
  add column tool_cost numeric(38, 0) not null default 0,
  add column memory_cost numeric(38, 0) not null default 0,
  add column uncharged bigint not null default 0,
  add column uncharged_cost numeric(38, 0) not null default 0;
alter table ledger_rollups
  add column layered_input_tokens numeric(38, 0) not null default 0,
  add column layered_output_tokens numeric(38, 0) not null default 0,
  add column tool_charge numeric(38, 0) not null default 0,
  add column memory_charge numeric(38, 0) not null default 0,
  add column tool_cost numeric(38, 0) not null default 0,
  add column memory_cost numeric(38, 0) not null default 0,
  add column uncharged bigint not null default 0,
  add column uncharged_cost numeric(38, 0) not null default 0;
alter table usage_rollups
  alter column layered_input_tokens drop default, alter column layered_output_tokens drop default,
  alter column tool_charge drop default, alter column memory_charge drop default, alter column tool_cost drop default,
  alter column memory_cost drop default, alter column uncharged drop default, alter column uncharged_cost drop default;

-- What was folded before this: nothing of it has a layer, but for the entries that have them. A batch that waits is folded
-- with them.
update run_usage set output_charge = 0, output_cost = 0, other_charge = charge - not_due_charge, other_cost = cost;

create temporary table of_entries on commit drop as
with priced as (
  select e.tenant_id, e.period_start, (e.occurred_at at time zone 'UTC')::date as day, e.is_reversal, e.outcome, e.cost,
    md5(row(e.kind, e.outcome, e.late, coalesce(e.provider, ''), e.requested_model, e.executed_model,
      coalesce(e.feature, ''), coalesce(e.prompt_version, ''), e.currency)::text)::uuid as usage_key,
    coalesce(e.agent_run_id, '') as agent_run_id, coalesce(e.user_id, '') as user_id,
    e.layer_prompt_tokens is not null as has_layers, e.layer_tool_tokens as tool, e.layer_memory_tokens as memory,
    e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens + units_within(e.units, 'input') as input,
    e.output_tokens + units_within(e.units, 'output') as output,
    case when e.not_due is null then coalesce(e.charge, 0) else 0 end as due,
    case when e.not_due or e.charge = 0 then 0
      else coalesce(e.output_tokens * p.output, 0) + output_units_amount(e.units, r.units, p.factor) end as output_charge,
    case when e.not_due or e.charge = 0 then 0 when e.charge_rate_id is null then coalesce(e.charge, 0)
      else round(r.per_call * p.factor / 1000000000000) * e.call_share
        + other_units_amount(e.units, r.units, p.factor) end as other_charge,
    case when e.cost is null or e.cost = 0 then 0
      when e.further_tags ? 'cost_exchange' then
        amount_by_rates(o.output, e.further_tags ->> 'cost_exchange', e.cost_book, e.cost_version, e.currency)
      else o.output end as output_cost,
    case when e.cost is null or e.cost = 0 then 0 when e.cost_rate_id is null then e.cost
      when e.further_tags ? 'cost_exchange' then
        amount_by_rates(o.other, e.further_tags ->> 'cost_exchange', e.cost_book, e.cost_version, e.currency)
      else o.other end as other_cost
  from entries_of_ledger() e
  left join price_rates r on r.rate_id = e.charge_rate_id
  left join price_books b on b.book = e.charge_book and b.effective_from = e.charge_version
  left join lateral (
    select f.factor, floor((2 * r.output * f.factor + 1000000) / 2000000) as output
    from (select case when r.book <> b.book then coalesce(b.cost_factor, b.base_factor, 1000000)
      else 1000000 end as factor) f
  ) p on true
  left join price_rates k on k.rate_id = e.cost_rate_id
  left join lateral (
    select coalesce(e.output_tokens * k.output, 0) + output_units_amount(e.units, k.units, 1000000) as output,
      div(k.per_call, 1000000) * e.call_share + other_units_amount(e.units, k.units, 1000000) as other
  ) o on true
  where (e.layer_prompt_tokens is not null or e.outcome in ('unrated', 'unmeasured'))
    and not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / 1000000)
)
select tenant_id, period_start, day, usage_key, agent_run_id, user_id,
  coalesce(sum(input) filter (where has_layers), 0) as layered_input_tokens,
  coalesce(sum(output) filter (where has_layers), 0) as layered_output_tokens,
  coalesce(sum(div((due - output_charge - other_charge) * tool, nullif(input, 0))) filter (where tool <> 0), 0) as tool_charge,
  coalesce(sum(div((due - output_charge - other_charge) * memory, nullif(input, 0))) filter (where memory <> 0), 0)
    as memory_charge,
  coalesce(sum(div((coalesce(cost, 0) - output_cost - other_cost) * tool, nullif(input, 0))) filter (where tool <> 0), 0)
    as tool_cost,
  coalesce(sum(div((coalesce(cost, 0) - output_cost - other_cost) * memory, nullif(input, 0))) filter (where memory <> 0), 0)
    as memory_cost,
  coalesce(sum(output_charge) filter (where has_layers), 0) as output_charge,
  coalesce(sum(output_cost) filter (where has_layers), 0) as output_cost,
  coalesce(sum(due - other_charge) filter (where has_layers), 0) as layered_charge,
  coalesce(sum(coalesce(cost, 0) - other_cost) filter (where has_layers), 0) as layered_cost,
  coalesce(sum(case when is_reversal then -1 else 1 end) filter (where outcome in ('unrated', 'unmeasured')), 0)::bigint
    as uncharged,
  coalesce(sum(cost) filter (where outcome in ('unrated', 'unmeasured')), 0) as uncharged_cost
from priced group by 1, 2, 3, 4, 5, 6;

-- Every row is there already; so one statement writes to the shards of a distributed table, too.
insert into run_usage as r (tenant_id, period_start, day, usage_key, agent_run_id, user_id, entries, input_tokens,
  cache_read_tokens, cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge, cost, routing_gain,
  layered_input_tokens, layered_output_tokens, tool_charge, memory_charge, tool_cost, memory_cost, output_charge,
  output_cost, other_charge, other_cost, uncharged, uncharged_cost)
select tenant_id, period_start, day, usage_key, agent_run_id, user_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  layered_input_tokens, layered_output_tokens, tool_charge, memory_charge, tool_cost, memory_cost, output_charge,
  output_cost, layered_charge, layered_cost, uncharged, uncharged_cost
from of_entries
on conflict (tenant_id, period_start, day, usage_key, agent_run_id, user_id) do update set
  layered_input_tokens = excluded.layered_input_tokens, layered_output_tokens = excluded.layered_output_tokens,
  tool_charge = excluded.tool_charge, memory_charge = excluded.memory_charge, tool_cost = excluded.tool_cost,
  memory_cost = excluded.memory_cost, output_charge = excluded.output_charge, output_cost = excluded.output_cost,
  other_charge = r.other_charge - excluded.other_charge, other_cost = r.other_cost - excluded.other_cost,
  uncharged = excluded.uncharged, uncharged_cost = excluded.uncharged_cost;

update usage_rollups set output_charge = 0, output_cost = 0, other_charge = charge - not_due_charge, other_cost = cost;
update usage_rollups u set layered_input_tokens = s.layered_input_tokens, layered_output_tokens = s.layered_output_tokens,
  tool_charge = s.tool_charge, memory_charge = s.memory_charge, tool_cost = s.tool_cost, memory_cost = s.memory_cost,
  output_charge = s.output_charge, output_cost = s.output_cost, other_charge = u.other_charge - s.layered_charge,
  other_cost = u.other_cost - s.layered_cost, uncharged = s.uncharged, uncharged_cost = s.uncharged_cost
from (
  select tenant_id, period_start, day, usage_key, sum(layered_input_tokens) as layered_input_tokens,
    sum(layered_output_tokens) as layered_output_tokens, sum(tool_charge) as tool_charge,
    sum(memory_charge) as memory_charge, sum(tool_cost) as tool_cost, sum(memory_cost) as memory_cost,
    sum(output_charge) as output_charge, sum(output_cost) as output_cost, sum(layered_charge) as layered_charge,
    sum(layered_cost) as layered_cost, sum(uncharged)::bigint as uncharged, sum(uncharged_cost) as uncharged_cost
  from of_entries group by 1, 2, 3, 4
) s
where u.tenant_id = s.tenant_id and u.period_start = s.period_start and u.day = s.day and u.usage_key = s.usage_key;

update ledger_rollups l set layered_input_tokens = s.layered_input_tokens,
  layered_output_tokens = s.layered_output_tokens, tool_charge = s.tool_charge, memory_charge = s.memory_charge,
  tool_cost = s.tool_cost, memory_cost = s.memory_cost, output_charge = s.output_charge, output_cost = s.output_cost,
  other_charge = s.other_charge, other_cost = s.other_cost, uncharged = s.uncharged, uncharged_cost = s.uncharged_cost
from (
  select period_start, day, kind, outcome, provider, requested_model, executed_model, feature, currency,
    tenant_id <> 'unattributed' as is_attributed, sum(layered_input_tokens) as layered_input_tokens,
    sum(layered_output_tokens) as layered_output_tokens, sum(tool_charge) as tool_charge,
    sum(memory_charge) as memory_charge, sum(tool_cost) as tool_cost, sum(memory_cost) as memory_cost,
    sum(output_charge) as output_charge, sum(output_cost) as output_cost, sum(other_charge) as other_charge,
    sum(other_cost) as other_cost, sum(uncharged)::bigint as uncharged, sum(uncharged_cost) as uncharged_cost
  from usage_rollups group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
) s
where l.period_start = s.period_start and l.day = s.day and l.ledger_key = md5(row(s.kind, s.outcome, s.provider,
  s.requested_model, s.executed_model, s.feature, s.currency, s.is_attributed)::text)::uuid;

create or replace view run_rollups with (security_invoker = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, r.cost, r.output_charge,
  r.output_cost, r.routing_gain, r.units, r.uncosted, r.uncosted_charge, r.not_due_charge, r.other_charge, r.other_cost,
  r.layered_input_tokens, r.layered_output_tokens, r.tool_charge, r.memory_charge, r.tool_cost, r.memory_cost,
  r.uncharged, r.uncharged_cost
from run_usage r
join usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
  and u.usage_key = r.usage_key;
