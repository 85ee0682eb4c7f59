-- Two reports of one call are found under any tenant and by any mark: the response, the gateway's call, nested spans.

-- The second report of a response is refused here, across workers, and then judged by what both measured (R8). It
-- begins with the response, since a report without a tenant is looked for among all tenants. Outside stay hits of a
-- gateway's cache, failures, and answers that measured nothing: a report that measured more is posted beside those.
drop index entries_by_response;
create unique index entries_by_response on entries (response_id, tenant_id, (coalesce(provider, '')), member_id)
  where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok'
    and (uncached_input_tokens + cache_read_tokens + cache_write_tokens + output_tokens > 0 or units is not null);
create index entries_unmeasured_responses on entries (response_id)
  where response_id is not null and revision = 0 and gateway_cache = 'none' and status = 'ok'
    and uncached_input_tokens + cache_read_tokens + cache_write_tokens + output_tokens = 0 and units is null;

-- The attempts and the reports of one call of a gateway.
create index entries_by_call on entries ((call_id collate "C"), occurred_at) where call_id is not null;

-- Nested spans of one call: what lies within a span, and spans that may enclose another report.
create index entries_within_span on entries ((parent_span_id collate "C"))
  where parent_span_id is not null and revision = 0 and status = 'ok';
create index entries_around_span on entries ((span_id collate "C"))
  where span_id is not null and response_id is null and revision = 0 and status = 'ok';

-- Every event that was taken for a second report of a call, and the event that it repeats.
create table second_reports (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  because text not null check (because in ('response', 'call', 'nested')),
  repeats_tenant_id text collate "C" not null,
  repeats_source text collate "C" not null,
  repeats_event_id text collate "C" not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, source, event_id)
);
create trigger second_reports_are_append_only before update or delete or truncate on second_reports
  for each statement execute function refuse_change();

create view audit.second_reports as
select tenant_id, source, event_id, because, repeats_tenant_id, repeats_source, repeats_event_id,
  (select 'ent_' || e.entry_id from entries e
   where e.tenant_id = s.repeats_tenant_id and e.source = s.repeats_source and e.event_id = s.repeats_event_id
   order by e.revision, e.entry_id limit 1) as repeats_entry_id,
  recorded_at
from second_reports s;
