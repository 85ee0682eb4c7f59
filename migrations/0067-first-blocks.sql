-- An index by blocks that is made for an empty table knows its first blocks at once, and each of the first entries wrote
-- anew what it knows of them: three filters of two kilobytes. As all later blocks they are read once, when they are full.
do $$
begin
  if not exists (select from entries) then
    perform brin_desummarize_range('entries_by_run', 0);
  end if;
  if not exists (select from structure_spans) then
    perform brin_desummarize_range('structure_spans_by_run', 0);
  end if;
end $$;
