-- Usage by day added up what a tenant was charged in two currencies, and took an unknown cost for none.

create or replace view audit.usage_daily as
select day, tenant_id, requested_model, nullif(feature, '') as feature, outcome,
  sum(entries)::bigint as entries, sum(input_tokens)::numeric as input_tokens, sum(output_tokens)::numeric as output_tokens,
  major(sum(charge)) as charge, case when sum(uncosted) = 0 then major(sum(cost)) end as cost, currency
from usage_rollups
group by day, tenant_id, requested_model, feature, outcome, currency;

-- An entry whose cost nobody knows counts as the rollups count it: its reversal takes it back, and an adjustment has none.
create or replace function audit.usage_daily_as_of(at timestamp with time zone)
 returns setof audit.usage_daily
 language sql
 stable parallel safe
as $$
  select (occurred_at at time zone 'UTC')::date, tenant_id, requested_model, nullif(feature, ''), outcome,
    count(*), sum(input_tokens), sum(output_tokens),
    trim_scale(coalesce(sum(charge), 0)),
    case when coalesce(sum(case when is_reversal then -1 else 1 end)
      filter (where cost is null and kind <> 'adjustment'), 0) = 0 then trim_scale(coalesce(sum(cost), 0)) end,
    currency
  from audit.entries_as_of(at)
  group by (occurred_at at time zone 'UTC')::date, tenant_id, requested_model, nullif(feature, ''), outcome, currency
$$;
