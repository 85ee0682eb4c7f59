-- A column that came later than the last change of its row is held against the journal, too: there it is null, or it is written down.

-- Thresholds came with a value. The journal goes on from what it kept last, and not from what the table holds now: a row
-- that was changed past it shows.
with kept as (
  insert into changes (of_table, row_key, kept, act, actor, reason)
  select 'budgets', row_key, kept || '{"thresholds": [80, 100]}', 'migrate', session_user, 'budgets have thresholds since' from (
    select distinct on (row_key) row_key, kept from changes where of_table = 'budgets' and row_key ? 'budget_id'
    order by row_key, change_id desc
  ) last where not kept ? 'thresholds'
  returning change_id
) insert into change_queue select change_id from kept;
