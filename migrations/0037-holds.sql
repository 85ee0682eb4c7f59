-- Budgets hold what a call may cost before it is made (R23), count what was spent as it is folded, and know days, runs, tags and tokens.

-- ---------------------------------------------------------------------------------------------------
-- Budgets

drop trigger budgets_inserts_are_kept on budgets;
drop trigger budgets_updates_are_kept on budgets;
drop trigger budgets_deletes_are_kept on budgets;

-- A budget is known by its number from here on, and the journal closes what it kept by the old key.
with kept as (
  insert into changes (of_table, row_key, kept, act, actor)
  select 'budgets', key_of(to_jsonb(b), array['tenant_id', 'per', 'feature', 'user_id']), null, 'kept by its number from now on',
    session_user
  from budgets b
  returning change_id
) insert into change_queue select change_id from kept;

alter table budgets drop constraint budgets_pkey;
alter table budgets
  add column budget_id bigint generated always as identity primary key,
  add column measure text not null default 'money' check (measure in ('money', 'tokens')),
  add column agent_run_id text collate "C" not null default '',
  -- further tags that a call must have, all of them
  add column tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
  add column on_unavailable text not null default 'deny' check (on_unavailable in ('allow', 'deny')),
  add column priced_only boolean not null default false,
  -- the zone of its days: the tenant's when the budget was set
  add column time_zone text,
  -- usage before these is not counted: an instant, and for a month the day on which the period begins
  add column counts_from timestamptz,
  add column counts_from_period date;
alter table budgets
  alter column measure drop default, alter column agent_run_id drop default, alter column tags drop default,
  alter column on_unavailable drop default, alter column priced_only drop default, alter column currency drop not null,
  drop constraint budgets_per_check,
  -- a day of the tenant, its billing period, each agent run, or all that comes once the budget is set
  add constraint budgets_per_check check (per in ('day', 'month', 'run', 'once')),
  add constraint money_has_a_currency check ((measure = 'money') = (currency is not null));
update budgets b set time_zone = t.time_zone,
  counts_from = date_trunc('day', now() at time zone t.time_zone) at time zone t.time_zone,
  counts_from_period = coalesce((select max(p.period_start) from periods p where p.tenant_id = b.tenant_id
    and p.starts_at <= now()), (now() at time zone t.time_zone)::date)
from tenants t where t.tenant_id = b.tenant_id;
alter table budgets alter column time_zone set not null, alter column counts_from set not null,
  alter column counts_from_period set not null;
create unique index budgets_by_scope on budgets (tenant_id, measure, per, feature, user_id, agent_run_id, tags);
select begin_journal('budgets', 'budget_id', '');

-- ---------------------------------------------------------------------------------------------------
-- What a budget counts

-- One row for each time in which a budget begins anew: a day, a period (by the day on which it begins), a run, or ''
-- where it never does. A call is admitted by these rows alone, so that one lock decides. They change with every call:
-- the room that is left free in a page lets them change in place.
create table budget_counters (
  budget_id bigint not null references budgets on delete cascade,
  time_key text collate "C" not null,
  -- picodollars or tokens, of entries that are folded
  spent numeric(38, 0) not null default 0,
  -- of holds that are neither settled nor released
  held numeric(38, 0) not null default 0,
  primary key (budget_id, time_key)
) with (fillfactor = 30);

insert into budget_counters (budget_id, time_key, spent)
select b.budget_id, case b.per when 'day' then to_char(e.occurred_at at time zone b.time_zone, 'YYYY-MM-DD')
  else to_char(e.period_start, 'YYYY-MM-DD') end, sum(coalesce(e.charge, 0))
from budgets b join entries e on e.tenant_id = b.tenant_id and e.currency = b.currency
  and (b.feature = '' or e.feature = b.feature) and (b.user_id = '' or e.user_id = b.user_id)
  and case b.per when 'month' then e.period_start >= b.counts_from_period else e.occurred_at >= b.counts_from end
where not exists (select from fold_queue f where f.batch_id = e.entry_id / 1000000)
group by 1, 2;

-- ---------------------------------------------------------------------------------------------------
-- Holds

-- What was promised to one call. It stays open until its event is counted or somebody releases it; one that is open
-- after expires_at is unsettled, and still counted. It names no row of tenants by a key, since every call would then
-- lock that one row.
create table budget_holds (
  hold_id text collate "C" primary key check (length(hold_id) between 1 and 256),
  tenant_id text collate "C" not null,
  state text not null default 'open' check (state in ('open', 'settled', 'released')),
  -- what was asked, so that asking again with the same id holds nothing twice
  request_digest bytea not null check (length(request_digest) = 32),
  model text,
  feature text,
  user_id text,
  agent_run_id text,
  -- null where the model has no price, and where nobody said how many
  amount numeric(38, 0) check (amount >= 0),
  currency text,
  tokens numeric(38, 0) check (tokens >= 0),
  -- the counters that hold it, and how much each of them does
  budget_ids bigint[] not null,
  time_keys text[] not null,
  amounts numeric[] not null,
  held_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > held_at),
  ended_at timestamptz,
  -- the event that settled it, or who released it
  settled_source text,
  settled_event_id text,
  released_by text,
  constraint hold_names_its_counters check (cardinality(budget_ids) = cardinality(time_keys)
    and cardinality(budget_ids) = cardinality(amounts)),
  constraint ended_hold_says_how check ((state = 'open') = (ended_at is null)
    and (state = 'settled') = (settled_event_id is not null) and (state = 'settled') = (settled_source is not null)
    and (state = 'released') = (released_by is not null))
);
create index budget_holds_open on budget_holds (tenant_id, expires_at) where state = 'open';

-- Events that name a hold wait here until their batch is folded; no other event has anything to do with it.
create table settle_queue (
  batch_id bigint not null,
  hold_id text collate "C" not null,
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  primary key (batch_id, hold_id, tenant_id, source, event_id)
);
