-- A span that counts something and names no operation is a call until one comes that lies within it: the ledger remembers which calls these are.

-- It is no part of an entry's content, and stands beside it, so that a call costs nothing for it whose operation is named.
create table unnamed_spans (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  trace_id text collate "C" not null,
  span_id text collate "C" not null,
  primary key (tenant_id, source, event_id)
);
create index unnamed_spans_of_trace on unnamed_spans (trace_id);
create trigger unnamed_spans_are_append_only before update or delete or truncate on unnamed_spans
  for each statement execute function refuse_change();
