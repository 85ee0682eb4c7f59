-- A server that began anew kept pages about the whole ledger waiting for a minute or more, though an answer of a moment ago had been there.

-- The last answers about everybody that took longer than a page may wait. They are made of the ledger, and made anew beside the pages.
create table kept_answers (
  -- What was asked, as JSON.
  question text collate "C" primary key,
  answer json not null,
  -- When it was asked, and how long it took.
  asked_at timestamptz not null,
  took_ms double precision not null
);
