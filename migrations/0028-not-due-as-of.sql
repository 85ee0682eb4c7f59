-- A period as of an instant says that nobody was to be told of it: what was closed for nothing, or in shadow, stays so.

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
    select count(*) as entries, trim_scale(coalesce(sum(o.charge), 0)) as charge, min(o.currency) as currency
    from audit.entries o
    where o.tenant_id = p.tenant_id and o.period_start = p.period_start and o.recorded_at <= at
      and (p.closed_at <= at) is not true
  ) e on true
  where p.closed_at <= at or e.entries > 0
$$;
