-- A call without a tenant is its tenant's whose span lies around it, in whatever message that came: roots of traces are found by their ids, too.

drop index structure_spans_within;
create index structure_spans_within on structure_spans (span_id collate "C") where span_id is not null;
