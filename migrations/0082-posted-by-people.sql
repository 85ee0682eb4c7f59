-- A worker's login could post an adjustment or a share of a pool, or name an actor to the journal, in the name of anybody. Its
-- own work does none of that, so a batch of such a kind, or of an actor, is only for who may write pools, too.
create function refuse_acts_of_people() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if has_table_privilege('allocations', 'insert') then
    return new;
  end if;
  raise insufficient_privilege using message = format(
    'permission denied for %s: a worker posts usage and what follows from it, and nothing in the name of a person, for which a login needs the right to insert into allocations',
    case when new.kind in ('adjustment', 'allocation') then 'a batch of kind ' || new.kind else 'a batch of an actor' end);
end $$;

create trigger acts_are_of_people before insert on batches
  for each row when (new.kind in ('adjustment', 'allocation') or current_setting('spanledger.actor', true) <> '')
  execute function refuse_acts_of_people();
