-- What an hourly verify needs to look at new rows only, and the quarantine as it was at an instant.

-- Rows come about in the order of their batches, so that a range of blocks tells old from new. A B-tree would
-- cost every insert; this costs next to nothing.
create index structure_spans_by_batch on structure_spans using brin (batch_id) with (autosummarize = on);
create index quarantine_by_batch on quarantine using brin (batch_id) with (autosummarize = on);

-- What was replayed later still waited then.
create function audit.quarantine_as_of(at timestamptz) returns setof audit.quarantine
language sql stable parallel safe as $$
  select quarantine_id, received_at, source, event_id, reason, detail, body,
    case when replayed_at <= at then replayed_at end,
    case when replayed_at <= at then replay_outcome end,
    ledger_digest, received_digest
  from audit.quarantine where received_at <= at
$$;
