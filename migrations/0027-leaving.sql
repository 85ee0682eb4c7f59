-- A customer who leaves in mid-month: the running period ends there, and no idle one begins after it.
-- Null while the tenant is a customer.
alter table tenants add column left_at timestamptz;

-- While a period is open and nothing was made of it, its end may come nearer.
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
  return new;
end $$;
