-- The schema that the migrations make; not a migration, and never applied.
-- Made anew by: SPANLEDGER_WRITE_SCHEMA=1 npx vitest run test/database/schema.test.ts
-- As Postgres 18 writes it.

view tenant.entries with (security_invoker=true, security_barrier=true) as
 SELECT ('ent_'::text || entry_id) AS entry_id,
    kind,
    outcome,
    status,
    tenant_id,
    source,
    event_id,
    NULLIF(member_id, ''::text) AS member_id,
    occurred_at,
    recorded_at,
    period_start,
    late,
    operation,
    requested_model,
    service_tier,
    gateway_cache,
    (((uncached_input_tokens + cache_read_tokens) + cache_write_tokens) + units_within(units, 'input'::text)) AS input_tokens,
    (cache_read_tokens + units_within(units, 'cache_read'::text)) AS cache_read_tokens,
    (cache_write_tokens + units_within(units, 'cache_write'::text)) AS cache_write_tokens,
    (output_tokens + units_within(units, 'output'::text)) AS output_tokens,
    reasoning_tokens,
    major(charge) AS charge,
    currency,
    charge_book,
    charge_version,
    user_id,
    feature,
    agent_run_id,
    prompt_version,
    trace_id,
    span_id,
    parent_span_id,
    attempt,
    ('ent_'::text || corrects_entry_id) AS corrects_entry_id,
    is_reversal,
    units,
    (not_due IS TRUE) AS not_due
   FROM entries;

view tenant.periods with (security_invoker=true, security_barrier=true) as
 SELECT p.tenant_id,
    p.period_start,
    p.starts_at,
    p.ends_at,
    p.time_zone,
        CASE
            WHEN (c.tenant_id IS NULL) THEN 'open'::text
            ELSE 'closed'::text
        END AS state,
    c.entries,
    major(c.charge_exact) AS charge_exact,
    major(c.carried_in) AS carried_in,
    trim_scale((c.billable_micro * 0.000001)) AS billable,
    major(c.carried_out) AS carried_out,
    trim_scale((c.charge_total * minor_unit(c.currency))) AS charge_total,
    c.currency,
    c.manifest_hash,
    c.closed_at
   FROM (periods p
     LEFT JOIN closes c ON (((c.tenant_id = p.tenant_id) AND (c.period_start = p.period_start))));

view wall.budgets with (security_invoker=true, security_barrier=true) as
 SELECT tenant_id,
    per,
    feature,
    user_id,
    amount,
    currency,
    is_hard
   FROM budgets;

view wall.charge_shares with (security_barrier=true) as
 SELECT tenant_id,
    entry_id,
        CASE
            WHEN has_layers THEN output
            ELSE NULL::numeric
        END AS output_charge,
        CASE
            WHEN has_layers THEN other
            ELSE due
        END AS other_charge,
        CASE
            WHEN (tool <> 0) THEN div((((due - output) - other) * (tool)::numeric), (NULLIF(input, 0))::numeric)
            ELSE NULL::numeric
        END AS tool_charge,
        CASE
            WHEN (memory <> 0) THEN div((((due - output) - other) * (memory)::numeric), (NULLIF(input, 0))::numeric)
            ELSE NULL::numeric
        END AS memory_charge,
    period_start
   FROM ( SELECT e.tenant_id,
            e.entry_id,
            e.period_start,
            d.due,
            ((e.layer_prompt_tokens IS NOT NULL) AND (d.due <> (0)::numeric)) AS has_layers,
            e.layer_tool_tokens AS tool,
            e.layer_memory_tokens AS memory,
            (((e.uncached_input_tokens + e.cache_read_tokens) + e.cache_write_tokens) + units_within(e.units, 'input'::text)) AS input,
                CASE
                    WHEN (d.due <> (0)::numeric) THEN (COALESCE(((e.output_tokens)::numeric * p.output), (0)::numeric) + output_units_amount(e.units, r.units, p.factor))
                    ELSE (0)::numeric
                END AS output,
                CASE
                    WHEN (d.due = (0)::numeric) THEN (0)::numeric
                    WHEN (e.charge_rate_id IS NULL) THEN d.due
                    ELSE ((round(((r.per_call * p.factor) / ('1000000000000'::bigint)::numeric)) * (e.call_share)::numeric) + other_units_amount(e.units, r.units, p.factor))
                END AS other
           FROM ((((entries e
             CROSS JOIN LATERAL ( SELECT
                        CASE
                            WHEN (e.not_due IS NULL) THEN COALESCE(e.charge, (0)::numeric)
                            ELSE (0)::numeric
                        END AS due) d)
             LEFT JOIN price_rates r ON ((r.rate_id = e.charge_rate_id)))
             LEFT JOIN price_books b ON (((b.book = e.charge_book) AND (b.effective_from = e.charge_version))))
             LEFT JOIN LATERAL ( SELECT f.factor,
                    floor((((((2)::numeric * r.output) * f.factor) + (1000000)::numeric) / (2000000)::numeric)) AS output
                   FROM ( SELECT
                                CASE
                                    WHEN (r.book <> b.book) THEN COALESCE(b.cost_factor, b.base_factor, (1000000)::numeric)
                                    ELSE (1000000)::numeric
                                END AS factor) f) p ON (true))
          WHERE (e.tenant_id = ( SELECT session_tenant() AS session_tenant))) s;

view wall.entries with (security_barrier=true) as
 SELECT tenant_id,
    source,
    event_id,
    member_id,
    revision,
    entry_id,
    kind,
    outcome,
    status,
    NULL::text AS error_type,
    occurred_at,
    started_at,
    recorded_at,
    period_start,
    late,
    operation,
    NULL::text AS provider,
    requested_model,
    requested_model AS executed_model,
    NULL::text AS response_id,
    service_tier,
    gateway_cache,
    uncached_input_tokens,
    cache_read_tokens,
    cache_write_tokens,
    output_tokens,
    reasoning_tokens,
    call_share,
    usage_source,
    layer_prompt_tokens,
    layer_tool_tokens,
    layer_memory_tokens,
    layer_response_tokens,
    charge,
    NULL::numeric AS cost,
    NULL::numeric AS requested_cost,
    currency,
    charge_book,
    charge_version,
    charge_rate_id,
    NULL::text AS cost_book,
    NULL::timestamp with time zone AS cost_version,
    NULL::bigint AS cost_rate_id,
    user_id,
    feature,
    agent_run_id,
    prompt_version,
        CASE (further_tags ->> 'layers_source'::text)
            WHEN 'scaled'::text THEN '{"layers_source": "scaled"}'::jsonb
            ELSE NULL::jsonb
        END AS further_tags,
    trace_id,
    span_id,
    parent_span_id,
    attempt,
    corrects_entry_id,
    is_reversal,
        CASE
            WHEN (kind = 'allocation'::text) THEN regexp_replace(reason, ': [0-9.]+ of [0-9.]+ (calls|weighted tokens|of direct cost), remainder place [0-9]+, rounded (up|down)$'::text, ''::text)
            WHEN (kind <> 'usage'::text) THEN reason
            ELSE NULL::text
        END AS reason,
    NULL::text AS actor,
    units,
    NULL::numeric AS reported_cost,
    NULL::text AS reported_cost_currency,
    NULL::text AS reported_cost_source,
    NULL::text AS call_id,
    not_due
   FROM entries
  WHERE (tenant_id = ( SELECT session_tenant() AS session_tenant));

view wall.ledger_rollups with (security_invoker=true, security_barrier=true) as
 SELECT period_start,
    day,
    kind,
    outcome,
    provider,
    requested_model,
    executed_model,
    feature,
    currency,
    true AS is_attributed,
    entries,
    input_tokens,
    cache_read_tokens,
    cache_write_tokens,
    output_tokens,
    tool_tokens,
    memory_tokens,
    charge,
    not_due_charge,
    cost,
    output_charge,
    output_cost,
    other_charge,
    other_cost,
    routing_gain,
    uncosted,
    uncosted_charge,
    layered_input_tokens,
    layered_output_tokens,
    tool_charge,
    memory_charge,
    tool_cost,
    memory_cost,
    uncharged,
    uncharged_cost
   FROM wall.usage_rollups;

view wall.run_rollups with (security_invoker=true, security_barrier=true) as
 SELECT r.tenant_id,
    r.period_start,
    r.day,
    u.kind,
    u.outcome,
    u.late,
    u.provider,
    u.requested_model,
    u.executed_model,
    u.feature,
    u.prompt_version,
    u.currency,
    r.user_id,
    r.agent_run_id,
    r.entries,
    r.input_tokens,
    r.cache_read_tokens,
    r.cache_write_tokens,
    r.output_tokens,
    r.tool_tokens,
    r.memory_tokens,
    r.charge,
    (0)::numeric AS cost,
    r.output_charge,
    (0)::numeric AS output_cost,
    (0)::numeric AS routing_gain,
    r.units,
    r.entries AS uncosted,
    r.charge AS uncosted_charge,
    r.not_due_charge,
    r.other_charge,
    (0)::numeric AS other_cost,
    r.layered_input_tokens,
    r.layered_output_tokens,
    r.tool_charge,
    r.memory_charge,
    (0)::numeric AS tool_cost,
    (0)::numeric AS memory_cost,
    r.uncharged,
    (0)::numeric AS uncharged_cost
   FROM (run_usage r
     JOIN wall.usage_rollups u ON (((u.tenant_id = r.tenant_id) AND (u.period_start = r.period_start) AND (u.day = r.day) AND (u.usage_key = r.usage_key))));

view wall.shown_periods with (security_invoker=true, security_barrier=true) as
 SELECT p.tenant_id,
    p.period_start,
    p.starts_at,
    p.ends_at,
        CASE
            WHEN (c.tenant_id IS NULL) THEN 'open'::text
            ELSE 'closed'::text
        END AS state,
    (COALESCE((c.entries)::numeric, r.entries, (0)::numeric))::bigint AS entries,
    major(COALESCE(c.charge_exact, r.charge, (0)::numeric)) AS charge_exact,
    major(c.carried_in) AS carried_in,
    trim_scale((c.billable_micro * 0.000001)) AS billable,
    major(c.carried_out) AS carried_out,
    trim_scale((c.charge_total * minor_unit(c.currency))) AS charge_total,
    COALESCE(c.currency, r.currency) AS currency,
    c.manifest_hash,
    c.closed_at,
    COALESCE(c.mode, p.mode, t.mode) AS mode,
    NULL::text AS told,
    NULL::text AS invoice_id
   FROM (((periods p
     JOIN tenants t ON ((t.tenant_id = p.tenant_id)))
     LEFT JOIN closes c ON (((c.tenant_id = p.tenant_id) AND (c.period_start = p.period_start))))
     LEFT JOIN LATERAL ( SELECT sum(u.entries) AS entries,
            sum((u.charge - u.not_due_charge)) AS charge,
            min(u.currency) AS currency
           FROM wall.usage_rollups u
          WHERE ((u.tenant_id = p.tenant_id) AND (u.period_start = p.period_start))) r ON ((c.tenant_id IS NULL)));

view wall.structure_spans with (security_invoker=true, security_barrier=true) as
 SELECT tenant_id,
    source,
    event_id,
    batch_id,
    operation,
    status,
    NULL::text AS error_type,
    occurred_at,
    started_at,
    user_id,
    feature,
    agent_run_id,
    prompt_version,
    trace_id,
    span_id,
    parent_span_id
   FROM structure_spans;

view wall.usage_rollups with (security_invoker=true, security_barrier=true) as
 SELECT tenant_id,
    period_start,
    day,
    usage_key,
    kind,
    outcome,
    late,
    ''::text AS provider,
    requested_model,
    requested_model AS executed_model,
    feature,
    prompt_version,
    currency,
    entries,
    input_tokens,
    cache_read_tokens,
    cache_write_tokens,
    output_tokens,
    tool_tokens,
    memory_tokens,
    charge,
    (0)::numeric AS cost,
    output_charge,
    (0)::numeric AS output_cost,
    (0)::numeric AS routing_gain,
    units,
    entries AS uncosted,
    charge AS uncosted_charge,
    not_due_charge,
    other_charge,
    (0)::numeric AS other_cost,
    layered_input_tokens,
    layered_output_tokens,
    tool_charge,
    memory_charge,
    (0)::numeric AS tool_cost,
    (0)::numeric AS memory_cost,
    uncharged,
    (0)::numeric AS uncharged_cost
   FROM usage_rollups;

grant SELECT on audit.alerts to spanledger_reader;

grant SELECT on audit.allocations to spanledger_reader;

grant SELECT on audit.changes to spanledger_reader;

grant SELECT on audit.entries to spanledger_reader;

grant SELECT on audit.invoices to spanledger_reader;

grant SELECT on audit.layers to spanledger_reader;

grant SELECT on audit.periods to spanledger_reader;

grant SELECT on audit.pushes to spanledger_reader;

grant SELECT on audit.quarantine to spanledger_reader;

grant SELECT on audit.seals to spanledger_reader;

grant SELECT on audit.second_reports to spanledger_reader;

grant SELECT on audit.usage_daily to spanledger_reader;

grant EXECUTE on function public.changes_digest(ids bigint[]) to spanledger_reader;

grant EXECUTE on function public.changes_digest(ids bigint[]) to spanledger_worker;

grant EXECUTE on function public.session_tenant() to public;

grant SELECT on public.allocations to spanledger_reader;

grant SELECT on public.batch_leaves to spanledger_reader;

grant SELECT on public.batch_leaves to spanledger_worker;

grant SELECT on public.batches to spanledger_reader;

grant SELECT (batch_id, recorded_at) on public.batches to spanledger_tenant;

grant INSERT, SELECT on public.batches to spanledger_worker;

grant SELECT on public.budget_counters to spanledger_reader;

grant INSERT, SELECT, UPDATE on public.budget_counters to spanledger_worker;

grant SELECT on public.budget_holds to spanledger_reader;

grant DELETE, SELECT, UPDATE on public.budget_holds to spanledger_worker;

grant SELECT on public.budget_raises to spanledger_reader;

grant SELECT on public.budgets to spanledger_reader;

grant SELECT (tenant_id, per, feature, user_id, amount, currency, is_hard) on public.budgets to spanledger_tenant;

grant SELECT on public.budgets to spanledger_worker;

grant SELECT on public.catalog_revisions to spanledger_reader;

grant SELECT on public.catalog_revisions to spanledger_worker;

grant SELECT on public.change_queue to spanledger_reader;

grant DELETE, SELECT on public.change_queue to spanledger_worker;

grant SELECT on public.changes to spanledger_reader;

grant SELECT on public.closes to spanledger_reader;

grant SELECT on public.closes to spanledger_tenant;

grant SELECT on public.closes to spanledger_worker;

grant SELECT on public.default_price_books to spanledger_reader;

grant SELECT on public.default_price_books to spanledger_worker;

grant SELECT on public.entries to spanledger_reader;

grant SELECT (tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, occurred_at, started_at, recorded_at, period_start, late, operation, requested_model, service_tier, gateway_cache, uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, call_share, usage_source, layer_prompt_tokens, layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, currency, charge_book, charge_version, charge_rate_id, user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id, attempt, corrects_entry_id, is_reversal, units, not_due) on public.entries to spanledger_tenant;

grant INSERT, SELECT on public.entries to spanledger_worker;

grant SELECT on public.entry_leaves to spanledger_reader;

grant SELECT on public.entry_leaves to spanledger_worker;

grant SELECT on public.exchange_rates to spanledger_reader;

grant SELECT on public.exchange_rates to spanledger_worker;

grant SELECT on public.exchange_rollups to spanledger_reader;

grant INSERT, SELECT, UPDATE on public.exchange_rollups to spanledger_worker;

grant SELECT on public.exchange_versions to spanledger_reader;

grant SELECT on public.exchange_versions to spanledger_worker;

grant SELECT on public.fold_queue to spanledger_reader;

grant SELECT on public.fold_queue to spanledger_tenant;

grant DELETE, INSERT, SELECT on public.fold_queue to spanledger_worker;

grant SELECT on public.issuer to spanledger_reader;

grant SELECT on public.issuer to spanledger_tenant;

grant SELECT on public.kept_holds to spanledger_reader;

grant INSERT, SELECT, UPDATE on public.kept_holds to spanledger_worker;

grant SELECT on public.ledger_exchange_rollups to spanledger_reader;

grant INSERT, SELECT, UPDATE on public.ledger_exchange_rollups to spanledger_worker;

grant SELECT on public.ledger_name to spanledger_reader;

grant SELECT on public.ledger_rollups to spanledger_reader;

grant INSERT, SELECT, UPDATE on public.ledger_rollups to spanledger_worker;

grant SELECT on public.month_run_steps to spanledger_reader;

grant SELECT on public.periods to spanledger_reader;

grant SELECT on public.periods to spanledger_tenant;

grant INSERT (tenant_id, period_start, starts_at, ends_at, time_zone), SELECT on public.periods to spanledger_worker;

grant SELECT on public.price_books to spanledger_reader;

grant SELECT on public.price_books to spanledger_worker;

grant SELECT on public.price_rates to spanledger_reader;

grant SELECT on public.price_rates to spanledger_worker;

grant SELECT on public.push_alerts to spanledger_reader;

grant SELECT on public.push_intents to spanledger_reader;

grant SELECT on public.quarantine to spanledger_reader;

grant INSERT, SELECT on public.quarantine to spanledger_worker;

grant SELECT on public.receipts to spanledger_reader;

grant INSERT, SELECT on public.receipts to spanledger_worker;

grant SELECT on public.run_rollups to spanledger_reader;

grant SELECT on public.run_rollups to spanledger_worker;

grant SELECT on public.run_steps to spanledger_reader;

grant DELETE, INSERT, SELECT on public.run_steps to spanledger_worker;

grant SELECT on public.run_usage to spanledger_reader;

grant SELECT (tenant_id, period_start, day, usage_key, agent_run_id, user_id, entries, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge, output_charge, units, not_due_charge, other_charge, layered_input_tokens, layered_output_tokens, tool_charge, memory_charge, uncharged) on public.run_usage to spanledger_tenant;

grant INSERT, SELECT, UPDATE on public.run_usage to spanledger_worker;

grant SELECT on public.schema_migrations to spanledger_worker;

grant SELECT on public.seal_queue to spanledger_reader;

grant DELETE, INSERT, SELECT on public.seal_queue to spanledger_worker;

grant SELECT on public.seals to spanledger_reader;

grant INSERT, SELECT on public.seals to spanledger_worker;

grant SELECT on public.second_reports to spanledger_reader;

grant INSERT, SELECT on public.second_reports to spanledger_worker;

grant SELECT on public.settle_queue to spanledger_reader;

grant DELETE, INSERT, SELECT on public.settle_queue to spanledger_worker;

grant SELECT on public.stripe_customers to spanledger_reader;

grant SELECT on public.stripe_invoices to spanledger_reader;

grant SELECT (invoice_id, tenant_id, period_start, state, hosted_url) on public.stripe_invoices to spanledger_tenant;

grant SELECT on public.stripe_meters to spanledger_reader;

grant SELECT on public.stripe_reads to spanledger_reader;

grant SELECT on public.structure_spans to spanledger_reader;

grant SELECT (tenant_id, source, event_id, batch_id, operation, status, occurred_at, started_at, user_id, feature, agent_run_id, prompt_version, trace_id, span_id, parent_span_id) on public.structure_spans to spanledger_tenant;

grant INSERT, SELECT on public.structure_spans to spanledger_worker;

grant SELECT on public.tenant_calendar_changes to spanledger_reader;

grant SELECT on public.tenant_calendar_changes to spanledger_tenant;

grant SELECT on public.tenant_calendar_changes to spanledger_worker;

grant SELECT on public.tenant_logins to spanledger_reader;

grant SELECT on public.tenant_price_books to spanledger_reader;

grant SELECT on public.tenant_price_books to spanledger_tenant;

grant SELECT on public.tenant_price_books to spanledger_worker;

grant SELECT on public.tenants to spanledger_reader;

grant SELECT (tenant_id, mode, time_zone, anchor_day, stripe_customer, created_at, registered_at, left_at, name, address, contact) on public.tenants to spanledger_tenant;

grant INSERT (tenant_id, created_at), SELECT on public.tenants to spanledger_worker;

grant INSERT, SELECT on public.unknown_holds to spanledger_worker;

grant SELECT on public.unnamed_spans to spanledger_reader;

grant INSERT, SELECT on public.unnamed_spans to spanledger_worker;

grant SELECT on public.usage_rollups to spanledger_reader;

grant SELECT (tenant_id, period_start, day, kind, outcome, late, requested_model, feature, prompt_version, currency, entries, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, tool_tokens, memory_tokens, charge, output_charge, usage_key, units, not_due_charge, other_charge, layered_input_tokens, layered_output_tokens, tool_charge, memory_charge, uncharged) on public.usage_rollups to spanledger_tenant;

grant INSERT, SELECT, UPDATE on public.usage_rollups to spanledger_worker;

grant SELECT on public.verifications to spanledger_reader;

grant USAGE on schema audit to spanledger_reader;

grant USAGE on schema tenant to spanledger_tenant;

grant USAGE on schema wall to spanledger_tenant;

grant SELECT on tenant.entries to spanledger_tenant;

grant SELECT on tenant.periods to spanledger_tenant;

grant SELECT on wall.budgets to spanledger_tenant;

grant SELECT on wall.charge_shares to spanledger_tenant;

grant SELECT on wall.entries to spanledger_tenant;

grant SELECT on wall.ledger_rollups to spanledger_tenant;

grant SELECT on wall.run_rollups to spanledger_tenant;

grant SELECT on wall.shown_periods to spanledger_tenant;

grant SELECT on wall.structure_spans to spanledger_tenant;

grant SELECT on wall.usage_rollups to spanledger_tenant;
