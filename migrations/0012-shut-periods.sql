-- A period is shut and then closed: a seal is a block of the chain and nothing else. What the database refuses, it says in words.
-- A close of the version before fails while this runs, and changes nothing; run it again afterwards.

create or replace function guard_period() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a period is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.starts_at, old.ends_at, old.time_zone)
     is distinct from (new.tenant_id, new.period_start, new.starts_at, new.ends_at, new.time_zone)
     or array_position(array['open', 'shut', 'closed'], new.state)
        < array_position(array['open', 'shut', 'closed'], old.state) then
    raise exception 'period % of % may only move from open to shut to closed', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

alter table periods drop constraint periods_state_check;
update periods set state = 'shut' where state = 'sealed';
-- shut: nothing is posted into it any more, its manifest is being computed
alter table periods add constraint periods_state_check check (state in ('open', 'shut', 'closed'));

create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is refused: nothing is edited; post a correction instead', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end $$;

create or replace function guard_intent() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a push intent is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.sequence, old.identifier, old.meter, old.stripe_customer, old.value_micro,
      old.event_timestamp, old.created_at)
     is distinct from (new.tenant_id, new.period_start, new.sequence, new.identifier, new.meter, new.stripe_customer,
      new.value_micro, new.event_timestamp, new.created_at) then
    raise exception 'the body of push intent % never changes', old.identifier using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
