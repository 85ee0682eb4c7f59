-- A response's id is long and random, and its index fell all over memory with each entry. By the hash of the id it is half
-- as large. Two ids of one hash are two responses: whoever looks one up compares the id itself, and posting gives the later
-- one a place of its own, as it gives one to a second call of a response (R8).
drop index entries_by_response;
create unique index entries_by_response on entries (
    hashtextextended(response_id, 0), tenant_id, member_id, (case when shares_response then entry_id else 0 end))
  where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok';

-- Of an index that holds few of the rows the planner believes no figures, and would take a hash for one that many share.
create statistics responses_by_hash on (hashtextextended(response_id, 0)) from entries;
do $$ begin
  if not is_distributed('entries') then
    -- An empty table that was analyzed is believed to stay so.
    if exists (select from entries) then analyze entries; end if;
  end if;
end $$;

create or replace function entries_of_response(of_response text) returns setof entries
  language sql stable parallel safe as $$
  select * from entries
  where hashtextextended(response_id, 0) = hashtextextended(of_response, 0) and response_id = of_response $$;

create function entries_of_response_hash(of_response text) returns setof entries
  language sql stable parallel safe as $$
  select * from entries where hashtextextended(response_id, 0) = hashtextextended(of_response, 0) $$;
