-- Late usage and corrections of a month that was billed, which fall into a month in shadow, are carried on to the tenant's
-- next live period. What of the carried that is stands beside it: null of a live close, and of a shadow that was closed
-- before this, of which nothing goes on to a bill.
alter table closes add column carried_out_due numeric(38, 0) check (carried_out_due is null or mode = 'shadow');
