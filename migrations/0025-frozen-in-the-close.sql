-- A close freezes the mode and the customer of its tenant beside its manifest: what was closed in shadow is never told later.

alter table closes
  add column mode text check (mode in ('shadow', 'live')),
  add column stripe_customer text,
  -- Whether only a remainder of the same mode and currency was carried in; not so in closes of before.
  add column carries_apart boolean not null default false;
alter table closes alter column carries_apart set default true;

-- Whatever was told was live; of the rest nobody knows more than the mode of today.
alter table closes disable trigger closes_are_append_only;
update closes c set
  mode = case when exists (select 1 from push_intents i where i.tenant_id = c.tenant_id and i.period_start = c.period_start)
    then 'live' else t.mode end,
  stripe_customer = coalesce((select min(i.stripe_customer) from push_intents i
    where i.tenant_id = c.tenant_id and i.period_start = c.period_start), t.stripe_customer)
from tenants t where t.tenant_id = c.tenant_id;
alter table closes enable trigger closes_are_append_only;
alter table closes alter column mode set not null;

-- A period that a close of before shut and then refused, for its two currencies, takes entries again.
alter table periods disable trigger periods_only_move_on;
update periods set state = 'open' where state = 'shut';
alter table periods enable trigger periods_only_move_on;

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
  coalesce(c.mode, t.mode) as mode,
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

-- While none of a tenant's periods was shut, its calendar may be put right: the bounds of an open period move with it.
create or replace function guard_period() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a period is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start) is distinct from (new.tenant_id, new.period_start)
     or array_position(array['open', 'shut', 'closed'], new.state)
        < array_position(array['open', 'shut', 'closed'], old.state)
     or (old.starts_at, old.ends_at, old.time_zone) is distinct from (new.starts_at, new.ends_at, new.time_zone)
        and exists (select 1 from periods p where p.tenant_id = old.tenant_id and p.state <> 'open') then
    raise exception 'period % of % may only move from open to shut to closed', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
