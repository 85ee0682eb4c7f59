-- Empty messages: a message in which nothing was used is counted with its reason, so that none is deleted unseen.
alter table receipts
  add column empty integer not null default 0,
  add column empty_reasons jsonb;

alter table quarantine drop constraint quarantine_reason_check;
alter table quarantine add constraint quarantine_reason_check check (reason in
  ('not_json', 'unknown_format', 'invalid_field', 'conflict', 'too_large', 'occurred_in_future',
   'occurred_too_early', 'not_understood'));
