-- A hold that ended some days ago leaves: one was kept for every call that was held for, and no other table grew as fast.

-- What ended is found by when it did. An open hold is not in it, so that reserving costs what it did.
create index budget_holds_ended on budget_holds (ended_at) where ended_at is not null;

-- Holds that ended from this instant on are all there; of those before, some or all have left. Without a row none has.
create table kept_holds (
  only_one boolean primary key default true check (only_one),
  ended_since timestamptz not null
);
