-- An alert is resolved by a person who says how, so that a month that needed one can come to its end.

alter table stripe_alerts add column resolved_at timestamptz;
-- what was done about it, and by whom
alter table stripe_alerts add column resolution text;
alter table stripe_alerts add column resolved_by text;
alter table stripe_alerts add constraint stripe_alerts_resolution_check
  check ((resolved_at is null) = (resolution is null) and (resolved_at is null) = (resolved_by is null));

create or replace view audit.alerts as
select alert_id, raised_at, kind, subject, tenant_id, period_start, detail, resolved_at, resolution, resolved_by
from stripe_alerts;
