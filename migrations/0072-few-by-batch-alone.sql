-- These two find the few entries of a batch, by the ids of the batch. Wherever a condition of a look-up is theirs, Postgres
-- may read all of them in its place, once for each look-up: where it never saw any of that kind, it believes that there
-- is none. A fold of 4,000 calls, a quarter of them nobody's, read 38 million rows so. Their condition is a number now,
-- which nothing says but the query that is meant. The old ones go last, so that what only reads waits for a moment alone.
create index entries_few on entries (entry_id)
  where (revision = 0 and status = 'ok' and (call_id is not null or shares_response
    or (response_id is null or gateway_cache <> 'none') and (span_id is not null or parent_span_id is not null)
    or response_id is not null and tenant_id = 'unattributed'))::int = 1;
create index entries_of_several_attempts on entries (entry_id)
  where (call_id is not null or trace_id is not null
    and (status <> 'ok' or attempt > 1 or further_tags ? 'requested_model_source'))::int = 1;
drop index entries_to_join;
drop index entries_attempted;
