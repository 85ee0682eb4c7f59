-- For a database with Citus, and only there: the look-ups of 0064-looked-up-by-function and later ones, as what asks the shards. Not a
-- migration: "spanledger migrate --citus" applies it in the transaction in which it distributes the tables.
-- Each is planned by itself whenever it is called, so that a question around it may be as complex as it likes. How many rows
-- it finds is said of it: a planner that expects a thousand of each call multiplies them, and plans for millions.

create or replace function entries_of_ledger() returns setof entries language plpgsql stable strict as $$
begin return query select * from entries; end $$;

create or replace function entries_of_batch(of_batch bigint) returns setof entries language plpgsql stable strict rows 100 as $$
begin return query select * from entries
  where entry_id >= of_batch * 1000000 and entry_id < (of_batch + 1) * 1000000; end $$;

create or replace function entries_of_id(of_id bigint) returns setof entries language plpgsql stable strict rows 1 as $$
begin return query select * from entries where entry_id = of_id; end $$;

create or replace function entries_of_ids(of_ids bigint[]) returns setof entries language plpgsql stable strict rows 100 as $$
begin return query select * from entries where entry_id = any(of_ids); end $$;

create or replace function corrections_of(of_id bigint) returns setof entries language plpgsql stable strict rows 1 as $$
begin return query select * from entries where corrects_entry_id = of_id; end $$;

create or replace function entries_of_event(of_tenant text, of_source text, of_event text) returns setof entries
  language plpgsql stable strict rows 2 as $$
begin return query select * from entries
  where tenant_id = of_tenant and source = of_source and event_id = of_event; end $$;

create or replace function entries_of_tenant(of_tenant text) returns setof entries
  language plpgsql stable strict as $$
begin return query select * from entries where tenant_id = of_tenant; end $$;

create or replace function entries_of_period(of_tenant text, of_period date) returns setof entries
  language plpgsql stable strict as $$
begin return query select * from entries where tenant_id = of_tenant and period_start = of_period; end $$;

create or replace function entries_of_periods(of_tenants text[], of_periods date[]) returns setof entries
  language plpgsql stable strict as $$
begin return query select * from entries where tenant_id = any(of_tenants) and period_start = any(of_periods); end $$;

create or replace function entries_of_response(of_response text) returns setof entries language plpgsql stable strict rows 2 as $$
begin return query select * from entries
  where hashtextextended(response_id, 0) = hashtextextended(of_response, 0) and response_id = of_response; end $$;

create or replace function entries_of_response_hash(of_response text) returns setof entries
  language plpgsql stable strict rows 2 as $$
begin return query select * from entries
  where hashtextextended(response_id, 0) = hashtextextended(of_response, 0); end $$;

create or replace function entries_of_call(of_call text) returns setof entries language plpgsql stable strict rows 2 as $$
begin return query select * from entries where call_id collate "C" = of_call and call_id is not null; end $$;

create or replace function entries_of_span(of_span text) returns setof entries language plpgsql stable strict rows 1 as $$
begin return query select * from entries where span_id collate "C" = of_span; end $$;

create or replace function entries_within_span(of_span text) returns setof entries language plpgsql stable strict rows 4 as $$
begin return query select * from entries
  where parent_span_id collate "C" = of_span and parent_span_id is not null; end $$;

create or replace function spans_of_ledger() returns setof structure_spans language plpgsql stable as $$
begin return query select * from structure_spans; end $$;

create or replace function spans_of_batches(of_batches bigint[]) returns setof structure_spans
  language plpgsql stable strict rows 100 as $$
begin return query select * from structure_spans where batch_id = any(of_batches); end $$;

create or replace function spans_of_span(of_span text) returns setof structure_spans language plpgsql stable strict rows 1 as $$
begin return query select * from structure_spans
  where span_id collate "C" = of_span and span_id is not null; end $$;

create or replace function spans_within_span(of_span text) returns setof structure_spans
  language plpgsql stable strict rows 4 as $$
begin return query select * from structure_spans where parent_span_id collate "C" = of_span; end $$;

-- One question to all shards for a batch of many tenants, and not one a tenant.
create or replace function known_events(of_tenants text[], of_sources text[], of_events text[])
  returns table (n bigint, event_id text, digests bytea[]) language plpgsql stable strict rows 100 as $$
declare
  asked_n bigint[];
  asked_tenant text[];
  asked_source text[];
  asked_event text[];
begin
  select array_agg(g.n), array_agg(g.tenant), array_agg(g.source), array_agg(i.id)
    into asked_n, asked_tenant, asked_source, asked_event
  from unnest(of_tenants, of_sources, of_events) with ordinality g(tenant, source, ids, n)
  cross join lateral unnest(g.ids::text[]) i(id);
  return query
    select k.n, e.event_id, array_agg(e.event_digest order by e.revision desc)
    from unnest(asked_n, asked_tenant, asked_source, asked_event) k(n, tenant, source, event)
    join entries e on e.tenant_id = k.tenant and e.source = k.source and e.event_id = k.event
    group by k.n, e.event_id;
  return query
    select k.n, s.event_id, array[s.event_digest]
    from unnest(asked_n, asked_tenant, asked_source, asked_event) k(n, tenant, source, event)
    join structure_spans s on s.tenant_id = k.tenant and s.source = k.source and s.event_id = k.event;
end $$;

create or replace function what_is_held() returns table (nobodys_answers boolean, nobodys_calls boolean, bare_spans boolean,
    unnamed_spans boolean)
  language plpgsql stable rows 1 as $$
begin
  perform from entries o where o.tenant_id = 'unattributed' and o.response_id is not null
    and o.gateway_cache = 'none' and o.revision = 0 and o.status = 'ok' limit 1;
  nobodys_answers := found;
  perform from entries o where o.tenant_id = 'unattributed' limit 1;
  nobodys_calls := found;
  perform from entries o where (o.response_id is null or o.gateway_cache <> 'none')
    and (o.span_id is not null or o.parent_span_id is not null) and o.revision = 0 and o.status = 'ok'
    order by o.span_id collate "C" limit 1;
  bare_spans := found;
  perform from public.unnamed_spans limit 1;
  unnamed_spans := found;
  return next;
end $$;

create or replace function second_reports_of_ledger() returns setof second_reports language plpgsql stable as $$
begin return query select * from second_reports; end $$;

-- All tenants at once, each shard by its key.
create or replace function second_reports_of_event(of_source text, of_event text) returns setof second_reports
  language plpgsql stable strict rows 1 as $$
declare
  asked text[];
begin
  select array_agg(tenant_id) into asked from tenants;
  return query select * from second_reports r
    where r.tenant_id = any(asked) and r.source = of_source and r.event_id = of_event;
end $$;

-- One question to all shards for the traces of a batch. So many of a trace are those of one tenant here.
create or replace function unnamed_of_traces(of_traces text[], of_most integer) returns setof unnamed_spans
  language plpgsql stable strict rows 10 as $$
begin return query
  select s.tenant_id, s.source, s.event_id, s.trace_id, s.span_id from (
    select u.*, row_number() over (partition by u.tenant_id, u.trace_id order by u.source, u.event_id) as n
    from unnamed_spans u where u.trace_id = any(of_traces)
  ) s
  where s.n <= of_most and not exists (select from second_reports r
    where r.tenant_id = s.tenant_id and r.source = s.source and r.event_id = s.event_id);
end $$;

-- A transaction is prepared on the nodes before it commits on the coordinator, and commits on them after it: whatever the
-- caller has seen on the coordinator is on the shards once no node has any of it prepared. Where a node was away just then,
-- Citus commits it there within a minute or so ("citus.recover_2pc_interval").
create or replace function await_shards() returns void language plpgsql stable as $$
declare
  prepared text[];
  present text[];
  unheard text;
  due timestamptz := clock_timestamp() + interval '10 seconds';
  what constant text := 'select coalesce(string_agg(gid, '','' order by gid), '''') from pg_prepared_xacts
    where database = current_database() and gid like ''citus\_%''';
begin
  loop
    select string_to_array(string_agg(nullif(result, ''), ',') filter (where success), ','),
        string_agg(nodename || ':' || nodeport || ': ' || result, '; ') filter (where not success)
      from run_command_on_workers(what) into present, unheard;
    if unheard is not null then
      raise exception using errcode = '57P03', message = 'a node of the cluster does not answer: ' || unheard;
    end if;
    prepared := case when prepared is null then present
      else array(select unnest(prepared) intersect select unnest(present)) end;
    exit when coalesce(cardinality(prepared), 0) = 0;
    if clock_timestamp() > due then
      raise exception using errcode = '57P03',
        message = 'entries of a committed batch are still only prepared on a node of the cluster: ' || prepared[1],
        hint = 'Citus commits them by itself; if it does not, ask select recover_prepared_transactions() on the coordinator';
    end if;
    perform pg_sleep(0.005);
  end loop;
end $$;

create or replace function audit.entries_as_of(at timestamptz) returns setof audit.entries language plpgsql stable strict as $$
begin return query select * from audit.entries e where e.recorded_at <= at; end $$;
