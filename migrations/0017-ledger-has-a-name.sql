-- A ledger has a name of its own, so that two ledgers on one Stripe account never tell under one identifier; and what was
-- never sent follows its tenant, so that a wrong customer can be put right before anything is told.

create table ledger_name (
  only_one boolean primary key default true check (only_one),
  name text not null check (name ~ '^[a-z0-9]{8}$')
);
insert into ledger_name (name) values (substr(replace(gen_random_uuid()::text, '-', ''), 1, 8));
create trigger ledger_name_stays before update or delete on ledger_name
  for each row execute function refuse_change();

-- The account that a meter or a customer was seen in; null in rows older than this column.
alter table stripe_meters add column account text;
alter table stripe_customers add column account text;

-- Until its first request an intent may be addressed anew; its identifier, value and date never change.
create or replace function guard_intent() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a push intent is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.sequence, old.identifier, old.value_micro, old.event_timestamp, old.created_at)
     is distinct from (new.tenant_id, new.period_start, new.sequence, new.identifier, new.value_micro,
      new.event_timestamp, new.created_at)
     or ((old.destination, old.meter, old.stripe_customer)
         is distinct from (new.destination, new.meter, new.stripe_customer)
         and not (old.state = 'pending' and old.attempts = 0))
     or (old.account is not null and old.account is distinct from new.account
         and not (old.state = 'pending' and old.attempts = 0)) then
    raise exception 'the body of push intent % never changes', old.identifier using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
