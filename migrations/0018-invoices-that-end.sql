-- An invoice of Stripe's may be gone or voided, and is then waited for no longer.
alter table stripe_invoices drop constraint stripe_invoices_state_check;
alter table stripe_invoices add constraint stripe_invoices_state_check
  check (state in ('held', 'released', 'finalized', 'gone', 'void'));
