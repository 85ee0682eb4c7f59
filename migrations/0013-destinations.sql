-- A period may be told in more than one way: each intent says for which destination it is, and to which account.
alter table push_intents add column destination text not null default 'meter'
  check (destination in ('meter', 'invoice_item', 'settled'));
-- Null where it was not known, as in rows older than this column.
alter table push_intents add column account text;

-- The destination is part of the body; an account, once known, stays.
create or replace function guard_intent() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a push intent is never deleted (R18)' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.sequence, old.identifier, old.destination, old.meter, old.stripe_customer,
      old.value_micro, old.event_timestamp, old.created_at)
     is distinct from (new.tenant_id, new.period_start, new.sequence, new.identifier, new.destination, new.meter,
      new.stripe_customer, new.value_micro, new.event_timestamp, new.created_at)
     or (old.account is not null and old.account is distinct from new.account) then
    raise exception 'the body of push intent % never changes (R18)', old.identifier using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create or replace view audit.pushes as
select tenant_id, period_start, meter, identifier, trim_scale(value_micro) as value, state, attempts,
  first_attempt_at, confirmed_at, sent_at, stripe_customer, last_answer, absent_since, proven_at, livemode,
  destination, account
from push_intents;
