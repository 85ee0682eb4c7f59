-- Keys that are cheap to compare where millions of entries pass. Folding compared up to fourteen texts a row and
-- repeated them all for every run; now a group of usage has a key of sixteen bytes, and a run points at it.

alter table usage_rollups add column usage_key uuid;
-- The same expression as in the fold; a row's text quotes its values, so no two groups share one.
update usage_rollups set usage_key = md5(row(kind, outcome, late, provider, requested_model, executed_model, feature,
  prompt_version, currency)::text)::uuid;
alter table usage_rollups drop constraint usage_rollups_pkey;
alter table usage_rollups add primary key (tenant_id, period_start, day, usage_key);

-- What one user and agent run have of a group of usage.
create table run_usage (
  tenant_id text collate "C" not null,
  period_start date not null,
  day date not null,
  usage_key uuid not null,
  agent_run_id text collate "C" not null,
  user_id text collate "C" not null,
  entries bigint not null,
  input_tokens numeric(38, 0) not null,
  cache_read_tokens numeric(38, 0) not null,
  cache_write_tokens numeric(38, 0) not null,
  output_tokens numeric(38, 0) not null,
  tool_tokens numeric(38, 0) not null,
  memory_tokens numeric(38, 0) not null,
  charge numeric(38, 0) not null,
  cost numeric(38, 0) not null,
  output_charge numeric(38, 0) not null,
  output_cost numeric(38, 0) not null,
  routing_gain numeric(38, 0) not null,
  primary key (tenant_id, period_start, day, usage_key, agent_run_id, user_id)
);
insert into run_usage
select tenant_id, period_start, day, md5(row(kind, outcome, late, provider, requested_model, executed_model, feature,
    prompt_version, currency)::text)::uuid, agent_run_id, user_id, entries, input_tokens, cache_read_tokens,
  cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge, cost, output_charge, output_cost, routing_gain
from run_rollups;
drop table run_rollups;

create view run_rollups with (security_invoker = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, r.cost, r.output_charge,
  r.output_cost, r.routing_gain
from run_usage r
join usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
  and u.usage_key = r.usage_key;
