-- Whoever reads the journal asks who did what, when and why: the changes of one transaction are one act, and keys and postings belong to it.

-- ---------------------------------------------------------------------------------------------------
-- Acts

-- The number of the act that a change belongs to; null of what was kept before acts had numbers.
create sequence act_numbers;
alter table changes add column act_id bigint;
create index changes_by_act on changes (act_id, change_id) where act_id is not null;

create or replace function keep_change() returns trigger language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' set bytea_output = 'hex' as $$
declare
  names text[] := string_to_array(tg_argv[0], ',');
  long text[] := string_to_array(tg_argv[1], ',');
  said_act text := coalesce(nullif(current_setting('spanledger.act', true), ''), lower(tg_op));
  said_actor text := coalesce(nullif(current_setting('spanledger.actor', true), ''), session_user);
  said_reason text := nullif(current_setting('spanledger.reason', true), '');
  of_act bigint := nullif(current_setting('spanledger.act_number', true), '')::bigint;
begin
  if of_act is null then
    of_act := nextval('act_numbers');
    perform set_config('spanledger.act_number', of_act::text, true);
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

-- The number of its act is sealed with a change that has one.
create or replace function changes_digest(ids bigint[]) returns bytea
language sql stable set timezone = 'UTC' set bytea_output = 'hex' as $$
  select case when count(c.change_id) = cardinality(ids) then sha256(coalesce(string_agg(
    sha256(convert_to((jsonb_build_array(c.change_id, c.changed_at, c.of_table, c.row_key, c.kept, c.act, c.actor, c.reason)
      || case when c.act_id is null then '[]' else jsonb_build_array(c.act_id) end)::text,
      'UTF8')), ''::bytea order by c.change_id), ''::bytea)) end
  from unnest(ids) i(id) left join changes c on c.change_id = i.id
$$;

create or replace view audit.changes as
select change_id, changed_at, of_table, row_key, kept, act, actor, reason, act_id from changes;

-- What a person or a key posts is an act of theirs. What a worker posts is none, and costs nothing here.
create trigger batches_of_actors_are_kept after insert on batches referencing new table as new_rows
  for each statement when (current_setting('spanledger.actor', true) <> '')
  execute function keep_change('batch_id', 'salt');

-- ---------------------------------------------------------------------------------------------------
-- One history of a tenant, and keys in the journal

drop table tenant_changes;

-- When a key was last used stands apart, since it is written nearly with every request.
create table http_key_uses (
  key_id text collate "C" primary key references http_keys,
  last_used_at timestamptz not null
);
insert into http_key_uses select key_id, last_used_at from http_keys where last_used_at is not null;
alter table http_keys drop column last_used_at;
select begin_journal('http_keys', 'key_id', 'key_hash');
