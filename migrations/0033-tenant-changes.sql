-- Somebody asks when a tenant went live or got its customer: what is set of a tenant is kept with its instant.

create table tenant_changes (
  tenant_id text collate "C" not null references tenants,
  change_number bigint generated always as identity,
  changed_at timestamptz not null,
  setting text not null check (setting in ('mode', 'stripe_customer', 'time_zone', 'anchor_day')),
  -- null where there was, or is, none
  was text,
  became text,
  primary key (tenant_id, change_number)
);
create trigger tenant_changes_are_append_only before update or delete on tenant_changes
  for each row execute function refuse_change();
create trigger tenant_changes_are_not_emptied before truncate on tenant_changes
  for each statement execute function refuse_emptying();
