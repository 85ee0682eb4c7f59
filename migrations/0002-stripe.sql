-- What is known of Stripe beyond the requests: proof by its summaries, customers, invoices, webhook events,
-- alerts, and how far each month's run has come.

-- `missing`: Stripe's summary proved twice, a day apart, that the intent never arrived; its value is told again
-- under the next sequence, and so no longer counts as intended.
alter table push_intents drop constraint push_intents_state_check;
alter table push_intents add constraint push_intents_state_check
  check (state in ('pending', 'sent', 'confirmed', 'ambiguous', 'parked', 'missing'));
alter table push_intents add column livemode boolean;
-- when the summary first lacked an ambiguous intent
alter table push_intents add column absent_since timestamptz;
-- when Stripe's summary was seen to hold exactly what is confirmed, this intent included
alter table push_intents add column proven_at timestamptz;
-- With two unknowns in one sum, a comparison could not decide either.
create unique index push_intents_one_ambiguous on push_intents (stripe_customer, meter, period_start)
  where state = 'ambiguous';
create index push_intents_unsettled on push_intents (tenant_id, period_start)
  where state not in ('confirmed', 'missing');

-- What Stripe said of a customer, so that each is asked for once.
create table stripe_customers (
  tenant_id text collate "C" not null references tenants,
  stripe_customer text not null,
  livemode boolean not null,
  state text not null check (state in ('present', 'deleted')),
  checked_at timestamptz not null,
  primary key (tenant_id, stripe_customer, livemode)
);

-- Webhook events by Stripe's id: a second delivery of one that was handled does nothing.
create table stripe_events (
  event_id text primary key,
  type text not null,
  received_at timestamptz not null,
  handled_at timestamptz,
  outcome text
);

create table stripe_invoices (
  invoice_id text primary key,
  tenant_id text collate "C" not null references tenants,
  period_start date not null,
  stripe_customer text not null,
  state text not null check (state in ('held', 'released', 'finalized')),
  -- of the line on our price, once final: whole micro units, and minor units
  quantity numeric(38, 0),
  amount numeric(38, 0),
  held_at timestamptz,
  released_at timestamptz,
  finalized_at timestamptz
);
create index stripe_invoices_by_period on stripe_invoices (tenant_id, period_start);

-- What a person must look at. One row for each thing that is wrong, however often it is seen.
create table stripe_alerts (
  alert_id bigint generated always as identity primary key,
  raised_at timestamptz not null,
  kind text not null,
  -- the identifier, invoice, customer, subscription or event that it is about
  subject text not null,
  tenant_id text collate "C",
  period_start date,
  detail text not null,
  unique (kind, subject)
);

-- The monthly job, step by step.
create table month_run_steps (
  month text not null check (month ~ '^\d{4}-\d{2}$'),
  step text not null,
  state text not null check (state in ('running', 'done', 'unfinished', 'wrong')),
  started_at timestamptz not null,
  finished_at timestamptz,
  detail text,
  primary key (month, step)
);

create or replace view audit.pushes as
select tenant_id, period_start, meter, identifier, trim_scale(value_micro) as value, state, attempts,
  first_attempt_at, confirmed_at, sent_at, stripe_customer, last_answer, absent_since, proven_at, livemode
from push_intents;

create view audit.invoices as
select invoice_id, tenant_id, period_start, stripe_customer, state, trim_scale(quantity) as quantity, amount,
  held_at, released_at, finalized_at
from stripe_invoices;

create view audit.alerts as
select alert_id, raised_at, kind, subject, tenant_id, period_start, detail
from stripe_alerts;
