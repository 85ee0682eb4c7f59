-- Alerts are raised by whatever tells a closed period, of which Stripe is the first: their table is named after the push.
alter table stripe_alerts rename to push_alerts;
alter sequence stripe_alerts_alert_id_seq rename to push_alerts_alert_id_seq;
alter table push_alerts rename constraint stripe_alerts_pkey to push_alerts_pkey;
alter table push_alerts rename constraint stripe_alerts_kind_subject_key to push_alerts_kind_subject_key;
alter table push_alerts rename constraint stripe_alerts_resolution_check to push_alerts_resolution_check;
alter trigger stripe_alerts_are_not_emptied on push_alerts rename to push_alerts_are_not_emptied;
alter trigger stripe_alerts_inserts_are_kept on push_alerts rename to push_alerts_inserts_are_kept;
alter trigger stripe_alerts_updates_are_kept on push_alerts rename to push_alerts_updates_are_kept;
alter trigger stripe_alerts_deletes_are_kept on push_alerts rename to push_alerts_deletes_are_kept;

-- The journal goes on under the new name from what it kept last, and not from what the table holds now: a row that was
-- changed past it still shows.
with kept as (
  insert into changes (of_table, row_key, kept, act, actor, reason)
  select 'push_alerts', row_key, kept, 'migrate', session_user, 'stripe_alerts is named push_alerts now' from (
    select distinct on (row_key) row_key, kept from changes where of_table = 'stripe_alerts'
    order by row_key, change_id desc
  ) last where kept is not null
  returning change_id
) insert into change_queue select change_id from kept;
