-- Every key begins with the tenant, so that an event whose tenant nobody says was sought once for each of ten thousand
-- tenants. The index that knows runs by blocks now knows events so too, by the hash of their id: as the hash is in no
-- other index, the planner has no other way. It knows fewer values of a block than it had room for, and is no larger.
drop index entries_by_run;
create index entries_by_run on entries using brin (
  occurred_at timestamptz_minmax_multi_ops,
  agent_run_id text_bloom_ops (n_distinct_per_range = 1500),
  trace_id text_bloom_ops (n_distinct_per_range = 1500),
  (hashtextextended(event_id, 0)) int8_bloom_ops (n_distinct_per_range = 1500)
) with (pages_per_range = 64, autosummarize = on);
drop index structure_spans_by_run;
create index structure_spans_by_run on structure_spans using brin (
  occurred_at timestamptz_minmax_multi_ops,
  agent_run_id text_bloom_ops (n_distinct_per_range = 1500),
  trace_id text_bloom_ops (n_distinct_per_range = 1500),
  (hashtextextended(event_id, 0)) int8_bloom_ops (n_distinct_per_range = 1500)
) with (pages_per_range = 64, autosummarize = on);
