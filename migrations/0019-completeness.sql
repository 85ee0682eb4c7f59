-- What a month lacks can be said: who registered a tenant, and what became of an event in quarantine.

-- Null for a tenant that its first event made.
alter table tenants add column registered_at timestamptz;

-- Of tenants older than this column, those that somebody told something about are registered.
update tenants t set registered_at = t.created_at
where t.mode = 'live' or t.stripe_customer is not null or (t.time_zone, t.anchor_day) <> ('UTC', 1)
  or exists (select from tenant_price_books b where b.tenant_id = t.tenant_id)
  or exists (select from tenant_calendar_changes c where c.tenant_id = t.tenant_id)
  or exists (select from budgets b where b.tenant_id = t.tenant_id);

-- A body keeps the fields that a native event has; how many others were cut out of it is counted. A dismissed
-- event waits no longer, and its body may be erased.
alter table quarantine
  add column cut integer not null default 0,
  add column dismissed_at timestamptz,
  add column dismissed_by text,
  add column dismissed_because text,
  add column purged_at timestamptz,
  add constraint dismissal_has_a_reason check ((dismissed_at is null) = (dismissed_by is null)
    and (dismissed_at is null) = (dismissed_because is null)),
  add constraint only_dismissed_is_purged check (purged_at is null or (dismissed_at is not null and body = '')),
  add constraint replayed_or_dismissed check (replayed_at is null or dismissed_at is null);

drop index quarantine_waiting;
create index quarantine_waiting on quarantine (quarantine_id) where replayed_at is null and dismissed_at is null;

-- What was received stays as it was received, but for what a purge erases.
create function guard_quarantine() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'nothing is deleted from the quarantine: dismiss an event, and purge what is dismissed'
      using errcode = 'restrict_violation';
  end if;
  if (old.quarantine_id, old.batch_id, old.received_at, old.source, old.event_id, old.reason, old.detail, old.cut,
      old.ledger_digest, old.received_digest)
     is distinct from (new.quarantine_id, new.batch_id, new.received_at, new.source, new.event_id, new.reason,
      new.detail, new.cut, new.ledger_digest, new.received_digest)
     or (old.body <> new.body and (old.purged_at is not null or new.purged_at is null))
     or (old.replayed_at is not null and old.replayed_at is distinct from new.replayed_at)
     or (old.dismissed_at is not null and old.dismissed_at is distinct from new.dismissed_at)
     or (old.purged_at is not null and old.purged_at is distinct from new.purged_at) then
    raise exception 'event % in quarantine is refused a change: it is replayed or dismissed once, and purged after that',
      old.quarantine_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger quarantine_keeps_its_rows before update or delete on quarantine
  for each row execute function guard_quarantine();

create or replace view audit.quarantine as
select quarantine_id, received_at, source, event_id, reason, detail, body, replayed_at, replay_outcome,
  encode(ledger_digest, 'hex') as ledger_digest, encode(received_digest, 'hex') as received_digest,
  cut, dismissed_at, dismissed_by, dismissed_because, purged_at
from quarantine;

-- What was dismissed later still waited then.
create or replace function audit.quarantine_as_of(at timestamptz) returns setof audit.quarantine
language sql stable parallel safe as $$
  select quarantine_id, received_at, source, event_id, reason, detail, body,
    case when replayed_at <= at then replayed_at end,
    case when replayed_at <= at then replay_outcome end,
    ledger_digest, received_digest, cut,
    case when dismissed_at <= at then dismissed_at end,
    case when dismissed_at <= at then dismissed_by end,
    case when dismissed_at <= at then dismissed_because end,
    case when purged_at <= at then purged_at end
  from audit.quarantine where received_at <= at
$$;
