-- Looking for other reports of a call costs nothing where there are none: only the few that may have one are indexed.

-- It is true of a call that has its response's id in common with another report of its tenant, which posting looked at:
-- another call, or a report that is kept in the other's place. It is no part of an entry's hash, since it says nothing
-- that the entries themselves do not.
alter table entries add column shares_response boolean;

do $$
begin
  if exists (
    select from entries
    where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok'
    group by tenant_id, response_id, member_id having count(*) > 1
  ) then
    alter table entries disable trigger user;
    update entries e set shares_response = true
    from (
      select entry_id,
        row_number() over (partition by tenant_id, response_id, member_id order by entry_id) as place
      from entries
      where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok'
    ) r
    where r.entry_id = e.entry_id and r.place > 1;
    alter table entries enable trigger user;
  end if;
end $$;

-- The second report of a response is refused here, across workers, and then judged by what both measured (R8). It
-- begins with the response, since a report without a tenant is looked for among all tenants. Outside stay hits of a
-- gateway's cache and failures; inside, what was judged gets a place of its own.
drop index entries_by_response;
drop index entries_unmeasured_responses;
create unique index entries_by_response
  on entries (response_id, tenant_id, member_id, (case when shares_response then entry_id else 0 end))
  where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok';

-- Reports without a tenant, and spans without a response of their own: any other report may be one of the same call.
create index entries_without_tenant on entries (response_id)
  where tenant_id = 'unattributed' and response_id is not null and revision = 0 and gateway_cache = 'none'
    and status = 'ok';
drop index entries_around_span;
create index entries_around_span on entries ((span_id collate "C"))
  where (response_id is null or gateway_cache <> 'none') and (span_id is not null or parent_span_id is not null)
    and revision = 0 and status = 'ok';

-- Of a batch, the entries that may be one of several reports of a call, and those that may be one of its attempts.
create index entries_to_join on entries (entry_id)
  where revision = 0 and status = 'ok' and (call_id is not null or shares_response
    or (response_id is null or gateway_cache <> 'none') and (span_id is not null or parent_span_id is not null)
    or response_id is not null and tenant_id = 'unattributed');
create index entries_attempted on entries (entry_id)
  where call_id is not null or trace_id is not null
    and (status <> 'ok' or attempt > 1 or further_tags ? 'requested_model_source');

-- An entry without further units pays for no function call: these stand inside the query that names them, and call on
-- only where there are units. Folding a batch of text calls took six times as long before.
create function sum_within(units jsonb, total text) returns bigint language sql immutable parallel safe as $$
  select coalesce(sum(u.value::bigint), 0)::bigint from jsonb_each_text(units) u
  where u.key like '%\_tokens' and (u.key like total || '\_%' or total = 'input' and u.key like 'cache\_%')
$$;
create or replace function units_within(units jsonb, total text) returns bigint
language sql immutable parallel safe as $$
  select case when units is null then 0::bigint else sum_within(units, total) end
$$;
create function sum_of_output(units jsonb, prices jsonb, factor numeric) returns numeric
language sql immutable parallel safe as $$
  select coalesce(sum(u.value::numeric * floor((2 * (prices ->> u.key)::numeric * factor + 1000000) / 2000000)), 0)
  from jsonb_each_text(units) u where u.key like 'output\_%'
$$;
create or replace function output_units_amount(units jsonb, prices jsonb, factor numeric) returns numeric
language sql immutable parallel safe as $$
  select case when units is null then 0::numeric else sum_of_output(units, prices, factor) end
$$;
