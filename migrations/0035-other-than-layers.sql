-- A report by layer put fees and searches under the prompt: rollups sum what belongs to no layer of tokens.

-- What stands in a map of units and is no token comes to, at these prices times a factor in millionths, each rounded
-- half up. The outer function is inlined, so that text calls no function (see 0031).
create function sum_of_others(units jsonb, prices jsonb, factor numeric) returns numeric
language sql immutable parallel safe as $$
  select coalesce(sum(u.value::numeric * floor((2 * (prices ->> u.key)::numeric * factor + 1000000) / 2000000)), 0)
  from jsonb_each_text(units) u where u.key not like '%\_tokens'
$$;
create function other_units_amount(units jsonb, prices jsonb, factor numeric) returns numeric
language sql immutable parallel safe as $$
  select case when units is null then 0::numeric else sum_of_others(units, prices, factor) end
$$;

-- A part of a cost in the currency of its entry, by the rates with which the whole was converted. Output was paid in
-- the currency of the cost book, and its sum stood in that currency beside costs that were converted.
create function amount_by_rates(amount numeric, version text, cost_book text, cost_version timestamptz, currency text)
returns numeric language sql stable parallel safe as $$
  select round(amount * case when v.base = $5 then 1000000000000 else t.rate end
    / case when v.base = b.currency then 1000000000000 else f.rate end)
  from exchange_versions v
  join price_books b on b.book = cost_book and b.effective_from = cost_version
  left join exchange_rates t on t.version_id = v.version_id and t.currency = $5
  left join exchange_rates f on f.version_id = v.version_id and f.currency = b.currency
  where v.version_id = version::bigint
$$;
alter table usage_rollups add column other_charge numeric(38, 0) not null default 0,
  add column other_cost numeric(38, 0) not null default 0;
alter table run_usage add column other_charge numeric(38, 0) not null default 0,
  add column other_cost numeric(38, 0) not null default 0;

-- What was folded before this; a batch that waits is folded with them.
with priced as (
  select e.*, md5(row(e.kind, e.outcome, e.late, coalesce(e.provider, ''), e.requested_model, e.executed_model,
      coalesce(e.feature, ''), coalesce(e.prompt_version, ''), e.currency)::text)::uuid as usage_key,
    case when e.charge = 0 then 0 when e.charge_rate_id is null then e.charge
      else round(r.per_call * p.factor / 1000000000000) * e.call_share
        + other_units_amount(e.units, r.units, p.factor) end as other_charge,
    case when e.cost = 0 then 0 when e.cost_rate_id is null then e.cost
      when e.further_tags ? 'cost_exchange' then
        amount_by_rates(o.other, e.further_tags ->> 'cost_exchange', e.cost_book, e.cost_version, e.currency)
      else o.other end as other_cost,
    case when e.cost <> 0 and e.further_tags ? 'cost_exchange' then
      amount_by_rates(o.output, e.further_tags ->> 'cost_exchange', e.cost_book, e.cost_version, e.currency)
        - o.output end as more_output_cost
  from entries e
  left join price_rates r on r.rate_id = e.charge_rate_id
  left join price_books b on b.book = e.charge_book and b.effective_from = e.charge_version
  left join lateral (select case when r.book <> b.book then coalesce(b.cost_factor, b.base_factor, 1000000)
    else 1000000 end as factor) p on true
  left join price_rates k on k.rate_id = e.cost_rate_id
  left join lateral (
    select coalesce(e.output_tokens * k.output, 0) + output_units_amount(e.units, k.units, 1000000) as output,
      k.per_call / 1000000 * e.call_share + other_units_amount(e.units, k.units, 1000000) as other
  ) o on true
  where (e.charge <> 0 or e.cost <> 0)
    and (e.units is not null or r.per_call <> 0 or k.per_call <> 0 or e.charge_rate_id is null
      or e.cost_rate_id is null or e.further_tags ? 'cost_exchange')
    and not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / 1000000)
), sums as (
  select tenant_id, period_start, (occurred_at at time zone 'UTC')::date as day, usage_key,
    coalesce(agent_run_id, '') as agent_run_id, coalesce(user_id, '') as user_id,
    coalesce(sum(other_charge), 0) as other_charge, coalesce(sum(other_cost), 0) as other_cost,
    coalesce(sum(more_output_cost), 0) as more_output_cost
  from priced group by 1, 2, 3, 4, 5, 6
), run as (
  update run_usage r set other_charge = s.other_charge, other_cost = s.other_cost,
    output_cost = r.output_cost + s.more_output_cost
  from sums s where r.tenant_id = s.tenant_id and r.period_start = s.period_start and r.day = s.day
    and r.usage_key = s.usage_key and r.agent_run_id = s.agent_run_id and r.user_id = s.user_id
)
update usage_rollups u set other_charge = s.other_charge, other_cost = s.other_cost,
  output_cost = u.output_cost + s.more_output_cost
from (
  select tenant_id, period_start, day, usage_key, sum(other_charge) as other_charge, sum(other_cost) as other_cost,
    sum(more_output_cost) as more_output_cost
  from sums group by 1, 2, 3, 4
) s
where u.tenant_id = s.tenant_id and u.period_start = s.period_start and u.day = s.day and u.usage_key = s.usage_key;

create or replace view run_rollups with (security_invoker = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, r.cost, r.output_charge,
  r.output_cost, r.routing_gain, r.units, r.uncosted, r.uncosted_charge, r.not_due_charge, r.other_charge, r.other_cost
from run_usage r
join usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
  and u.usage_key = r.usage_key;
