-- An unknown cost is unknown in every sum: rollups count the entries that no cost is known of, and what those charge.

alter table usage_rollups add column uncosted bigint not null default 0,
  add column uncosted_charge numeric(38, 0) not null default 0;
alter table run_usage add column uncosted bigint not null default 0,
  add column uncosted_charge numeric(38, 0) not null default 0;

-- What was folded before this; a batch that waits is folded with them.
with known as (
  select e.*, md5(row(e.kind, e.outcome, e.late, coalesce(e.provider, ''), e.requested_model, e.executed_model,
    coalesce(e.feature, ''), coalesce(e.prompt_version, ''), e.currency)::text)::uuid as usage_key
  from entries e
  where e.cost is null and e.kind <> 'adjustment'
    and not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / 1000000)
), sums as (
  select tenant_id, period_start, (occurred_at at time zone 'UTC')::date as day, usage_key,
    coalesce(agent_run_id, '') as agent_run_id, coalesce(user_id, '') as user_id,
    sum(case when is_reversal then -1 else 1 end) as uncosted, coalesce(sum(charge), 0) as uncosted_charge
  from known group by 1, 2, 3, 4, 5, 6
), run as (
  update run_usage r set uncosted = s.uncosted, uncosted_charge = s.uncosted_charge
  from sums s where r.tenant_id = s.tenant_id and r.period_start = s.period_start and r.day = s.day
    and r.usage_key = s.usage_key and r.agent_run_id = s.agent_run_id and r.user_id = s.user_id
)
update usage_rollups u set uncosted = s.uncosted, uncosted_charge = s.uncosted_charge
from (
  select tenant_id, period_start, day, usage_key, sum(uncosted) as uncosted, sum(uncosted_charge) as uncosted_charge
  from sums group by 1, 2, 3, 4
) s
where u.tenant_id = s.tenant_id and u.period_start = s.period_start and u.day = s.day and u.usage_key = s.usage_key;

create or replace view run_rollups with (security_invoker = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, r.cost, r.output_charge,
  r.output_cost, r.routing_gain, r.units, r.uncosted, r.uncosted_charge
from run_usage r
join usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
  and u.usage_key = r.usage_key;
