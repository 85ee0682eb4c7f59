-- An event that waits for its price or for its usage has no charge yet, so that its hold gives nothing back: a hard budget
-- would else never fill with calls that nobody could price. The hold stays open and names the event, and is settled
-- once that has a charge or was taken as free (R10, R23).

alter table budget_holds
  add column waits_source text collate "C",
  add column waits_event_id text collate "C",
  add constraint waiting_hold_names_its_event check ((waits_source is null) = (waits_event_id is null));

-- Corrections look here; it is empty where every call has a price.
create index budget_holds_waiting on budget_holds (tenant_id, waits_source, waits_event_id)
  where state = 'open' and waits_event_id is not null;
