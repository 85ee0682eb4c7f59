-- Stripe counts the reads of an account: of each period the last figure is kept, and how many reads it has left.
create table stripe_reads (
  tenant_id text collate "C" not null references tenants,
  period_start date not null,
  what text not null check (what in ('meter', 'invoice_item', 'invoices')),
  stripe_customer text not null,
  read_at timestamptz not null,
  -- reads that may be made at once; more come with time
  allowance numeric not null,
  -- micro units; null where it could not be read, or is no figure
  figure numeric(38, 0),
  primary key (tenant_id, period_start, what, stripe_customer)
);

-- An event of Stripe's names a customer, also one that its tenant no longer has.
create index push_intents_by_customer on push_intents (stripe_customer);
