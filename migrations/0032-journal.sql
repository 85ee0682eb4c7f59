-- What decides who pays and what was told to whom is written down as it changes, and sealed, so that a change past our code shows.

-- ---------------------------------------------------------------------------------------------------
-- The journal

-- One row of a table as it was after a change; `kept` is null where the row was deleted.
create table changes (
  change_id bigint generated always as identity primary key,
  changed_at timestamptz not null default clock_timestamp(),
  of_table text collate "C" not null,
  row_key jsonb not null,
  kept jsonb,
  act text not null,
  actor text not null,
  reason text
);
create index changes_by_row on changes (of_table, row_key, change_id);
create trigger changes_are_append_only before update or delete or truncate on changes
  for each statement execute function refuse_change();

-- A change waits here until a seal holds it. It comes with its transaction, so one that commits late is sealed late.
create table change_queue (change_id bigint primary key);

-- The columns that identify a row.
create function key_of(kept jsonb, names text[]) returns jsonb language sql immutable parallel safe as $$
  select jsonb_object_agg(name, kept -> name) from unnest(names) name
$$;

-- A long text is kept as its digest.
create function with_digests(kept jsonb, names text[]) returns jsonb language sql immutable parallel safe as $$
  select kept || coalesce(jsonb_object_agg(name, encode(sha256(convert_to(coalesce(kept ->> name, ''), 'UTF8')), 'hex')), '{}')
  from unnest(names) name
$$;

-- A row as it is kept: whatever the session's time zone, with the same text.
create function kept_of(of_row anyelement) returns jsonb language sql stable
set timezone = 'UTC' set bytea_output = 'hex' as $$
  select to_jsonb(of_row)
$$;

-- Its arguments: the columns of the key, and those that are kept as digests. It writes for roles that may not
-- read the journal, and so its path is its own.
create function keep_change() returns trigger language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' set bytea_output = 'hex' as $$
declare
  names text[] := string_to_array(tg_argv[0], ',');
  long text[] := string_to_array(tg_argv[1], ',');
  said_act text := coalesce(nullif(current_setting('spanledger.act', true), ''), lower(tg_op));
  said_actor text := coalesce(nullif(current_setting('spanledger.actor', true), ''), session_user);
  said_reason text := nullif(current_setting('spanledger.reason', true), '');
begin
  if tg_op = 'DELETE' then
    with kept as (
      insert into changes (of_table, row_key, kept, act, actor, reason)
      select tg_table_name, key_of(to_jsonb(o), names), null, said_act, said_actor, said_reason from old_rows o
      returning change_id
    ) insert into change_queue select change_id from kept;
  else
    with kept as (
      insert into changes (of_table, row_key, kept, act, actor, reason)
      select tg_table_name, key_of(to_jsonb(n), names), with_digests(to_jsonb(n), long), said_act, said_actor, said_reason
      from new_rows n
      returning change_id
    ) insert into change_queue select change_id from kept;
  end if;
  return null;
end $$;
-- Nobody may write a change without the row that changed.
revoke execute on function keep_change() from public;

-- Begins the journal of a table, with the rows that it has.
create function begin_journal(of_table text, key text, long text) returns void language plpgsql
set timezone = 'UTC' set bytea_output = 'hex' as $$
begin
  execute format('create trigger %I after insert on %I referencing new table as new_rows
    for each statement execute function keep_change(%L, %L)', of_table || '_inserts_are_kept', of_table, key, long);
  execute format('create trigger %I after update on %I referencing new table as new_rows
    for each statement execute function keep_change(%L, %L)', of_table || '_updates_are_kept', of_table, key, long);
  execute format('create trigger %I after delete on %I referencing old table as old_rows
    for each statement execute function keep_change(%L, %L)', of_table || '_deletes_are_kept', of_table, key, long);
  execute format('with kept as (
      insert into changes (of_table, row_key, kept, act, actor)
      select %L, key_of(to_jsonb(n), %L), with_digests(to_jsonb(n), %L), ''before the journal'', session_user from %I n
      returning change_id
    ) insert into change_queue select change_id from kept',
    of_table, string_to_array(key, ','), string_to_array(long, ','), of_table);
end $$;

select begin_journal('tenants', 'tenant_id', '');
select begin_journal('tenant_price_books', 'tenant_id,effective_from', '');
select begin_journal('tenant_calendar_changes', 'tenant_id,effective_from', '');
select begin_journal('default_price_books', 'effective_from', '');
select begin_journal('price_books', 'book,effective_from', 'document');
select begin_journal('exchange_versions', 'version_id', '');
select begin_journal('exchange_rates', 'version_id,currency', '');
select begin_journal('periods', 'tenant_id,period_start', '');
select begin_journal('closes', 'tenant_id,period_start', 'manifest');
select begin_journal('push_intents', 'tenant_id,period_start,sequence', '');
select begin_journal('allocations', 'pool,month,revision', '');
select begin_journal('budgets', 'tenant_id,per,feature,user_id', '');
select begin_journal('quarantine', 'quarantine_id', 'body');
select begin_journal('stripe_customers', 'tenant_id,stripe_customer,livemode', '');
select begin_journal('stripe_meters', 'currency,livemode', '');
select begin_journal('stripe_alerts', 'alert_id', '');
select begin_journal('ledger_name', 'only_one', '');

-- ---------------------------------------------------------------------------------------------------
-- Seals: what stands beside the entries of a batch, and changes

-- A seal is about a batch, or about changes alone where no batch was waiting. Both columns are null in seals of before.
alter table seals
  alter column batch_id drop not null,
  add column beside bytea check (length(beside) = 32),
  add column change_ids bigint[],
  add constraint seal_is_about_something check (batch_id is not null or (beside is not null and cardinality(change_ids) > 0));

-- The digest of the receipts and the structure of each batch. The order of rows is that of their digests; a column
-- that is added later must be null in rows of before, and then leaves no trace.
create function batches_beside(ids bigint[]) returns table (batch_id bigint, digest bytea)
language sql stable set timezone = 'UTC' set bytea_output = 'hex' as $$
  with receipt as (
    select h.batch_id, sha256(string_agg(h.digest, ''::bytea order by h.digest)) as digest from (
      select r.batch_id, sha256(convert_to(jsonb_strip_nulls(to_jsonb(r))::text, 'UTF8')) as digest
      from receipts r where r.batch_id = any(ids)
    ) h group by h.batch_id
  ), structure as (
    select h.batch_id, sha256(string_agg(h.digest, ''::bytea order by h.digest)) as digest from (
      select s.batch_id, sha256(convert_to(jsonb_strip_nulls(to_jsonb(s))::text, 'UTF8')) as digest
      from structure_spans s where s.batch_id = any(ids)
    ) h group by h.batch_id
  )
  select i.id, sha256(coalesce(r.digest, '\x00') || coalesce(s.digest, '\x00'))
  from unnest(ids) i(id) left join receipt r on r.batch_id = i.id left join structure s on s.batch_id = i.id
$$;

-- The digest of changes, in the order of their ids; null where one of them is gone.
create function changes_digest(ids bigint[]) returns bytea
language sql stable set timezone = 'UTC' set bytea_output = 'hex' as $$
  select case when count(c.change_id) = cardinality(ids) then sha256(coalesce(string_agg(
    sha256(convert_to(jsonb_build_array(c.change_id, c.changed_at, c.of_table, c.row_key, c.kept, c.act, c.actor, c.reason)::text,
      'UTF8')), ''::bytea order by c.change_id), ''::bytea)) end
  from unnest(ids) i(id) left join changes c on c.change_id = i.id
$$;

create view audit.changes as
select change_id, changed_at, of_table, row_key, kept, act, actor, reason from changes;
