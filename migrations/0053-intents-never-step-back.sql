-- What was told stays told: the guard of an intent held its body alone, so that a state set back by hand would have had it sent again.
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
  if old.state <> new.state and (new.state = 'pending' or old.state = 'missing'
       or old.state = 'confirmed' and new.state not in ('parked', 'missing'))
     or new.attempts < old.attempts
     or old.first_attempt_at is not null and old.first_attempt_at is distinct from new.first_attempt_at then
    raise exception 'push intent % is %, and never steps back', old.identifier, old.state
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
