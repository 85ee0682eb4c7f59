-- The guard against loops sees what a run recorded, too, and not only what it reserved.

-- The calls of the last day of runs whose tenant has a budget with a guard. They are written as batches are folded and
-- taken away when they are too old, so that no call waits for a search of the ledger.
create table run_steps (
  tenant_id text collate "C" not null,
  agent_run_id text collate "C" not null,
  occurred_at timestamptz not null,
  entry_id bigint not null,
  model text,
  feature text,
  tokens numeric(38, 0) not null,
  primary key (tenant_id, agent_run_id, occurred_at, entry_id)
);
create index run_steps_by_age on run_steps (occurred_at);
