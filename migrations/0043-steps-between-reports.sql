-- Two reports of one call may have a step between them: such spans are found by their ids, in both directions.

create index structure_spans_within on structure_spans (span_id collate "C")
  where span_id is not null and parent_span_id is not null;
create index structure_spans_around on structure_spans (parent_span_id collate "C")
  where span_id is not null and parent_span_id is not null;
