-- Whoever leaves and comes back within one of Stripe's months has several periods on one invoice: it has a row for each, with
-- the part of its count that is for that period.
alter table stripe_invoices drop constraint stripe_invoices_pkey;
alter table stripe_invoices add primary key (invoice_id, period_start);
