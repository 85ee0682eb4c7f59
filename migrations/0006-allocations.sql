-- Shared spend is divided over tenants (R20).

-- ---------------------------------------------------------------------------------------------------
-- Pools and their reversals. The shares are entries of the batch that the row names.

create table allocations (
  pool text collate "C" not null check (length(pool) between 1 and 100),
  -- the first of the month in which the divided periods begin
  month date not null check (extract(day from month) = 1),
  -- even: shares were posted; odd: the shares of the revision before were taken back
  revision integer not null check (revision >= 0),
  batch_id bigint not null references batches,
  -- picodollars; negative in a reversal
  amount numeric(38, 0) not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  basis text not null check (basis in ('activity', 'weighted-tokens', 'direct')),
  -- as the command line reads them
  weights text,
  -- in the units of the basis, which the shares' weights add up to
  weight_total numeric not null check (weight_total > 0),
  billed boolean not null,
  reason text not null,
  actor text not null,
  recorded_at timestamptz not null,
  -- of everything that decides the division but for the usage
  digest bytea not null check (length(digest) = 32),
  primary key (pool, month, revision),
  constraint only_odd_revisions_take_back check ((amount < 0) = (revision % 2 = 1) and amount <> 0),
  constraint weights_are_of_tokens check ((basis = 'weighted-tokens') = (weights is not null))
);
create trigger allocations_are_append_only before update or delete or truncate on allocations
  for each statement execute function refuse_change();

-- A share that is taken back stays an allocation, and its reversal points at it.
alter table entries drop constraint correction_names_its_entry;
alter table entries add constraint correction_names_its_entry check (
  corrects_entry_id is not null and (kind = 'correction' or kind = 'allocation' and is_reversal)
  or corrects_entry_id is null and (kind = 'usage' or kind = 'allocation' and not is_reversal));

-- A share is dated at the last millisecond of its period; weights are in the units of the basis.
create view audit.allocations as
select a.pool, to_char(a.month, 'YYYY-MM') as month, a.revision, e.tenant_id, 'ent_' || e.entry_id as entry_id,
  e.is_reversal, not e.is_reversal and not exists (
    select 1 from allocations later where later.pool = a.pool and later.month = a.month
      and later.revision > a.revision) as stands,
  a.basis, a.weights, (e.further_tags ->> 'weight')::numeric as weight, a.weight_total,
  (e.further_tags ->> 'remainder_place')::integer as remainder_place,
  major(a.amount) as pool_amount, major(e.cost) as cost, major(e.charge) as charge, e.currency, a.billed,
  e.period_start, e.late, a.reason, a.actor, a.recorded_at
from allocations a
-- OFFSET 0 keeps this a look-up by id: of a join on the range the planner believes that it meets a ninth
-- of the ledger.
cross join lateral (
  select entry_id, tenant_id, period_start, late, is_reversal, further_tags, cost, charge, currency from entries
  where entry_id >= a.batch_id * 1000000 and entry_id < (a.batch_id + 1) * 1000000 offset 0) e;
