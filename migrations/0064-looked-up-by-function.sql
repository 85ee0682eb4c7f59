-- Where a database is distributed its planner knows no LATERAL look-up in a distributed table and no recursion over one.
-- Such look-ups are functions, then: Postgres alone puts each in the place of its call and plans as if it stood there,
-- and citus.sql makes each anew as one that asks the shards by itself.

create function entries_of_ledger() returns setof entries language sql stable parallel safe as $$
  select * from entries $$;

create function entries_of_batch(of_batch bigint) returns setof entries language sql stable parallel safe as $$
  select * from entries where entry_id >= of_batch * 1000000 and entry_id < (of_batch + 1) * 1000000 $$;

create function entries_of_id(of_id bigint) returns setof entries language sql stable parallel safe as $$
  select * from entries where entry_id = of_id $$;

create function entries_of_ids(of_ids bigint[]) returns setof entries language sql stable parallel safe as $$
  select * from entries where entry_id = any(of_ids) $$;

create function corrections_of(of_id bigint) returns setof entries language sql stable parallel safe as $$
  select * from entries where corrects_entry_id = of_id $$;

create function entries_of_event(of_tenant text, of_source text, of_event text) returns setof entries
  language sql stable parallel safe as $$
  select * from entries where tenant_id = of_tenant and source = of_source and event_id = of_event $$;

create function entries_of_tenant(of_tenant text) returns setof entries language sql stable parallel safe as $$
  select * from entries where tenant_id = of_tenant $$;

create function entries_of_period(of_tenant text, of_period date) returns setof entries
  language sql stable parallel safe as $$
  select * from entries where tenant_id = of_tenant and period_start = of_period $$;

create function entries_of_periods(of_tenants text[], of_periods date[]) returns setof entries
  language sql stable parallel safe as $$
  select * from entries where tenant_id = any(of_tenants) and period_start = any(of_periods) $$;

create function entries_of_response(of_response text) returns setof entries language sql stable parallel safe as $$
  select * from entries where response_id = of_response $$;

create function entries_of_call(of_call text) returns setof entries language sql stable parallel safe as $$
  select * from entries where call_id collate "C" = of_call and call_id is not null $$;

create function entries_of_span(of_span text) returns setof entries language sql stable parallel safe as $$
  select * from entries where span_id collate "C" = of_span $$;

create function entries_within_span(of_span text) returns setof entries language sql stable parallel safe as $$
  select * from entries where parent_span_id collate "C" = of_span and parent_span_id is not null $$;

create function spans_of_ledger() returns setof structure_spans language sql stable parallel safe as $$
  select * from structure_spans $$;

create function spans_of_batches(of_batches bigint[]) returns setof structure_spans
  language sql stable parallel safe as $$
  select * from structure_spans where batch_id = any(of_batches) $$;

create function spans_of_span(of_span text) returns setof structure_spans language sql stable parallel safe as $$
  select * from structure_spans where span_id collate "C" = of_span and span_id is not null $$;

create function spans_within_span(of_span text) returns setof structure_spans
  language sql stable parallel safe as $$
  select * from structure_spans where parent_span_id collate "C" = of_span $$;

-- The digests of what was taken for these events, a tenant and a source at a time: the ids of a pack lie near one
-- another, and one descent of the index serves many.
create function known_events(of_tenants text[], of_sources text[], of_events text[])
  returns table (n bigint, event_id text, digests bytea[]) language sql stable parallel safe as $$
  select g.n, l.event_id, l.digests
  from unnest(of_tenants, of_sources, of_events) with ordinality g(tenant, source, ids, n)
  cross join lateral (
    select e.event_id, array_agg(e.event_digest order by e.revision desc) as digests from entries e
      where e.tenant_id = g.tenant and e.source = g.source and e.event_id = any(g.ids::text[])
      group by e.event_id
    union all
    select s.event_id, array[s.event_digest] from structure_spans s
      where s.tenant_id = g.tenant and s.source = g.source and s.event_id = any(g.ids::text[])
  ) l $$;

-- What there may be for whose sake a fold reads entries again; the orders make each of them one step into its index.
create function what_is_held() returns table (nobodys_answers boolean, nobodys_calls boolean, bare_spans boolean)
  language sql stable parallel safe as $$
  select
    exists (select from entries o where o.tenant_id = 'unattributed' and o.response_id is not null
      and o.gateway_cache = 'none' and o.revision = 0 and o.status = 'ok' order by o.response_id limit 1),
    exists (select from entries o where o.tenant_id = 'unattributed' order by o.tenant_id, o.source, o.event_id limit 1),
    exists (select from entries o where (o.response_id is null or o.gateway_cache <> 'none')
      and (o.span_id is not null or o.parent_span_id is not null) and o.revision = 0 and o.status = 'ok'
      order by o.span_id collate "C" limit 1) $$;

create or replace view batch_leaves as
select b.batch_id, e.entry_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from batches b cross join lateral (select * from entries_of_batch(b.batch_id) offset 0) e;

create or replace view entry_leaves as
select e.tenant_id, e.period_start, e.entry_id, b.batch_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from entries_of_ledger() e join batches b on b.batch_id = e.entry_id / 1000000;

create or replace view audit.allocations as
select a.pool, to_char(a.month, 'YYYY-MM') as month, a.revision, e.tenant_id, 'ent_' || e.entry_id as entry_id,
  e.is_reversal, not e.is_reversal and not exists (
    select 1 from allocations later where later.pool = a.pool and later.month = a.month
      and later.revision > a.revision) as stands,
  a.basis, a.weights, (e.further_tags ->> 'weight')::numeric as weight, a.weight_total,
  (e.further_tags ->> 'remainder_place')::integer as remainder_place,
  major(a.amount) as pool_amount, major(e.cost) as cost, major(e.charge) as charge, e.currency, a.billed,
  e.period_start, e.late, a.reason, a.actor, a.recorded_at
from allocations a
cross join lateral (
  select entry_id, tenant_id, period_start, late, is_reversal, further_tags, cost, charge, currency
  from entries_of_batch(a.batch_id) offset 0) e;

create or replace view audit.second_reports as
select tenant_id, source, event_id, because, repeats_tenant_id, repeats_source, repeats_event_id,
  (select 'ent_' || e.entry_id from entries_of_event(s.repeats_tenant_id, s.repeats_source, s.repeats_event_id) e
   order by e.revision, e.entry_id limit 1) as repeats_entry_id,
  recorded_at
from second_reports s;

-- A function's own values are none that shards could be asked by, so that it asks by these.
create or replace function batches_beside(ids bigint[])
 returns table(batch_id bigint, digest bytea)
 language sql
 stable
 set timezone to 'UTC'
 set bytea_output to 'hex'
as $$
  with receipt as (
    select h.batch_id, sha256(string_agg(h.digest, ''::bytea order by h.digest)) as digest from (
      select r.batch_id, sha256(convert_to(jsonb_strip_nulls(to_jsonb(r))::text, 'UTF8')) as digest
      from receipts r where r.batch_id = any(ids)
    ) h group by h.batch_id
  ), structure as (
    select h.batch_id, sha256(string_agg(h.digest, ''::bytea order by h.digest)) as digest from (
      select s.batch_id, sha256(convert_to(jsonb_strip_nulls(to_jsonb(s))::text, 'UTF8')) as digest
      from spans_of_batches(ids) s
    ) h group by h.batch_id
  )
  select i.id, sha256(coalesce(r.digest, '\x00') || coalesce(s.digest, '\x00'))
  from unnest(ids) i(id) left join receipt r on r.batch_id = i.id left join structure s on s.batch_id = i.id
$$;

create or replace function audit.periods_as_of(at timestamp with time zone)
 returns setof audit.periods
 language sql
 stable parallel safe
as $$
  select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
    case when p.closed_at <= at then 'closed' else 'open' end,
    case when p.closed_at <= at then p.entries else e.entries end,
    case when p.closed_at <= at then p.charge_exact else e.charge end,
    case when p.closed_at <= at then p.carried_in end,
    case when p.closed_at <= at then p.billable end,
    case when p.closed_at <= at then p.carried_out end,
    case when p.closed_at <= at then p.charge_total end,
    case when p.closed_at <= at then p.currency else e.currency end,
    case when p.closed_at <= at then p.manifest_hash end,
    case when p.closed_at <= at then p.closed_at end,
    p.mode,
    -- The close decides that nothing is due. When somebody was told has no history of its own.
    case when p.closed_at <= at and p.told = 'not_due' then 'not_due' end,
    null::text
  from audit.periods p
  left join lateral (
    select count(*) as entries, major(coalesce(sum(o.charge) filter (where o.not_due is not true), 0)) as charge,
      min(o.currency) as currency
    from entries_of_period(p.tenant_id, p.period_start) o
    where o.recorded_at <= at
      and (p.closed_at <= at) is not true
  ) e on true
  where p.closed_at <= at or e.entries > 0
$$;

create or replace function audit.usage_daily_as_of(at timestamp with time zone)
 returns setof audit.usage_daily
 language sql
 stable parallel safe
as $$
  select (occurred_at at time zone 'UTC')::date, tenant_id, requested_model, nullif(feature, ''), outcome,
    count(*), sum(input_tokens), sum(output_tokens),
    trim_scale(coalesce(sum(charge), 0)), trim_scale(coalesce(sum(cost), 0))
  from audit.entries_as_of(at)
  group by 1, 2, 3, 4, 5
$$;

-- Whether Citus keeps a table on its workers.
create function is_distributed(of_table text) returns boolean language plpgsql stable as $$
declare
  answer boolean := false;
begin
  if to_regclass('pg_dist_partition') is not null then
    execute 'select exists (select from pg_dist_partition where logicalrelid = $1::regclass)' into answer using of_table;
  end if;
  return answer;
end $$;
