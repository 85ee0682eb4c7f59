-- A leave that is still to come can be moved and withdrawn (R12): the open period that it cut short gets its end back,
-- as far as no other period of its tenant begins.

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
          and old.state = 'open' and new.state = 'open'
          and not exists (select from periods p where p.tenant_id = old.tenant_id
            and p.starts_at >= old.ends_at and p.starts_at < new.ends_at))
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
