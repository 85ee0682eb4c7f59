-- Usage is a map of units, and what counts no text has no column: audio, pictures, searches and their prices
-- stand in maps, so that a new unit needs no migration. Entries without a measure, costs that producers report,
-- the ids of calls and adjustments come with it.

-- ---------------------------------------------------------------------------------------------------
-- Maps of units: {"input_audio_tokens": 40, "images": 2}

-- Of such a map, what stands inside a total of text, by the names: of 'input' is all that begins with input,
-- cache_read or cache_write, of 'cache_read' what begins with that. What is no token stands in no total.
create function units_within(units jsonb, total text) returns bigint language sql immutable parallel safe as $$
  select case when units is null then 0::bigint else (
    select coalesce(sum(u.value::bigint), 0)::bigint from jsonb_each_text(units) u
    where u.key like '%\_tokens' and (u.key like total || '\_%' or total = 'input' and u.key like 'cache\_%')
  ) end
$$;

create function add_units(a jsonb, b jsonb) returns jsonb language sql immutable parallel safe strict as $$
  select coalesce(jsonb_object_agg(s.key, s.total), '{}') from (
    select u.key, sum(u.value::numeric) as total
    from (select * from jsonb_each_text(a) union all select * from jsonb_each_text(b)) u group by u.key
  ) s
$$;

-- Null where no row has any.
create aggregate sum_units(jsonb) (sfunc = add_units, stype = jsonb, combinefunc = add_units, parallel = safe);

-- ---------------------------------------------------------------------------------------------------
-- Prices

-- A model that is priced by pictures or by the call alone has no price of text. What a book leaves out has been
-- filled in by what it falls back to, or is null.
alter table price_rates alter column input drop not null, alter column output drop not null,
  alter column cache_read drop not null, alter column cache_write drop not null;
-- picodollars a unit, as decimal strings by the names of units; null where there are only text prices
alter table price_rates add column units jsonb check (units is null or jsonb_typeof(units) = 'object' and units <> '{}');
-- millionths; of a book that takes its base at a discount
alter table price_books add column base_factor numeric(38, 0) check (base_factor between 0 and 1000000);

-- What the output among a map of units comes to at these prices times a factor in millionths, each rounded half up.
create function output_units_amount(units jsonb, prices jsonb, factor numeric) returns numeric
language sql immutable parallel safe as $$
  select case when units is null then 0 else (
    select coalesce(sum(u.value::numeric * floor((2 * (prices ->> u.key)::numeric * factor + 1000000) / 2000000)), 0)
    from jsonb_each_text(units) u where u.key like 'output\_%')
  end
$$;

-- ---------------------------------------------------------------------------------------------------
-- Entries

alter table entries
  -- every unit beside text tokens, disjoint from them; null where there is none; negative in a reversal
  add column units jsonb,
  -- what the producer said that the call cost, in picodollars of its currency; it decides nothing (R22)
  add column reported_cost numeric(38, 0),
  add column reported_cost_currency text,
  add column reported_cost_source text,
  -- the gateway's id of one call over its attempts and reports
  add column call_id text,
  -- of a member's entry, the counts of the whole call, so that anyone can see that the parts sum to it (R7)
  add column call_usage jsonb,
  add constraint units_are_counts check (units is null or jsonb_typeof(units) = 'object' and units <> '{}'
    and not jsonb_path_exists(units, '$.* ? (@.type() != "number")')
    and (kind <> 'usage' or not jsonb_path_exists(units, '$.* ? (@ < 0)'))),
  add constraint reported_cost_is_whole check ((reported_cost is null) = (reported_cost_currency is null)
    and (reported_cost is null) = (reported_cost_source is null)),
  drop constraint entries_kind_check,
  add constraint entries_kind_check check (kind in ('usage', 'correction', 'allocation', 'adjustment')),
  drop constraint entries_outcome_check,
  add constraint entries_outcome_check
    check (outcome in ('charged', 'failed', 'cancelled', 'unrated', 'unmeasured', 'unattributed')),
  drop constraint unrated_has_no_charge,
  add constraint unrated_has_no_charge check ((charge is null) = (outcome in ('unrated', 'unmeasured'))),
  drop constraint only_success_is_charged,
  add constraint only_success_is_charged
    check (outcome in ('charged', 'unrated', 'unmeasured') or charge = 0 or kind = 'allocation'),
  drop constraint correction_names_its_entry,
  add constraint correction_names_its_entry check (
    corrects_entry_id is not null and (kind = 'correction' or kind in ('allocation', 'adjustment') and is_reversal)
    or corrects_entry_id is null and (kind = 'usage' or kind in ('allocation', 'adjustment') and not is_reversal));
alter table batches drop constraint batches_kind_check,
  add constraint batches_kind_check check (kind in ('ingest', 'replay', 'correction', 'allocation', 'adjustment'));

drop index entries_unrated;
create index entries_waiting on entries (tenant_id, period_start) where outcome in ('unrated', 'unmeasured');

-- What is null leaves no trace, so that an entry sealed before this keeps its hash. What came later stands at the
-- end of its text: all of it, or nothing.
create or replace function entry_shown(e entries) returns text language sql stable parallel safe as $$
  select array_to_string(array[
    copy_text(e.tenant_id), copy_text(e.source), copy_text(e.event_id), copy_text(e.member_id), e.revision::text,
    e.entry_id::text, e.kind, e.outcome, e.status, copy_instant(e.occurred_at), copy_instant(e.started_at),
    copy_instant(e.recorded_at), to_char(e.period_start, 'YYYY-MM-DD'), copy_boolean(e.late), copy_text(e.operation),
    copy_text(e.requested_model), copy_text(e.service_tier), copy_text(e.gateway_cache), e.uncached_input_tokens::text,
    e.cache_read_tokens::text, e.cache_write_tokens::text, e.output_tokens::text, e.reasoning_tokens::text,
    e.call_share::text, e.usage_source, e.layer_prompt_tokens::text, e.layer_tool_tokens::text,
    e.layer_memory_tokens::text, e.layer_response_tokens::text, e.charge::text, copy_text(e.currency),
    copy_text(e.charge_book), copy_instant(e.charge_version), e.charge_rate_id::text, copy_text(e.user_id),
    copy_text(e.feature), copy_text(e.agent_run_id), copy_text(e.prompt_version), copy_text(e.trace_id),
    copy_text(e.span_id), copy_text(e.parent_span_id), e.attempt::text, e.corrects_entry_id::text,
    copy_boolean(e.is_reversal)], e'\t', '\N') || coalesce(e'\t' || copy_text(e.units::text), '')
$$;

create or replace function entry_hidden(e entries, salt bytea) returns bytea language sql stable parallel safe as $$
  select sha256('\x02'::bytea || convert_to(encode(salt, 'hex') || e'\t' || e.entry_id || e'\t' || array_to_string(array[
    copy_text(e.error_type), copy_text(e.provider), copy_text(e.executed_model), copy_text(e.response_id),
    e.context_tokens::text, e.cost::text, e.requested_cost::text, copy_text(e.cost_book), copy_instant(e.cost_version),
    e.cost_rate_id::text, copy_text(e.further_tags::text), copy_text(e.reason), copy_text(e.actor),
    '\\x' || encode(e.event_digest, 'hex')], e'\t', '\N')
    || case when num_nonnulls(e.reported_cost, e.call_id, e.call_usage) = 0 then ''
      else e'\t' || array_to_string(array[e.reported_cost::text, copy_text(e.reported_cost_currency),
        copy_text(e.reported_cost_source), copy_text(e.call_id), copy_text(e.call_usage::text)], e'\t', '\N') end,
    'UTF8'))
$$;

create or replace view entry_leaves as
select e.tenant_id, e.period_start, e.entry_id, b.batch_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from entries e join batches b on b.batch_id = e.entry_id / 1000000;

create or replace view batch_leaves as
select b.batch_id, e.entry_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from batches b cross join lateral (
  select * from entries n where n.entry_id >= b.batch_id * 1000000 and n.entry_id < (b.batch_id + 1) * 1000000 offset 0
) e;

-- ---------------------------------------------------------------------------------------------------
-- Rollups

alter table usage_rollups add column units jsonb;
alter table run_usage add column units jsonb;

create or replace view run_rollups with (security_invoker = true) as
select r.tenant_id, r.period_start, r.day, u.kind, u.outcome, u.late, u.provider, u.requested_model, u.executed_model,
  u.feature, u.prompt_version, u.currency, r.user_id, r.agent_run_id, r.entries, r.input_tokens, r.cache_read_tokens,
  r.cache_write_tokens, r.output_tokens, r.tool_tokens, r.memory_tokens, r.charge, r.cost, r.output_charge,
  r.output_cost, r.routing_gain, r.units
from run_usage r
join usage_rollups u on u.tenant_id = r.tenant_id and u.period_start = r.period_start and u.day = r.day
  and u.usage_key = r.usage_key;

-- ---------------------------------------------------------------------------------------------------
-- What auditors read: token columns are totals, whatever the tokens carry

create or replace view audit.entries as
select 'ent_' || entry_id as entry_id, kind, outcome, tenant_id, source, event_id, nullif(member_id, '') as member_id,
  occurred_at, recorded_at, period_start, late, provider, requested_model, executed_model, service_tier, gateway_cache,
  uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input_tokens,
  cache_read_tokens + units_within(units, 'cache_read') as cache_read_tokens,
  cache_write_tokens + units_within(units, 'cache_write') as cache_write_tokens,
  output_tokens + units_within(units, 'output') as output_tokens, reasoning_tokens,
  major(charge) as charge, major(cost) as cost, currency, charge_book, charge_version,
  user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id, attempt,
  'ent_' || corrects_entry_id as corrects_entry_id, reason,
  operation, status, error_type, response_id, usage_source, cost_book, cost_version, actor, is_reversal, revision,
  units, major(reported_cost) as reported_cost, reported_cost_currency, reported_cost_source, call_id
from entries;
