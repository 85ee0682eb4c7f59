-- Budgets that a caller asks before a call: limits on what a tenant is charged in its period or in a day.

create table budgets (
  tenant_id text collate "C" not null references tenants,
  -- a UTC day, or the tenant's billing period
  per text not null check (per in ('day', 'month')),
  -- '' where the budget is for all of them
  feature text collate "C" not null,
  user_id text collate "C" not null,
  -- picodollars
  amount numeric(38, 0) not null check (amount >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- hard: a call that would pass it is denied; soft: it is warned of
  is_hard boolean not null,
  set_at timestamptz not null,
  set_by text not null,
  primary key (tenant_id, per, feature, user_id)
);
