-- A budget may end a run that repeats itself with growing context, and an event whose hold nobody made is named.

-- What becomes of a call that would be one repetition too many; null asks nothing of repetitions.
alter table budgets
  add column loop text check (loop in ('warn', 'deny')),
  add column loop_steps integer check (loop_steps between 2 and 1000),
  add constraint loop_says_how_many check ((loop is null) = (loop_steps is null));

-- The guard reads the last holds of a run.
create index budget_holds_by_run on budget_holds (tenant_id, agent_run_id, held_at) where agent_run_id is not null;

-- Events that name a hold which was never made, or is another tenant's: they count as spent, and settled nothing.
create table unknown_holds (
  tenant_id text collate "C" not null,
  hold_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  seen_at timestamptz not null,
  primary key (tenant_id, hold_id, source, event_id)
);
