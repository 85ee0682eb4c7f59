-- An auditor sees of each closed period whether somebody was told, and which invoice bills it.

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
  t.mode,
  case
    when c.tenant_id is null then null
    when c.billable_micro = 0 or (t.mode = 'shadow' and i.intents = 0) then 'not_due'
    when i.confirmed < c.billable_micro then 'untold'
    when i.settled = c.billable_micro then 'settled'
    else 'told'
  end as told,
  v.invoice_id
from periods p
join tenants t on t.tenant_id = p.tenant_id
left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start
left join lateral (
  select sum(u.entries) as entries, sum(u.charge) as charge, min(u.currency) as currency
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
    -- Who was told by then has no history of its own.
    p.mode, null::text, null::text
  from audit.periods p
  left join lateral (
    select count(*) as entries, trim_scale(coalesce(sum(o.charge), 0)) as charge, min(o.currency) as currency
    from audit.entries o
    where o.tenant_id = p.tenant_id and o.period_start = p.period_start and o.recorded_at <= at
      and (p.closed_at <= at) is not true
  ) e on true
  where p.closed_at <= at or e.entries > 0
$$;
