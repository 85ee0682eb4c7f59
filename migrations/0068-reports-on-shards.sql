-- Where a database is distributed, second reports and calls without an operation are on the shards of their tenant. What is
-- looked up of them is a function, then, as in 0064-looked-up-by-function.

create function second_reports_of_ledger() returns setof second_reports language sql stable parallel safe as $$
  select * from second_reports $$;

-- Keys begin with the tenant, so that an event is asked of each.
create function second_reports_of_event(of_source text, of_event text) returns setof second_reports
  language sql stable parallel safe as $$
  select s.* from tenants t cross join lateral (
    select * from second_reports where tenant_id = t.tenant_id and source = of_source and event_id = of_event) s $$;

-- Those that were not taken back, so many of a trace at the most.
create function unnamed_of_traces(of_traces text[], of_most integer) returns setof unnamed_spans
  language sql stable parallel safe as $$
  select u.* from unnest(of_traces) t(trace_id) cross join lateral (
    select * from unnamed_spans s where s.trace_id = t.trace_id limit of_most) u
  where not exists (select from second_reports r
    where r.tenant_id = u.tenant_id and r.source = u.source and r.event_id = u.event_id) $$;

drop function what_is_held();
create function what_is_held() returns table (nobodys_answers boolean, nobodys_calls boolean, bare_spans boolean,
    unnamed_spans boolean)
  language sql stable parallel safe as $$
  select
    exists (select from entries o where o.tenant_id = 'unattributed' and o.response_id is not null
      and o.gateway_cache = 'none' and o.revision = 0 and o.status = 'ok' order by o.response_id limit 1),
    exists (select from entries o where o.tenant_id = 'unattributed' order by o.tenant_id, o.source, o.event_id limit 1),
    exists (select from entries o where (o.response_id is null or o.gateway_cache <> 'none')
      and (o.span_id is not null or o.parent_span_id is not null) and o.revision = 0 and o.status = 'ok'
      order by o.span_id collate "C" limit 1),
    exists (select from unnamed_spans) $$;

create or replace view audit.second_reports as
select tenant_id, source, event_id, because, repeats_tenant_id, repeats_source, repeats_event_id,
  (select 'ent_' || e.entry_id from entries_of_event(s.repeats_tenant_id, s.repeats_source, s.repeats_event_id) e
   order by e.revision, e.entry_id limit 1) as repeats_entry_id,
  recorded_at
from second_reports_of_ledger() s;
