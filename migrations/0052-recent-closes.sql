-- The hourly verify reads the closes since its last run without a look at all that were ever made.
create index closes_by_closed_at on closes (closed_at);
