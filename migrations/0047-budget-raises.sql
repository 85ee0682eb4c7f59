-- Whoever is denied asks for a higher limit, and an operator approves or refuses it with a reason: what was asked and answered is kept.

create table budget_raises (
  request_id bigint generated always as identity primary key,
  tenant_id text collate "C" not null,
  -- The budget by its number, without a key: what was asked of it stays when the budget is taken away.
  budget_id bigint not null,
  measure text not null check (measure in ('money', 'tokens')),
  currency text,
  -- Picodollars or tokens: the limit at the time of asking, the one that is asked for, and the one that was granted.
  amount_then numeric(38, 0) not null,
  amount_asked numeric(38, 0) not null,
  amount_granted numeric(38, 0),
  state text not null default 'open' check (state in ('open', 'approved', 'refused')),
  asked_at timestamptz not null,
  asked_by text not null,
  asked_because text not null,
  answered_at timestamptz,
  answered_by text,
  answered_because text,
  constraint a_raise_is_higher check (amount_asked > amount_then),
  constraint money_has_a_currency check ((measure = 'money') = (currency is not null)),
  constraint an_answer_says_who_and_why check ((state = 'open') = (answered_at is null)
    and (state = 'open') = (answered_by is null) and (state = 'open') = (answered_because is null)
    and (state = 'approved') = (amount_granted is not null))
);
-- Of one budget one request waits at a time.
create unique index budget_raises_open on budget_raises (tenant_id, budget_id) where state = 'open';
select begin_journal('budget_raises', 'request_id', '');
