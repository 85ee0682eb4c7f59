-- An hourly verify looks at what came since the last one: block ranges let it leave out older batches' rows.

-- Rows come about in the order of their batches, so that a range of blocks tells old from new. A B-tree would
-- cost every insert; this costs next to nothing.
create index structure_spans_by_batch on structure_spans using brin (batch_id) with (autosummarize = on);
create index quarantine_by_batch on quarantine using brin (batch_id) with (autosummarize = on);
