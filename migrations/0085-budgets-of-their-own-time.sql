-- A budget counts calls in the time in which they occurred, and no money without a call: what bills late counts in no month
-- after it, and an adjustment nowhere. The counters give back what was counted otherwise.

select pg_advisory_xact_lock(7226004);

update budget_counters c set spent = c.spent - o.spent
from (
  select b.budget_id,
    case b.per
      when 'day' then to_char(e.occurred_at at time zone b.time_zone, 'YYYY-MM-DD')
      when 'month' then to_char(e.period_start, 'YYYY-MM-DD')
      when 'run' then e.agent_run_id else '' end as time_key,
    sum(case b.measure when 'money' then coalesce(e.charge, 0)
      else e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens + e.output_tokens
        + units_within(e.units, 'input') + units_within(e.units, 'output') end) as spent
  from budgets b cross join lateral entries_of_tenant(b.tenant_id) e
  where (e.kind = 'adjustment' or (b.per = 'month' and e.late))
    and (b.feature = '' or e.feature = b.feature) and b.user_id = any (array['', e.user_id])
    and (b.agent_run_id = '' or e.agent_run_id = b.agent_run_id)
    and (b.tags = '{}' or e.further_tags @> b.tags)
    and (b.measure = 'tokens' or e.currency = b.currency) and (b.per <> 'run' or e.agent_run_id is not null)
    and case b.per when 'month' then e.period_start >= b.counts_from_period else e.occurred_at >= b.counts_from end
    and not exists (select from fold_queue f where f.batch_id = e.entry_id / 1000000)
  group by 1, 2
) o
where c.budget_id = o.budget_id and c.time_key = o.time_key;
