-- The number of an act is that of one transaction, and nobody may file a change of today under an act of before.

-- What is said of it names its transaction, and it is the number that this session drew last: the setting is anybody's to
-- make, and the sequence is not.
create or replace function keep_change() returns trigger language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' set bytea_output = 'hex' as $$
declare
  names text[] := string_to_array(tg_argv[0], ',');
  long text[] := string_to_array(tg_argv[1], ',');
  said_act text := coalesce(nullif(current_setting('spanledger.act', true), ''), lower(tg_op));
  said_actor text := coalesce(nullif(current_setting('spanledger.actor', true), ''), session_user);
  said_reason text := nullif(current_setting('spanledger.reason', true), '');
  said_number text := current_setting('spanledger.act_number', true);
  of_transaction text := pg_current_xact_id() || ':';
  of_act bigint;
begin
  if starts_with(said_number, of_transaction) then
    of_act := currval('act_numbers');
  end if;
  if not coalesce(said_number = of_transaction || of_act, false) then
    of_act := nextval('act_numbers');
    perform set_config('spanledger.act_number', of_transaction || of_act, true);
  end if;
  if tg_op = 'DELETE' then
    with kept as (
      insert into changes (of_table, row_key, kept, act, actor, reason, act_id)
      select tg_table_name, key_of(to_jsonb(o), names), null, said_act, said_actor, said_reason, of_act from old_rows o
      returning change_id
    ) insert into change_queue select change_id from kept;
  else
    with kept as (
      insert into changes (of_table, row_key, kept, act, actor, reason, act_id)
      select tg_table_name, key_of(to_jsonb(n), names), with_digests(to_jsonb(n), long), said_act, said_actor, said_reason,
        of_act
      from new_rows n
      returning change_id
    ) insert into change_queue select change_id from kept;
  end if;
  return null;
end $$;
