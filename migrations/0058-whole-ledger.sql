-- A question about all tenants summed a row of each of them for every day and model: ten thousand of them kept it waiting.

-- Usage by day, model and feature, without tenants. The fold adds to it what it adds to usage_rollups.
create table ledger_rollups (
  period_start date not null,
  day date not null,
  kind text not null,
  outcome text not null,
  provider text collate "C" not null,
  requested_model text collate "C" not null,
  executed_model text collate "C" not null,
  feature text collate "C" not null,
  currency text not null,
  -- Whether it is usage of a known tenant.
  is_attributed boolean not null,
  ledger_key uuid not null,
  entries bigint not null,
  input_tokens numeric(38, 0) not null,
  cache_read_tokens numeric(38, 0) not null,
  cache_write_tokens numeric(38, 0) not null,
  output_tokens numeric(38, 0) not null,
  tool_tokens numeric(38, 0) not null,
  memory_tokens numeric(38, 0) not null,
  charge numeric(38, 0) not null,
  not_due_charge numeric(38, 0) not null,
  cost numeric(38, 0) not null,
  output_charge numeric(38, 0) not null,
  output_cost numeric(38, 0) not null,
  other_charge numeric(38, 0) not null,
  other_cost numeric(38, 0) not null,
  routing_gain numeric(38, 0) not null,
  uncosted bigint not null,
  uncosted_charge numeric(38, 0) not null,
  primary key (period_start, day, ledger_key)
);

insert into ledger_rollups
select period_start, day, kind, outcome, provider, requested_model, executed_model, feature, currency, is_attributed,
  md5(row(kind, outcome, provider, requested_model, executed_model, feature, currency, is_attributed)::text)::uuid,
  entries, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge,
  not_due_charge, cost, output_charge, output_cost, other_charge, other_cost, routing_gain, uncosted, uncosted_charge
from (
  select period_start, day, kind, outcome, provider, requested_model, executed_model, feature, currency,
    tenant_id <> 'unattributed' as is_attributed, sum(entries) as entries, sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens, sum(cache_write_tokens) as cache_write_tokens,
    sum(output_tokens) as output_tokens, sum(tool_tokens) as tool_tokens, sum(memory_tokens) as memory_tokens,
    sum(charge) as charge, sum(not_due_charge) as not_due_charge, sum(cost) as cost,
    sum(output_charge) as output_charge, sum(output_cost) as output_cost, sum(other_charge) as other_charge,
    sum(other_cost) as other_cost, sum(routing_gain) as routing_gain, sum(uncosted) as uncosted,
    sum(uncosted_charge) as uncosted_charge
  from usage_rollups group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
) s;
