-- What a ledger of many months needs: a close that reads its month, and an audit that finds what was refused.

-- Entries arrive about in the order of their periods, so that block ranges tell months apart: a close then reads
-- its month and not all history. A B-tree would cost every insert a tenth; this costs next to nothing.
create index entries_by_period on entries using brin (period_start);

-- The story of one event asks for its refusals; without this it reads every body that was ever refused.
create index quarantine_by_event on quarantine (event_id) where event_id is not null;
