-- Every final invoice of a period is summed; one that was made for a single intent says which, and is compared with that.
alter table stripe_invoices add column identifier text;
