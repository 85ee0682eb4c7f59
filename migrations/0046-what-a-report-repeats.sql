-- A second report of a call that waits in quarantine keeps what it repeats, which only its whole message said.

-- The event that it repeats, by its identity, and because of what; null of everything else.
alter table quarantine add column repeats jsonb;

-- What was received stays as it was received, but for what a purge erases.
create or replace function guard_quarantine() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'nothing is deleted from the quarantine: dismiss an event, and purge what is dismissed'
      using errcode = 'restrict_violation';
  end if;
  if (old.quarantine_id, old.batch_id, old.received_at, old.source, old.event_id, old.reason, old.detail, old.cut,
      old.ledger_digest, old.received_digest, old.body_digest, old.repeats)
     is distinct from (new.quarantine_id, new.batch_id, new.received_at, new.source, new.event_id, new.reason,
      new.detail, new.cut, new.ledger_digest, new.received_digest, new.body_digest, new.repeats)
     or (old.body <> new.body and (old.purged_at is not null or new.purged_at is null))
     or (old.replayed_at is not null and old.replayed_at is distinct from new.replayed_at)
     or (old.dismissed_at is not null and old.dismissed_at is distinct from new.dismissed_at)
     or (old.purged_at is not null and old.purged_at is distinct from new.purged_at) then
    raise exception 'event % in quarantine is refused a change: it is replayed or dismissed once, and purged after that',
      old.quarantine_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
