-- A usage report counted every entry with a converted cost to say by whose rates it was converted: twenty millions of them kept it waiting.

-- How many entries were converted by which version of exchange rates, by tenant and of all of them. The fold keeps both
-- with the other rollups.
create table exchange_rollups (
  tenant_id text collate "C" not null,
  period_start date not null,
  day date not null,
  version_id bigint not null,
  entries bigint not null,
  primary key (tenant_id, period_start, day, version_id)
);

create table ledger_exchange_rollups (
  period_start date not null,
  day date not null,
  version_id bigint not null,
  entries bigint not null,
  primary key (period_start, day, version_id)
);

insert into exchange_rollups
select e.tenant_id, e.period_start, (e.occurred_at at time zone 'UTC')::date, v.version_id, count(*)
from entries e join exchange_versions v on v.version_id::text = e.further_tags ->> 'cost_exchange'
where e.further_tags ? 'cost_exchange'
  and not exists (select from fold_queue f where f.batch_id = e.entry_id / 1000000)
group by 1, 2, 3, 4;

insert into ledger_exchange_rollups
select period_start, day, version_id, sum(entries)::bigint from exchange_rollups group by 1, 2, 3;
