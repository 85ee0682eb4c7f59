-- How many reads of Stripe are left is no less than none: below that, an old figure would be answered for as long as somebody likes.
-- A row that says so is asked for anew.
delete from stripe_reads where allowance not between 0 and 50;
alter table stripe_reads add constraint reads_left check (allowance between 0 and 50);
