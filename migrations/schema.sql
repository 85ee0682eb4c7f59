-- The schema that the migrations make; not a migration, and never applied.
-- Made anew by: SPANLEDGER_WRITE_SCHEMA=1 npx vitest run test/database/schema.test.ts
-- As Postgres 18 writes it.

table allocations (
  pool text collate "C" not null,
  month date not null,
  revision integer not null,
  batch_id bigint not null,
  amount numeric(38,0) not null,
  currency text not null,
  basis text not null,
  weights text,
  weight_total numeric not null,
  billed boolean not null,
  reason text not null,
  actor text not null,
  recorded_at timestamp with time zone not null,
  digest bytea not null,
  constraint allocations_pkey PRIMARY KEY (pool, month, revision),
  constraint allocations_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(batch_id),
  constraint allocations_basis_check CHECK ((basis = ANY (ARRAY['activity'::text, 'weighted-tokens'::text, 'direct'::text]))),
  constraint allocations_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint allocations_digest_check CHECK ((length(digest) = 32)),
  constraint allocations_month_check CHECK ((EXTRACT(day FROM month) = (1)::numeric)),
  constraint allocations_pool_check CHECK (((length(pool) >= 1) AND (length(pool) <= 100))),
  constraint allocations_revision_check CHECK ((revision >= 0)),
  constraint allocations_weight_total_check CHECK ((weight_total > (0)::numeric)),
  constraint only_odd_revisions_take_back CHECK ((((amount < (0)::numeric) = ((revision % 2) = 1)) AND (amount <> (0)::numeric))),
  constraint weights_are_of_tokens CHECK (((basis = 'weighted-tokens'::text) = (weights IS NOT NULL)))
);
CREATE TRIGGER allocations_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.allocations FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER allocations_deletes_are_kept AFTER DELETE ON public.allocations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('pool,month,revision', '');
CREATE TRIGGER allocations_inserts_are_kept AFTER INSERT ON public.allocations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('pool,month,revision', '');
CREATE TRIGGER allocations_updates_are_kept AFTER UPDATE ON public.allocations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('pool,month,revision', '');

table batches (
  batch_id bigint not null generated always as identity,
  kind text not null,
  recorded_at timestamp with time zone not null,
  entries integer not null,
  charge numeric(38,0) not null,
  cost numeric(38,0) not null,
  salt bytea not null default uuid_send(gen_random_uuid()),
  constraint batches_pkey PRIMARY KEY (batch_id),
  constraint batches_kind_check CHECK ((kind = ANY (ARRAY['ingest'::text, 'replay'::text, 'correction'::text, 'allocation'::text, 'adjustment'::text])))
);
CREATE TRIGGER acts_are_of_people BEFORE INSERT ON public.batches FOR EACH ROW WHEN (((new.kind = ANY (ARRAY['adjustment'::text, 'allocation'::text])) OR (current_setting('spanledger.actor'::text, true) <> ''::text))) EXECUTE FUNCTION refuse_acts_of_people();
CREATE TRIGGER batches_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.batches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER batches_of_actors_are_kept AFTER INSERT ON public.batches REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((current_setting('spanledger.actor'::text, true) <> ''::text)) EXECUTE FUNCTION keep_change('batch_id', 'salt');

table budget_counters (
  budget_id bigint not null,
  time_key text collate "C" not null,
  spent numeric(38,0) not null default 0,
  held numeric(38,0) not null default 0,
  constraint budget_counters_pkey PRIMARY KEY (budget_id, time_key),
  constraint budget_counters_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES budgets(budget_id) ON DELETE CASCADE
);

table budget_holds (
  hold_id text collate "C" not null,
  tenant_id text collate "C" not null,
  state text not null default 'open'::text,
  request_digest bytea not null,
  model text,
  feature text,
  user_id text,
  agent_run_id text,
  amount numeric(38,0),
  currency text,
  tokens numeric(38,0),
  budget_ids bigint[] not null,
  time_keys text[] not null,
  amounts numeric[] not null,
  held_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  settled_source text,
  settled_event_id text,
  released_by text,
  waits_source text collate "C",
  waits_event_id text collate "C",
  constraint budget_holds_pkey PRIMARY KEY (hold_id),
  constraint budget_holds_amount_check CHECK ((amount >= (0)::numeric)),
  constraint budget_holds_check CHECK ((expires_at > held_at)),
  constraint budget_holds_hold_id_check CHECK (((length(hold_id) >= 1) AND (length(hold_id) <= 256))),
  constraint budget_holds_request_digest_check CHECK ((length(request_digest) = 32)),
  constraint budget_holds_state_check CHECK ((state = ANY (ARRAY['open'::text, 'settled'::text, 'released'::text]))),
  constraint budget_holds_tokens_check CHECK ((tokens >= (0)::numeric)),
  constraint ended_hold_says_how CHECK ((((state = 'open'::text) = (ended_at IS NULL)) AND ((state = 'settled'::text) = (settled_event_id IS NOT NULL)) AND ((state = 'settled'::text) = (settled_source IS NOT NULL)) AND ((state = 'released'::text) = (released_by IS NOT NULL)))),
  constraint hold_names_its_counters CHECK (((cardinality(budget_ids) = cardinality(time_keys)) AND (cardinality(budget_ids) = cardinality(amounts)))),
  constraint waiting_hold_names_its_event CHECK (((waits_source IS NULL) = (waits_event_id IS NULL)))
);
CREATE INDEX budget_holds_by_run ON public.budget_holds USING btree (tenant_id, agent_run_id, held_at) WHERE (agent_run_id IS NOT NULL);
CREATE INDEX budget_holds_ended ON public.budget_holds USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX budget_holds_open ON public.budget_holds USING btree (tenant_id, expires_at) WHERE (state = 'open'::text);
CREATE INDEX budget_holds_waiting ON public.budget_holds USING btree (tenant_id, waits_source, waits_event_id) WHERE ((state = 'open'::text) AND (waits_event_id IS NOT NULL));

table budget_raises (
  request_id bigint not null generated always as identity,
  tenant_id text collate "C" not null,
  budget_id bigint not null,
  measure text not null,
  currency text,
  amount_then numeric(38,0) not null,
  amount_asked numeric(38,0) not null,
  amount_granted numeric(38,0),
  state text not null default 'open'::text,
  asked_at timestamp with time zone not null,
  asked_by text not null,
  asked_because text not null,
  answered_at timestamp with time zone,
  answered_by text,
  answered_because text,
  constraint budget_raises_pkey PRIMARY KEY (request_id),
  constraint a_raise_is_higher CHECK ((amount_asked > amount_then)),
  constraint an_answer_says_who_and_why CHECK ((((state = 'open'::text) = (answered_at IS NULL)) AND ((state = 'open'::text) = (answered_by IS NULL)) AND ((state = 'open'::text) = (answered_because IS NULL)) AND ((state = 'approved'::text) = (amount_granted IS NOT NULL)))),
  constraint budget_raises_measure_check CHECK ((measure = ANY (ARRAY['money'::text, 'tokens'::text]))),
  constraint budget_raises_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'refused'::text]))),
  constraint money_has_a_currency CHECK (((measure = 'money'::text) = (currency IS NOT NULL)))
);
CREATE UNIQUE INDEX budget_raises_open ON public.budget_raises USING btree (tenant_id, budget_id) WHERE (state = 'open'::text);
CREATE TRIGGER budget_raises_deletes_are_kept AFTER DELETE ON public.budget_raises REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('request_id', '');
CREATE TRIGGER budget_raises_inserts_are_kept AFTER INSERT ON public.budget_raises REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('request_id', '');
CREATE TRIGGER budget_raises_updates_are_kept AFTER UPDATE ON public.budget_raises REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('request_id', '');

table budgets (
  tenant_id text collate "C" not null,
  per text not null,
  feature text collate "C" not null,
  user_id text collate "C" not null,
  amount numeric(38,0) not null,
  currency text,
  is_hard boolean not null,
  set_at timestamp with time zone not null,
  set_by text not null,
  budget_id bigint not null generated always as identity,
  measure text not null,
  agent_run_id text collate "C" not null,
  tags jsonb not null,
  on_unavailable text not null,
  priced_only boolean not null,
  time_zone text not null,
  counts_from timestamp with time zone not null,
  counts_from_period date not null,
  thresholds integer[] not null default '{80,100}'::integer[],
  loop text,
  loop_steps integer,
  constraint budgets_pkey PRIMARY KEY (budget_id),
  constraint budgets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint budgets_amount_check CHECK ((amount >= (0)::numeric)),
  constraint budgets_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint budgets_loop_check CHECK ((loop = ANY (ARRAY['warn'::text, 'deny'::text]))),
  constraint budgets_loop_steps_check CHECK (((loop_steps >= 2) AND (loop_steps <= 1000))),
  constraint budgets_measure_check CHECK ((measure = ANY (ARRAY['money'::text, 'tokens'::text]))),
  constraint budgets_on_unavailable_check CHECK ((on_unavailable = ANY (ARRAY['allow'::text, 'deny'::text]))),
  constraint budgets_per_check CHECK ((per = ANY (ARRAY['day'::text, 'month'::text, 'run'::text, 'once'::text]))),
  constraint budgets_tags_check CHECK ((jsonb_typeof(tags) = 'object'::text)),
  constraint loop_says_how_many CHECK (((loop IS NULL) = (loop_steps IS NULL))),
  constraint money_has_a_currency CHECK (((measure = 'money'::text) = (currency IS NOT NULL)))
);
CREATE UNIQUE INDEX budgets_by_scope ON public.budgets USING btree (tenant_id, measure, per, feature, user_id, agent_run_id, tags);
CREATE INDEX budgets_by_user ON public.budgets USING btree (tenant_id, user_id);
CREATE TRIGGER budgets_deletes_are_kept AFTER DELETE ON public.budgets REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('budget_id', '');
CREATE TRIGGER budgets_inserts_are_kept AFTER INSERT ON public.budgets REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('budget_id', '');
CREATE TRIGGER budgets_updates_are_kept AFTER UPDATE ON public.budgets REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('budget_id', '');

table catalog_revisions (
  catalog text not null,
  revision bigint not null,
  constraint catalog_revisions_pkey PRIMARY KEY (catalog)
);

table change_queue (
  change_id bigint not null,
  constraint change_queue_pkey PRIMARY KEY (change_id)
);

table changes (
  change_id bigint not null generated always as identity,
  changed_at timestamp with time zone not null default clock_timestamp(),
  of_table text collate "C" not null,
  row_key jsonb not null,
  kept jsonb,
  act text not null,
  actor text not null,
  reason text,
  act_id bigint,
  constraint changes_pkey PRIMARY KEY (change_id)
);
CREATE INDEX changes_by_act ON public.changes USING btree (act_id, change_id) WHERE (act_id IS NOT NULL);
CREATE INDEX changes_by_row ON public.changes USING btree (of_table, row_key, change_id);
CREATE INDEX changes_by_tenant ON public.changes USING btree (COALESCE((row_key ->> 'tenant_id'::text), (kept ->> 'tenant_id'::text)), act_id) WHERE ((act_id IS NOT NULL) AND (COALESCE((row_key ->> 'tenant_id'::text), (kept ->> 'tenant_id'::text)) IS NOT NULL));
CREATE INDEX changes_of_people ON public.changes USING btree (act_id, change_id) WHERE ((act_id IS NOT NULL) AND (act <> ALL (ARRAY['worker'::text, 'serve'::text])));
CREATE TRIGGER changes_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.changes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table closes (
  tenant_id text collate "C" not null,
  period_start date not null,
  manifest text not null,
  manifest_hash text not null,
  entries bigint not null,
  currency text not null,
  charge_exact numeric(38,0) not null,
  carried_in numeric(38,0) not null,
  billable_micro numeric(38,0) not null,
  carried_out numeric(38,0) not null,
  charge_total numeric(38,0) not null,
  closed_at timestamp with time zone not null,
  mode text not null,
  stripe_customer text,
  carries_apart boolean not null default true,
  carried_out_due numeric(38,0),
  constraint closes_pkey PRIMARY KEY (tenant_id, period_start),
  constraint closes_tenant_id_period_start_fkey FOREIGN KEY (tenant_id, period_start) REFERENCES periods(tenant_id, period_start),
  constraint close_conserves CHECK (((charge_exact + carried_in) = ((billable_micro * (1000000)::numeric) + carried_out))),
  constraint closes_billable_micro_check CHECK ((billable_micro >= (0)::numeric)),
  constraint closes_charge_total_check CHECK ((charge_total >= (0)::numeric)),
  constraint closes_check CHECK (((carried_out_due IS NULL) OR (mode = 'shadow'::text))),
  constraint closes_mode_check CHECK ((mode = ANY (ARRAY['shadow'::text, 'live'::text])))
);
CREATE INDEX closes_by_closed_at ON public.closes USING btree (closed_at);
CREATE TRIGGER closes_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.closes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closes_deletes_are_kept AFTER DELETE ON public.closes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start', 'manifest');
CREATE TRIGGER closes_inserts_are_kept AFTER INSERT ON public.closes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start', 'manifest');
CREATE TRIGGER closes_updates_are_kept AFTER UPDATE ON public.closes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start', 'manifest');

table console_sessions (
  session_hash bytea not null,
  key_id text collate "C" not null,
  begun_at timestamp with time zone not null,
  renewed_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  constraint console_sessions_pkey PRIMARY KEY (session_hash),
  constraint console_sessions_key_id_fkey FOREIGN KEY (key_id) REFERENCES http_keys(key_id),
  constraint console_sessions_session_hash_check CHECK ((length(session_hash) = 32))
);

table default_price_books (
  effective_from timestamp with time zone not null,
  book text collate "C" not null,
  named_at timestamp with time zone not null,
  constraint default_price_books_pkey PRIMARY KEY (effective_from)
);
CREATE TRIGGER default_price_books_are_kept BEFORE DELETE OR TRUNCATE ON public.default_price_books FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER default_price_books_deletes_are_kept AFTER DELETE ON public.default_price_books REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('effective_from', '');
CREATE TRIGGER default_price_books_inserts_are_kept AFTER INSERT ON public.default_price_books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('effective_from', '');
CREATE TRIGGER default_price_books_revision AFTER INSERT OR UPDATE ON public.default_price_books FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('prices');
CREATE TRIGGER default_price_books_updates_are_kept AFTER UPDATE ON public.default_price_books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('effective_from', '');

table entries (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  member_id text collate "C" not null,
  revision integer not null,
  entry_id bigint not null,
  kind text not null,
  outcome text not null,
  status text not null,
  error_type text,
  occurred_at timestamp with time zone not null,
  started_at timestamp with time zone,
  recorded_at timestamp with time zone not null,
  period_start date not null,
  late boolean not null,
  operation text not null,
  provider text,
  requested_model text not null,
  executed_model text not null,
  response_id text collate "C",
  service_tier text not null,
  gateway_cache text not null,
  uncached_input_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  context_tokens bigint not null,
  call_share integer not null,
  usage_source text not null,
  layer_prompt_tokens bigint,
  layer_tool_tokens bigint,
  layer_memory_tokens bigint,
  layer_response_tokens bigint,
  charge numeric(38,0),
  cost numeric(38,0),
  requested_cost numeric(38,0),
  currency text not null,
  charge_book text,
  charge_version timestamp with time zone,
  charge_rate_id bigint,
  cost_book text,
  cost_version timestamp with time zone,
  cost_rate_id bigint,
  user_id text,
  feature text,
  agent_run_id text,
  prompt_version text,
  further_tags jsonb,
  trace_id text,
  span_id text,
  parent_span_id text,
  attempt integer not null,
  corrects_entry_id bigint,
  is_reversal boolean not null,
  reason text,
  actor text,
  event_digest bytea not null,
  entry_hash bytea,
  units jsonb,
  reported_cost numeric(38,0),
  reported_cost_currency text,
  reported_cost_source text,
  call_id text,
  call_usage jsonb,
  not_due boolean,
  shares_response boolean,
  constraint entries_pkey PRIMARY KEY (tenant_id, source, event_id, member_id, revision),
  constraint correction_has_a_reason CHECK (((kind = 'usage'::text) OR ((reason IS NOT NULL) AND (actor IS NOT NULL)))),
  constraint correction_names_its_entry CHECK ((((corrects_entry_id IS NOT NULL) AND ((kind = 'correction'::text) OR ((kind = ANY (ARRAY['allocation'::text, 'adjustment'::text])) AND is_reversal))) OR ((corrects_entry_id IS NULL) AND ((kind = 'usage'::text) OR ((kind = ANY (ARRAY['allocation'::text, 'adjustment'::text])) AND (NOT is_reversal)))))),
  constraint entries_attempt_check CHECK ((attempt >= 1)),
  constraint entries_context_tokens_check CHECK ((context_tokens >= 0)),
  constraint entries_event_digest_check CHECK ((length(event_digest) = 32)),
  constraint entries_kind_check CHECK ((kind = ANY (ARRAY['usage'::text, 'correction'::text, 'allocation'::text, 'adjustment'::text]))),
  constraint entries_outcome_check CHECK ((outcome = ANY (ARRAY['charged'::text, 'failed'::text, 'cancelled'::text, 'unrated'::text, 'unmeasured'::text, 'unattributed'::text]))),
  constraint entries_revision_check CHECK ((revision >= 0)),
  constraint entries_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'error'::text, 'cancelled'::text]))),
  constraint entries_usage_source_check CHECK ((usage_source = ANY (ARRAY['reported'::text, 'estimated'::text, 'assumed'::text]))),
  constraint entry_has_its_hash CHECK (((entry_hash IS NOT NULL) AND (length(entry_hash) = 32))) NOT VALID,
  constraint only_corrections_reverse CHECK (((kind <> 'usage'::text) OR (NOT is_reversal))),
  constraint only_late_entries_are_not_due CHECK (((not_due IS NULL) OR (not_due AND late))),
  constraint only_success_is_charged CHECK (((outcome = ANY (ARRAY['charged'::text, 'unrated'::text, 'unmeasured'::text])) OR (charge = (0)::numeric) OR (kind = 'allocation'::text))),
  constraint reported_cost_is_whole CHECK ((((reported_cost IS NULL) = (reported_cost_currency IS NULL)) AND ((reported_cost IS NULL) = (reported_cost_source IS NULL)))),
  constraint units_are_counts CHECK (((units IS NULL) OR ((jsonb_typeof(units) = 'object'::text) AND (units <> '{}'::jsonb) AND (NOT jsonb_path_exists(units, '$.*?(@.type() != "number")'::jsonpath)) AND ((kind <> 'usage'::text) OR (NOT jsonb_path_exists(units, '$.*?(@ < 0)'::jsonpath)))))),
  constraint unrated_has_no_charge CHECK (((charge IS NULL) = (outcome = ANY (ARRAY['unrated'::text, 'unmeasured'::text])))),
  constraint usage_is_not_negative CHECK (((kind <> 'usage'::text) OR ((uncached_input_tokens >= 0) AND (cache_read_tokens >= 0) AND (cache_write_tokens >= 0) AND (output_tokens >= 0) AND (reasoning_tokens >= 0) AND ((call_share >= 0) AND (call_share <= 1000000)) AND (COALESCE(charge, (0)::numeric) >= (0)::numeric) AND (COALESCE(cost, (0)::numeric) >= (0)::numeric))))
);
CREATE INDEX entries_answered_from_cache ON public.entries USING btree (tenant_id, period_start) WHERE (gateway_cache <> 'none'::text);
CREATE INDEX entries_around_span ON public.entries USING btree (span_id COLLATE "C") WHERE (((response_id IS NULL) OR (gateway_cache <> 'none'::text)) AND ((span_id IS NOT NULL) OR (parent_span_id IS NOT NULL)) AND (revision = 0) AND (status = 'ok'::text));
CREATE INDEX entries_by_call ON public.entries USING btree (call_id COLLATE "C", occurred_at) WHERE (call_id IS NOT NULL);
CREATE UNIQUE INDEX entries_by_id ON public.entries USING btree (entry_id);
CREATE INDEX entries_by_period ON public.entries USING brin (period_start);
CREATE INDEX entries_by_recorded_at ON public.entries USING brin (recorded_at) WITH (autosummarize='on');
CREATE UNIQUE INDEX entries_by_response ON public.entries USING btree (hashtextextended(response_id, (0)::bigint), tenant_id, member_id, (
CASE
    WHEN shares_response THEN entry_id
    ELSE (0)::bigint
END)) WHERE ((response_id IS NOT NULL) AND (revision = 0) AND (gateway_cache = 'none'::text) AND (status = 'ok'::text));
CREATE INDEX entries_by_run ON public.entries USING brin (occurred_at timestamptz_minmax_multi_ops, agent_run_id text_bloom_ops (n_distinct_per_range='1500'), trace_id text_bloom_ops (n_distinct_per_range='1500'), hashtextextended(event_id, (0)::bigint) int8_bloom_ops (n_distinct_per_range='1500')) WITH (pages_per_range='64', autosummarize='on');
CREATE INDEX entries_converted ON public.entries USING btree (tenant_id, occurred_at) WHERE (further_tags ? 'cost_exchange'::text);
CREATE INDEX entries_corrections ON public.entries USING btree (corrects_entry_id) WHERE (corrects_entry_id IS NOT NULL);
CREATE INDEX entries_failed_attempts ON public.entries USING btree (tenant_id, trace_id) WHERE ((status <> 'ok'::text) AND (trace_id IS NOT NULL));
CREATE INDEX entries_few ON public.entries USING btree (entry_id) WHERE ((((revision = 0) AND (status = 'ok'::text) AND ((call_id IS NOT NULL) OR shares_response OR (((response_id IS NULL) OR (gateway_cache <> 'none'::text)) AND ((span_id IS NOT NULL) OR (parent_span_id IS NOT NULL))) OR ((response_id IS NOT NULL) AND (tenant_id = 'unattributed'::text)))))::integer = 1);
CREATE INDEX entries_later_attempts ON public.entries USING btree (tenant_id, trace_id) WHERE ((status = 'ok'::text) AND (trace_id IS NOT NULL) AND ((attempt > 1) OR (further_tags ? 'requested_model_source'::text)));
CREATE INDEX entries_of_several_attempts ON public.entries USING btree (entry_id) WHERE ((((call_id IS NOT NULL) OR ((trace_id IS NOT NULL) AND ((status <> 'ok'::text) OR (attempt > 1) OR (further_tags ? 'requested_model_source'::text)))))::integer = 1);
CREATE INDEX entries_waiting ON public.entries USING btree (tenant_id, period_start) WHERE (outcome = ANY (ARRAY['unrated'::text, 'unmeasured'::text]));
CREATE INDEX entries_within_span ON public.entries USING btree (parent_span_id COLLATE "C") WHERE ((parent_span_id IS NOT NULL) AND (revision = 0) AND (status = 'ok'::text));
CREATE INDEX entries_without_tenant ON public.entries USING btree (response_id) WHERE ((tenant_id = 'unattributed'::text) AND (response_id IS NOT NULL) AND (revision = 0) AND (gateway_cache = 'none'::text) AND (status = 'ok'::text));
CREATE TRIGGER entries_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table exchange_rates (
  version_id bigint not null,
  currency text not null,
  rate numeric(38,0) not null,
  constraint exchange_rates_pkey PRIMARY KEY (version_id, currency),
  constraint exchange_rates_version_id_fkey FOREIGN KEY (version_id) REFERENCES exchange_versions(version_id),
  constraint exchange_rates_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint exchange_rates_rate_check CHECK ((rate > (0)::numeric))
);
CREATE TRIGGER exchange_rates_are_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON public.exchange_rates FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exchange_rates_deletes_are_kept AFTER DELETE ON public.exchange_rates REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('version_id,currency', '');
CREATE TRIGGER exchange_rates_inserts_are_kept AFTER INSERT ON public.exchange_rates REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('version_id,currency', '');
CREATE TRIGGER exchange_rates_revision AFTER INSERT ON public.exchange_rates FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('prices');
CREATE TRIGGER exchange_rates_updates_are_kept AFTER UPDATE ON public.exchange_rates REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('version_id,currency', '');

table exchange_rollups (
  tenant_id text collate "C" not null,
  period_start date not null,
  day date not null,
  version_id bigint not null,
  entries bigint not null,
  constraint exchange_rollups_pkey PRIMARY KEY (tenant_id, period_start, day, version_id)
);

table exchange_versions (
  version_id bigint not null generated always as identity,
  base text not null,
  effective_from timestamp with time zone not null,
  source text not null,
  document_hash text not null,
  imported_at timestamp with time zone not null,
  constraint exchange_versions_pkey PRIMARY KEY (version_id),
  constraint exchange_versions_base_effective_from_key UNIQUE (base, effective_from),
  constraint exchange_versions_base_check CHECK ((base ~ '^[A-Z]{3}$'::text))
);
CREATE TRIGGER exchange_versions_are_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON public.exchange_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exchange_versions_deletes_are_kept AFTER DELETE ON public.exchange_versions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('version_id', '');
CREATE TRIGGER exchange_versions_inserts_are_kept AFTER INSERT ON public.exchange_versions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('version_id', '');
CREATE TRIGGER exchange_versions_updates_are_kept AFTER UPDATE ON public.exchange_versions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('version_id', '');

table fold_queue (
  batch_id bigint not null,
  constraint fold_queue_pkey PRIMARY KEY (batch_id)
);

table http_actions (
  key_id text collate "C" not null,
  idempotency_key text collate "C" not null,
  request_hash bytea not null,
  begun_at timestamp with time zone not null,
  status integer,
  answer text,
  constraint http_actions_pkey PRIMARY KEY (key_id, idempotency_key),
  constraint answered_whole CHECK (((status IS NULL) = (answer IS NULL))),
  constraint http_actions_idempotency_key_check CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 200))),
  constraint http_actions_request_hash_check CHECK ((length(request_hash) = 32))
);

table http_key_uses (
  key_id text collate "C" not null,
  last_used_at timestamp with time zone not null,
  constraint http_key_uses_pkey PRIMARY KEY (key_id),
  constraint http_key_uses_key_id_fkey FOREIGN KEY (key_id) REFERENCES http_keys(key_id)
);

table http_keys (
  key_id text collate "C" not null,
  key_hash bytea not null,
  name text not null,
  role text not null,
  tenant_id text collate "C",
  source text,
  tenant_ids text[],
  rate integer,
  created_at timestamp with time zone not null,
  created_by text not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  revoked_by text,
  constraint http_keys_pkey PRIMARY KEY (key_id),
  constraint http_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint http_keys_key_hash_check CHECK ((length(key_hash) = 32)),
  constraint http_keys_key_id_check CHECK ((key_id ~ '^[a-z0-9]{8}$'::text)),
  constraint http_keys_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
  constraint http_keys_rate_check CHECK ((rate > 0)),
  constraint http_keys_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'reader'::text, 'tenant'::text, 'link'::text, 'ingest'::text]))),
  constraint link_ends CHECK (((role <> 'link'::text) OR (expires_at IS NOT NULL))),
  constraint only_ingest_is_scoped CHECK (((role = 'ingest'::text) OR ((source IS NULL) AND (tenant_ids IS NULL)))),
  constraint revoked_by_somebody CHECK (((revoked_at IS NULL) = (revoked_by IS NULL))),
  constraint tenant_key_names_its_tenant CHECK (((role = ANY (ARRAY['tenant'::text, 'link'::text])) = (tenant_id IS NOT NULL)))
);
CREATE TRIGGER http_keys_deletes_are_kept AFTER DELETE ON public.http_keys REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('key_id', 'key_hash');
CREATE TRIGGER http_keys_inserts_are_kept AFTER INSERT ON public.http_keys REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('key_id', 'key_hash');
CREATE TRIGGER http_keys_updates_are_kept AFTER UPDATE ON public.http_keys REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('key_id', 'key_hash');

table issuer (
  only_one boolean not null default true,
  name text,
  address text,
  logo text,
  support_url text,
  support_email text,
  set_at timestamp with time zone not null,
  constraint issuer_pkey PRIMARY KEY (only_one),
  constraint issuer_address_check CHECK (((length(address) >= 1) AND (length(address) <= 500) AND is_readable(address))),
  constraint issuer_logo_check CHECK (((length(logo) <= 100000) AND (logo ~~ 'data:image/%'::text))),
  constraint issuer_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200) AND is_readable(name))),
  constraint issuer_only_one_check CHECK (only_one),
  constraint issuer_support_email_check CHECK ((length(support_email) <= 200)),
  constraint issuer_support_url_check CHECK ((length(support_url) <= 500))
);
CREATE TRIGGER issuer_deletes_are_kept AFTER DELETE ON public.issuer REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('only_one', 'logo');
CREATE TRIGGER issuer_inserts_are_kept AFTER INSERT ON public.issuer REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('only_one', 'logo');
CREATE TRIGGER issuer_updates_are_kept AFTER UPDATE ON public.issuer REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('only_one', 'logo');

table kept_answers (
  question text collate "C" not null,
  answer json not null,
  asked_at timestamp with time zone not null,
  took_ms double precision not null,
  constraint kept_answers_pkey PRIMARY KEY (question)
);

table kept_holds (
  only_one boolean not null default true,
  ended_since timestamp with time zone not null,
  constraint kept_holds_pkey PRIMARY KEY (only_one),
  constraint kept_holds_only_one_check CHECK (only_one)
);

table ledger_exchange_rollups (
  period_start date not null,
  day date not null,
  version_id bigint not null,
  entries bigint not null,
  constraint ledger_exchange_rollups_pkey PRIMARY KEY (period_start, day, version_id)
);

table ledger_name (
  only_one boolean not null default true,
  name text not null,
  constraint ledger_name_pkey PRIMARY KEY (only_one),
  constraint ledger_name_name_check CHECK ((name ~ '^[a-z0-9]{8}$'::text)),
  constraint ledger_name_only_one_check CHECK (only_one)
);
CREATE TRIGGER ledger_name_deletes_are_kept AFTER DELETE ON public.ledger_name REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('only_one', '');
CREATE TRIGGER ledger_name_inserts_are_kept AFTER INSERT ON public.ledger_name REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('only_one', '');
CREATE TRIGGER ledger_name_stays BEFORE DELETE OR UPDATE ON public.ledger_name FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_name_updates_are_kept AFTER UPDATE ON public.ledger_name REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('only_one', '');

table ledger_rollups (
  period_start date not null,
  day date not null,
  kind text not null,
  outcome text not null,
  provider text collate "C" not null,
  requested_model text collate "C" not null,
  executed_model text collate "C" not null,
  feature text collate "C" not null,
  currency text not null,
  is_attributed boolean not null,
  ledger_key uuid not null,
  entries bigint not null,
  input_tokens numeric(38,0) not null,
  cache_read_tokens numeric(38,0) not null,
  cache_write_tokens numeric(38,0) not null,
  output_tokens numeric(38,0) not null,
  tool_tokens numeric(38,0) not null,
  memory_tokens numeric(38,0) not null,
  charge numeric(38,0) not null,
  not_due_charge numeric(38,0) not null,
  cost numeric(38,0) not null,
  output_charge numeric(38,0) not null,
  output_cost numeric(38,0) not null,
  other_charge numeric(38,0) not null,
  other_cost numeric(38,0) not null,
  routing_gain numeric(38,0) not null,
  uncosted bigint not null,
  uncosted_charge numeric(38,0) not null,
  layered_input_tokens numeric(38,0) not null default 0,
  layered_output_tokens numeric(38,0) not null default 0,
  tool_charge numeric(38,0) not null default 0,
  memory_charge numeric(38,0) not null default 0,
  tool_cost numeric(38,0) not null default 0,
  memory_cost numeric(38,0) not null default 0,
  uncharged bigint not null default 0,
  uncharged_cost numeric(38,0) not null default 0,
  constraint ledger_rollups_pkey PRIMARY KEY (period_start, day, ledger_key)
);

table month_run_steps (
  month text not null,
  step text not null,
  state text not null,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  detail text,
  constraint month_run_steps_pkey PRIMARY KEY (month, step),
  constraint month_run_steps_month_check CHECK ((month ~ '^\d{4}-\d{2}$'::text)),
  constraint month_run_steps_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'unfinished'::text, 'wrong'::text])))
);

table periods (
  tenant_id text collate "C" not null,
  period_start date not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  time_zone text not null,
  state text not null default 'open'::text,
  mode text,
  constraint periods_pkey PRIMARY KEY (tenant_id, period_start),
  constraint periods_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint periods_check CHECK ((starts_at < ends_at)),
  constraint periods_mode_check CHECK ((mode = ANY (ARRAY['shadow'::text, 'live'::text]))),
  constraint periods_state_check CHECK ((state = ANY (ARRAY['open'::text, 'shut'::text, 'closed'::text])))
);
CREATE TRIGGER periods_are_not_emptied BEFORE TRUNCATE ON public.periods FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();
CREATE TRIGGER periods_deletes_are_kept AFTER DELETE ON public.periods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start', '');
CREATE TRIGGER periods_inserts_are_kept AFTER INSERT ON public.periods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start', '');
CREATE TRIGGER periods_only_move_on BEFORE DELETE OR UPDATE ON public.periods FOR EACH ROW EXECUTE FUNCTION guard_period();
CREATE TRIGGER periods_revision AFTER UPDATE ON public.periods FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('tenants');
CREATE TRIGGER periods_updates_are_kept AFTER UPDATE ON public.periods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start', '');

table price_books (
  book text collate "C" not null,
  effective_from timestamp with time zone not null,
  kind text not null,
  currency text not null,
  caching text not null,
  base_book text collate "C",
  cost_factor numeric(38,0),
  document text not null,
  document_hash text not null,
  imported_at timestamp with time zone not null,
  base_factor numeric(38,0),
  constraint price_books_pkey PRIMARY KEY (book, effective_from),
  constraint price_books_base_factor_check CHECK (((base_factor >= (0)::numeric) AND (base_factor <= (1000000)::numeric))),
  constraint price_books_caching_check CHECK ((caching = ANY (ARRAY['work_done'::text, 'pass_through'::text]))),
  constraint price_books_cost_factor_check CHECK ((cost_factor >= (0)::numeric)),
  constraint price_books_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint price_books_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'cost'::text])))
);
CREATE TRIGGER price_books_are_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON public.price_books FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_books_deletes_are_kept AFTER DELETE ON public.price_books REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('book,effective_from', 'document');
CREATE TRIGGER price_books_inserts_are_kept AFTER INSERT ON public.price_books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('book,effective_from', 'document');
CREATE TRIGGER price_books_revision AFTER INSERT ON public.price_books FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('prices');
CREATE TRIGGER price_books_updates_are_kept AFTER UPDATE ON public.price_books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('book,effective_from', 'document');

table price_rates (
  rate_id bigint not null generated always as identity,
  book text collate "C" not null,
  effective_from timestamp with time zone not null,
  provider text,
  model text not null,
  service_tier text not null,
  above_input_tokens bigint not null,
  per_call numeric(38,0) not null,
  input numeric(38,0),
  output numeric(38,0),
  cache_read numeric(38,0),
  cache_write numeric(38,0),
  units jsonb,
  constraint price_rates_pkey PRIMARY KEY (rate_id),
  constraint price_rates_book_effective_from_provider_model_service_tier_key UNIQUE NULLS NOT DISTINCT (book, effective_from, provider, model, service_tier, above_input_tokens),
  constraint price_rates_book_effective_from_fkey FOREIGN KEY (book, effective_from) REFERENCES price_books(book, effective_from),
  constraint price_rates_above_input_tokens_check CHECK ((above_input_tokens >= 0)),
  constraint price_rates_cache_read_check CHECK ((cache_read >= (0)::numeric)),
  constraint price_rates_cache_write_check CHECK ((cache_write >= (0)::numeric)),
  constraint price_rates_input_check CHECK ((input >= (0)::numeric)),
  constraint price_rates_output_check CHECK ((output >= (0)::numeric)),
  constraint price_rates_per_call_check CHECK ((per_call >= (0)::numeric)),
  constraint price_rates_units_check CHECK (((units IS NULL) OR ((jsonb_typeof(units) = 'object'::text) AND (units <> '{}'::jsonb))))
);
CREATE TRIGGER price_rates_are_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON public.price_rates FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table push_alerts (
  alert_id bigint not null generated always as identity,
  raised_at timestamp with time zone not null,
  kind text not null,
  subject text not null,
  tenant_id text collate "C",
  period_start date,
  detail text not null,
  resolved_at timestamp with time zone,
  resolution text,
  resolved_by text,
  constraint push_alerts_pkey PRIMARY KEY (alert_id),
  constraint push_alerts_kind_subject_key UNIQUE (kind, subject),
  constraint push_alerts_resolution_check CHECK ((((resolved_at IS NULL) = (resolution IS NULL)) AND ((resolved_at IS NULL) = (resolved_by IS NULL))))
);
CREATE TRIGGER push_alerts_are_not_emptied BEFORE TRUNCATE ON public.push_alerts FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();
CREATE TRIGGER push_alerts_deletes_are_kept AFTER DELETE ON public.push_alerts REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('alert_id', '');
CREATE TRIGGER push_alerts_inserts_are_kept AFTER INSERT ON public.push_alerts REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('alert_id', '');
CREATE TRIGGER push_alerts_updates_are_kept AFTER UPDATE ON public.push_alerts REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('alert_id', '');

table push_intents (
  tenant_id text collate "C" not null,
  period_start date not null,
  sequence integer not null,
  identifier text not null,
  meter text not null,
  stripe_customer text not null,
  value_micro numeric(38,0) not null,
  event_timestamp bigint not null,
  state text not null,
  attempts integer not null default 0,
  created_at timestamp with time zone not null,
  first_attempt_at timestamp with time zone,
  last_attempt_at timestamp with time zone,
  sent_at timestamp with time zone,
  confirmed_at timestamp with time zone,
  last_answer text,
  livemode boolean,
  absent_since timestamp with time zone,
  proven_at timestamp with time zone,
  destination text not null default 'meter'::text,
  account text,
  constraint push_intents_pkey PRIMARY KEY (tenant_id, period_start, sequence),
  constraint push_intents_identifier_key UNIQUE (identifier),
  constraint push_intents_tenant_id_period_start_fkey FOREIGN KEY (tenant_id, period_start) REFERENCES closes(tenant_id, period_start),
  constraint push_intents_destination_check CHECK ((destination = ANY (ARRAY['meter'::text, 'invoice_item'::text, 'settled'::text]))),
  constraint push_intents_identifier_check CHECK ((length(identifier) <= 100)),
  constraint push_intents_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'confirmed'::text, 'ambiguous'::text, 'parked'::text, 'missing'::text]))),
  constraint push_intents_value_micro_check CHECK ((value_micro <> (0)::numeric))
);
CREATE INDEX push_intents_by_customer ON public.push_intents USING btree (stripe_customer);
CREATE UNIQUE INDEX push_intents_one_ambiguous ON public.push_intents USING btree (stripe_customer, meter, period_start) WHERE (state = 'ambiguous'::text);
CREATE INDEX push_intents_unsettled ON public.push_intents USING btree (tenant_id, period_start) WHERE (state <> ALL (ARRAY['confirmed'::text, 'missing'::text]));
CREATE TRIGGER push_intents_are_not_emptied BEFORE TRUNCATE ON public.push_intents FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();
CREATE TRIGGER push_intents_deletes_are_kept AFTER DELETE ON public.push_intents REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start,sequence', '');
CREATE TRIGGER push_intents_inserts_are_kept AFTER INSERT ON public.push_intents REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start,sequence', '');
CREATE TRIGGER push_intents_keep_their_body BEFORE DELETE OR UPDATE ON public.push_intents FOR EACH ROW EXECUTE FUNCTION guard_intent();
CREATE TRIGGER push_intents_updates_are_kept AFTER UPDATE ON public.push_intents REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,period_start,sequence', '');

table quarantine (
  quarantine_id bigint not null generated always as identity,
  batch_id bigint not null,
  received_at timestamp with time zone not null,
  source text,
  event_id text,
  reason text not null,
  detail text not null,
  body text not null,
  ledger_digest bytea,
  received_digest bytea,
  replayed_at timestamp with time zone,
  replay_outcome text,
  cut integer not null default 0,
  dismissed_at timestamp with time zone,
  dismissed_by text,
  dismissed_because text,
  purged_at timestamp with time zone,
  body_digest bytea,
  repeats jsonb,
  constraint quarantine_pkey PRIMARY KEY (quarantine_id),
  constraint quarantine_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(batch_id),
  constraint dismissal_has_a_reason CHECK ((((dismissed_at IS NULL) = (dismissed_by IS NULL)) AND ((dismissed_at IS NULL) = (dismissed_because IS NULL)))),
  constraint only_dismissed_is_purged CHECK (((purged_at IS NULL) OR ((dismissed_at IS NOT NULL) AND (body = ''::text)))),
  constraint quarantine_reason_check CHECK ((reason = ANY (ARRAY['not_json'::text, 'unknown_format'::text, 'invalid_field'::text, 'conflict'::text, 'too_large'::text, 'occurred_in_future'::text, 'occurred_too_early'::text, 'not_understood'::text]))),
  constraint replayed_or_dismissed CHECK (((replayed_at IS NULL) OR (dismissed_at IS NULL)))
);
CREATE INDEX quarantine_by_batch ON public.quarantine USING brin (batch_id) WITH (autosummarize='on');
CREATE INDEX quarantine_by_event ON public.quarantine USING btree (event_id) WHERE (event_id IS NOT NULL);
CREATE INDEX quarantine_waiting ON public.quarantine USING btree (quarantine_id) WHERE ((replayed_at IS NULL) AND (dismissed_at IS NULL));
CREATE UNIQUE INDEX quarantine_waits_once ON public.quarantine USING btree (body_digest) WHERE ((body_digest IS NOT NULL) AND (replayed_at IS NULL) AND (dismissed_at IS NULL));
CREATE TRIGGER quarantine_deletes_are_kept AFTER DELETE ON public.quarantine REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('quarantine_id', 'body');
CREATE TRIGGER quarantine_inserts_are_kept AFTER INSERT ON public.quarantine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('quarantine_id', 'body');
CREATE TRIGGER quarantine_is_not_emptied BEFORE TRUNCATE ON public.quarantine FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();
CREATE TRIGGER quarantine_keeps_its_rows BEFORE DELETE OR UPDATE ON public.quarantine FOR EACH ROW EXECUTE FUNCTION guard_quarantine();
CREATE TRIGGER quarantine_updates_are_kept AFTER UPDATE ON public.quarantine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('quarantine_id', 'body');

table receipts (
  batch_id bigint not null,
  source text not null,
  day date not null,
  received integer not null,
  posted integer not null,
  duplicates integer not null,
  conflicts integer not null,
  quarantined integer not null,
  empty integer not null default 0,
  empty_reasons jsonb,
  constraint receipts_pkey PRIMARY KEY (batch_id, source, day),
  constraint receipts_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(batch_id)
);
CREATE TRIGGER receipts_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.receipts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table run_steps (
  tenant_id text collate "C" not null,
  agent_run_id text collate "C" not null,
  occurred_at timestamp with time zone not null,
  entry_id bigint not null,
  model text,
  feature text,
  tokens numeric(38,0) not null,
  constraint run_steps_pkey PRIMARY KEY (tenant_id, agent_run_id, occurred_at, entry_id)
);
CREATE INDEX run_steps_by_age ON public.run_steps USING btree (occurred_at);

table run_usage (
  tenant_id text collate "C" not null,
  period_start date not null,
  day date not null,
  usage_key uuid not null,
  agent_run_id text collate "C" not null,
  user_id text collate "C" not null,
  entries bigint not null,
  input_tokens numeric(38,0) not null,
  cache_read_tokens numeric(38,0) not null,
  cache_write_tokens numeric(38,0) not null,
  output_tokens numeric(38,0) not null,
  tool_tokens numeric(38,0) not null,
  memory_tokens numeric(38,0) not null,
  charge numeric(38,0) not null,
  cost numeric(38,0) not null,
  output_charge numeric(38,0) not null,
  output_cost numeric(38,0) not null,
  routing_gain numeric(38,0) not null,
  units jsonb,
  uncosted bigint not null default 0,
  uncosted_charge numeric(38,0) not null default 0,
  not_due_charge numeric(38,0) not null default 0,
  other_charge numeric(38,0) not null default 0,
  other_cost numeric(38,0) not null default 0,
  layered_input_tokens numeric(38,0) not null default 0,
  layered_output_tokens numeric(38,0) not null default 0,
  tool_charge numeric(38,0) not null default 0,
  memory_charge numeric(38,0) not null default 0,
  tool_cost numeric(38,0) not null default 0,
  memory_cost numeric(38,0) not null default 0,
  uncharged bigint not null default 0,
  uncharged_cost numeric(38,0) not null default 0,
  constraint run_usage_pkey PRIMARY KEY (tenant_id, period_start, day, usage_key, agent_run_id, user_id)
);

table seal_queue (
  batch_id bigint not null,
  constraint seal_queue_pkey PRIMARY KEY (batch_id)
);

table seals (
  seal_number bigint not null,
  batch_id bigint,
  entries integer not null,
  root bytea not null,
  prints bytea not null,
  previous_hash bytea not null,
  seal_hash bytea not null,
  sealed_at timestamp with time zone not null,
  beside bytea,
  change_ids bigint[],
  constraint seals_pkey PRIMARY KEY (seal_number),
  constraint seals_batch_id_key UNIQUE (batch_id),
  constraint seals_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(batch_id),
  constraint seal_is_about_something CHECK (((batch_id IS NOT NULL) OR ((beside IS NOT NULL) AND (cardinality(change_ids) > 0)))),
  constraint seals_beside_check CHECK ((length(beside) = 32)),
  constraint seals_check CHECK ((length(prints) = (4 * entries))),
  constraint seals_entries_check CHECK ((entries >= 0)),
  constraint seals_previous_hash_check CHECK ((length(previous_hash) = 32)),
  constraint seals_root_check CHECK ((length(root) = 32)),
  constraint seals_seal_hash_check CHECK ((length(seal_hash) = 32)),
  constraint seals_seal_number_check CHECK ((seal_number >= 1))
);
CREATE INDEX seals_by_time ON public.seals USING btree (sealed_at);
CREATE TRIGGER seals_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table second_reports (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  because text not null,
  repeats_tenant_id text collate "C" not null,
  repeats_source text collate "C" not null,
  repeats_event_id text collate "C" not null,
  recorded_at timestamp with time zone not null,
  constraint second_reports_pkey PRIMARY KEY (tenant_id, source, event_id),
  constraint second_reports_because_check CHECK ((because = ANY (ARRAY['response'::text, 'call'::text, 'nested'::text])))
);
CREATE TRIGGER second_reports_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.second_reports FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table settle_queue (
  batch_id bigint not null,
  hold_id text collate "C" not null,
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  constraint settle_queue_pkey PRIMARY KEY (batch_id, hold_id, tenant_id, source, event_id)
);

table stripe_customers (
  tenant_id text collate "C" not null,
  stripe_customer text not null,
  livemode boolean not null,
  state text not null,
  checked_at timestamp with time zone not null,
  account text,
  constraint stripe_customers_pkey PRIMARY KEY (tenant_id, stripe_customer, livemode),
  constraint stripe_customers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint stripe_customers_state_check CHECK ((state = ANY (ARRAY['present'::text, 'deleted'::text])))
);
CREATE TRIGGER stripe_customers_deletes_are_kept AFTER DELETE ON public.stripe_customers REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,stripe_customer,livemode', '');
CREATE TRIGGER stripe_customers_inserts_are_kept AFTER INSERT ON public.stripe_customers REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,stripe_customer,livemode', '');
CREATE TRIGGER stripe_customers_updates_are_kept AFTER UPDATE ON public.stripe_customers REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,stripe_customer,livemode', '');

table stripe_events (
  event_id text not null,
  type text not null,
  received_at timestamp with time zone not null,
  handled_at timestamp with time zone,
  outcome text,
  constraint stripe_events_pkey PRIMARY KEY (event_id)
);

table stripe_invoices (
  invoice_id text not null,
  tenant_id text collate "C" not null,
  period_start date not null,
  stripe_customer text not null,
  state text not null,
  quantity numeric(38,0),
  amount numeric(38,0),
  held_at timestamp with time zone,
  released_at timestamp with time zone,
  finalized_at timestamp with time zone,
  identifier text,
  hosted_url text,
  hold_asked_at timestamp with time zone,
  hold_answered_at timestamp with time zone,
  constraint stripe_invoices_pkey PRIMARY KEY (invoice_id, period_start),
  constraint stripe_invoices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint stripe_invoices_state_check CHECK ((state = ANY (ARRAY['held'::text, 'released'::text, 'finalized'::text, 'gone'::text, 'void'::text])))
);
CREATE INDEX stripe_invoices_by_period ON public.stripe_invoices USING btree (tenant_id, period_start);
CREATE TRIGGER stripe_invoices_are_not_emptied BEFORE TRUNCATE ON public.stripe_invoices FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();

table stripe_meters (
  currency text not null,
  livemode boolean not null,
  event_name text not null,
  meter_id text not null,
  product_id text not null,
  price_id text not null,
  set_up_at timestamp with time zone not null,
  account text,
  constraint stripe_meters_pkey PRIMARY KEY (currency, livemode)
);
CREATE TRIGGER stripe_meters_deletes_are_kept AFTER DELETE ON public.stripe_meters REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('currency,livemode', '');
CREATE TRIGGER stripe_meters_inserts_are_kept AFTER INSERT ON public.stripe_meters REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('currency,livemode', '');
CREATE TRIGGER stripe_meters_updates_are_kept AFTER UPDATE ON public.stripe_meters REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('currency,livemode', '');

table stripe_reads (
  tenant_id text collate "C" not null,
  period_start date not null,
  what text not null,
  stripe_customer text not null,
  read_at timestamp with time zone not null,
  allowance numeric not null,
  figure numeric(38,0),
  constraint stripe_reads_pkey PRIMARY KEY (tenant_id, period_start, what, stripe_customer),
  constraint stripe_reads_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint reads_left CHECK (((allowance >= (0)::numeric) AND (allowance <= (50)::numeric))),
  constraint stripe_reads_what_check CHECK ((what = ANY (ARRAY['meter'::text, 'invoice_item'::text, 'invoices'::text])))
);

table structure_spans (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  batch_id bigint not null,
  operation text not null,
  status text not null,
  error_type text,
  occurred_at timestamp with time zone not null,
  started_at timestamp with time zone,
  user_id text,
  feature text,
  agent_run_id text,
  prompt_version text,
  trace_id text,
  span_id text,
  parent_span_id text,
  event_digest bytea not null,
  constraint structure_spans_pkey PRIMARY KEY (tenant_id, source, event_id),
  constraint structure_spans_event_digest_check CHECK ((length(event_digest) = 32))
);
CREATE INDEX structure_spans_around ON public.structure_spans USING btree (parent_span_id COLLATE "C") WHERE ((span_id IS NOT NULL) AND (parent_span_id IS NOT NULL));
CREATE INDEX structure_spans_by_batch ON public.structure_spans USING brin (batch_id) WITH (autosummarize='on');
CREATE INDEX structure_spans_by_run ON public.structure_spans USING brin (occurred_at timestamptz_minmax_multi_ops, agent_run_id text_bloom_ops (n_distinct_per_range='1500'), trace_id text_bloom_ops (n_distinct_per_range='1500'), hashtextextended(event_id, (0)::bigint) int8_bloom_ops (n_distinct_per_range='1500')) WITH (pages_per_range='64', autosummarize='on');
CREATE INDEX structure_spans_within ON public.structure_spans USING btree (span_id COLLATE "C") WHERE (span_id IS NOT NULL);
CREATE TRIGGER structure_spans_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.structure_spans FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table tenant_calendar_changes (
  tenant_id text collate "C" not null,
  effective_from timestamp with time zone not null,
  time_zone text not null,
  anchor_day smallint not null,
  constraint tenant_calendar_changes_pkey PRIMARY KEY (tenant_id, effective_from),
  constraint tenant_calendar_changes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint tenant_calendar_changes_anchor_day_check CHECK (((anchor_day >= 1) AND (anchor_day <= 31)))
);
CREATE TRIGGER tenant_calendar_changes_deletes_are_kept AFTER DELETE ON public.tenant_calendar_changes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,effective_from', '');
CREATE TRIGGER tenant_calendar_changes_inserts_are_kept AFTER INSERT ON public.tenant_calendar_changes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,effective_from', '');
CREATE TRIGGER tenant_calendar_changes_revision AFTER INSERT OR DELETE OR UPDATE ON public.tenant_calendar_changes FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('tenants');
CREATE TRIGGER tenant_calendar_changes_updates_are_kept AFTER UPDATE ON public.tenant_calendar_changes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,effective_from', '');

table tenant_logins (
  login text collate "C" not null,
  tenant_id text collate "C" not null,
  constraint tenant_logins_pkey PRIMARY KEY (login),
  constraint tenant_logins_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id),
  constraint tenant_logins_login_check CHECK ((login <> ''::text))
);
CREATE TRIGGER tenant_logins_deletes_are_kept AFTER DELETE ON public.tenant_logins REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('login', '');
CREATE TRIGGER tenant_logins_inserts_are_kept AFTER INSERT ON public.tenant_logins REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('login', '');
CREATE TRIGGER tenant_logins_updates_are_kept AFTER UPDATE ON public.tenant_logins REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('login', '');

table tenant_price_books (
  tenant_id text collate "C" not null,
  effective_from timestamp with time zone not null,
  book text collate "C" not null,
  assigned_at timestamp with time zone not null,
  constraint tenant_price_books_pkey PRIMARY KEY (tenant_id, effective_from),
  constraint tenant_price_books_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)
);
CREATE TRIGGER tenant_price_books_are_not_emptied BEFORE TRUNCATE ON public.tenant_price_books FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();
CREATE TRIGGER tenant_price_books_deletes_are_kept AFTER DELETE ON public.tenant_price_books REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,effective_from', '');
CREATE TRIGGER tenant_price_books_inserts_are_kept AFTER INSERT ON public.tenant_price_books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,effective_from', '');
CREATE TRIGGER tenant_price_books_revision AFTER INSERT OR DELETE OR UPDATE ON public.tenant_price_books FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('tenants');
CREATE TRIGGER tenant_price_books_updates_are_kept AFTER UPDATE ON public.tenant_price_books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id,effective_from', '');

table tenants (
  tenant_id text collate "C" not null,
  mode text not null default 'shadow'::text,
  time_zone text not null default 'UTC'::text,
  anchor_day smallint not null default 1,
  stripe_customer text,
  created_at timestamp with time zone not null,
  registered_at timestamp with time zone,
  left_at timestamp with time zone,
  name text,
  address text,
  contact text,
  left_before timestamp with time zone,
  constraint tenants_pkey PRIMARY KEY (tenant_id),
  constraint tenant_has_a_readable_address CHECK (((length(address) >= 1) AND (length(address) <= 500) AND is_readable(address))),
  constraint tenant_has_a_readable_contact CHECK (((length(contact) >= 1) AND (length(contact) <= 200) AND is_readable(contact) AND (strpos(contact, '
'::text) = 0))),
  constraint tenant_has_a_readable_name CHECK (((length(name) >= 1) AND (length(name) <= 200) AND is_readable(name) AND (strpos(name, '
'::text) = 0))),
  constraint tenants_anchor_day_check CHECK (((anchor_day >= 1) AND (anchor_day <= 31))),
  constraint tenants_mode_check CHECK ((mode = ANY (ARRAY['shadow'::text, 'live'::text]))),
  constraint tenants_tenant_id_check CHECK (((length(tenant_id) >= 1) AND (length(tenant_id) <= 200)))
);
CREATE TRIGGER tenants_are_not_emptied BEFORE TRUNCATE ON public.tenants FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying();
CREATE TRIGGER tenants_deletes_are_kept AFTER DELETE ON public.tenants REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id', '');
CREATE TRIGGER tenants_inserts_are_kept AFTER INSERT ON public.tenants REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id', '');
CREATE TRIGGER tenants_revision AFTER UPDATE ON public.tenants FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_revision('tenants');
CREATE TRIGGER tenants_updates_are_kept AFTER UPDATE ON public.tenants REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('tenant_id', '');

table unknown_holds (
  tenant_id text collate "C" not null,
  hold_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  seen_at timestamp with time zone not null,
  constraint unknown_holds_pkey PRIMARY KEY (tenant_id, hold_id, source, event_id)
);

table unnamed_spans (
  tenant_id text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  trace_id text collate "C" not null,
  span_id text collate "C" not null,
  constraint unnamed_spans_pkey PRIMARY KEY (tenant_id, source, event_id)
);
CREATE INDEX unnamed_spans_of_trace ON public.unnamed_spans USING btree (trace_id);
CREATE TRIGGER unnamed_spans_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.unnamed_spans FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table usage_rollups (
  tenant_id text collate "C" not null,
  period_start date not null,
  day date not null,
  kind text not null,
  outcome text not null,
  late boolean not null,
  provider text collate "C" not null,
  requested_model text collate "C" not null,
  executed_model text collate "C" not null,
  feature text collate "C" not null,
  prompt_version text collate "C" not null,
  currency text not null,
  entries bigint not null,
  input_tokens numeric(38,0) not null,
  cache_read_tokens numeric(38,0) not null,
  cache_write_tokens numeric(38,0) not null,
  output_tokens numeric(38,0) not null,
  tool_tokens numeric(38,0) not null,
  memory_tokens numeric(38,0) not null,
  charge numeric(38,0) not null,
  cost numeric(38,0) not null,
  output_charge numeric(38,0) not null,
  output_cost numeric(38,0) not null,
  routing_gain numeric(38,0) not null,
  usage_key uuid not null,
  units jsonb,
  uncosted bigint not null default 0,
  uncosted_charge numeric(38,0) not null default 0,
  not_due_charge numeric(38,0) not null default 0,
  other_charge numeric(38,0) not null default 0,
  other_cost numeric(38,0) not null default 0,
  layered_input_tokens numeric(38,0) not null,
  layered_output_tokens numeric(38,0) not null,
  tool_charge numeric(38,0) not null,
  memory_charge numeric(38,0) not null,
  tool_cost numeric(38,0) not null,
  memory_cost numeric(38,0) not null,
  uncharged bigint not null,
  uncharged_cost numeric(38,0) not null,
  constraint usage_rollups_pkey PRIMARY KEY (tenant_id, period_start, day, usage_key)
);

table verifications (
  verification_id bigint not null generated always as identity,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone not null,
  scope text not null,
  seal_number bigint not null,
  seal_hash bytea not null,
  change_id bigint,
  constraint verifications_pkey PRIMARY KEY (verification_id),
  constraint verifications_scope_check CHECK ((scope = ANY (ARRAY['full'::text, 'incremental'::text])))
);
CREATE TRIGGER verifications_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.verifications FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

table webhook_deliveries (
  event_id bigint not null,
  endpoint_id text collate "C" not null,
  subject text collate "C" not null,
  state text not null default 'pending'::text,
  attempts integer not null default 0,
  first_tried_at timestamp with time zone,
  tried_at timestamp with time zone,
  next_try_at timestamp with time zone not null,
  last_failure text,
  constraint webhook_deliveries_pkey PRIMARY KEY (event_id, endpoint_id),
  constraint webhook_deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints(endpoint_id) ON DELETE CASCADE,
  constraint webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES webhook_events(event_id),
  constraint webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text])))
);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (next_try_at) WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_in_order ON public.webhook_deliveries USING btree (endpoint_id, subject, event_id) WHERE (state = 'pending'::text);

table webhook_endpoints (
  endpoint_id text collate "C" not null,
  url text not null,
  events text[],
  secret bytea not null,
  created_at timestamp with time zone not null,
  created_by text not null,
  disabled_at timestamp with time zone,
  disabled_by text,
  constraint webhook_endpoints_pkey PRIMARY KEY (endpoint_id),
  constraint disabled_by_somebody CHECK (((disabled_at IS NULL) = (disabled_by IS NULL))),
  constraint webhook_endpoints_endpoint_id_check CHECK ((endpoint_id ~ '^whk_[0-9a-f]{12}$'::text)),
  constraint webhook_endpoints_secret_check CHECK (((length(secret) >= 24) AND (length(secret) <= 64))),
  constraint webhook_endpoints_url_check CHECK (((length(url) >= 1) AND (length(url) <= 2000)))
);
CREATE TRIGGER webhook_endpoints_deletes_are_kept AFTER DELETE ON public.webhook_endpoints REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('endpoint_id', 'secret');
CREATE TRIGGER webhook_endpoints_inserts_are_kept AFTER INSERT ON public.webhook_endpoints REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('endpoint_id', 'secret');
CREATE TRIGGER webhook_endpoints_updates_are_kept AFTER UPDATE ON public.webhook_endpoints REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_change('endpoint_id', 'secret');

table webhook_events (
  event_id bigint not null generated always as identity,
  kind text not null,
  event_key text collate "C" not null,
  subject text collate "C" not null,
  occurred_at timestamp with time zone not null,
  data jsonb not null,
  constraint webhook_events_pkey PRIMARY KEY (event_id),
  constraint webhook_events_event_key_key UNIQUE (event_key)
);
CREATE INDEX webhook_events_by_time ON public.webhook_events USING btree (occurred_at);

table webhook_missing (
  thing text collate "C" not null,
  names text[],
  told_count bigint not null,
  told_at timestamp with time zone not null,
  constraint webhook_missing_pkey PRIMARY KEY (thing)
);

schema audit;

view audit.alerts as
 SELECT alert_id,
    raised_at,
    kind,
    subject,
    tenant_id,
    period_start,
    detail,
    resolved_at,
    resolution,
    resolved_by
   FROM push_alerts;

view audit.allocations as
 SELECT a.pool,
    to_char((a.month)::timestamp with time zone, 'YYYY-MM'::text) AS month,
    a.revision,
    e.tenant_id,
    ('ent_'::text || e.entry_id) AS entry_id,
    e.is_reversal,
    ((NOT e.is_reversal) AND (NOT (EXISTS ( SELECT 1
           FROM allocations later
          WHERE ((later.pool = a.pool) AND (later.month = a.month) AND (later.revision > a.revision)))))) AS stands,
    a.basis,
    a.weights,
    ((e.further_tags ->> 'weight'::text))::numeric AS weight,
    a.weight_total,
    ((e.further_tags ->> 'remainder_place'::text))::integer AS remainder_place,
    major(a.amount) AS pool_amount,
    major(e.cost) AS cost,
    major(e.charge) AS charge,
    e.currency,
    a.billed,
    e.period_start,
    e.late,
    a.reason,
    a.actor,
    a.recorded_at
   FROM (allocations a
     CROSS JOIN LATERAL ( SELECT entries_of_batch.entry_id,
            entries_of_batch.tenant_id,
            entries_of_batch.period_start,
            entries_of_batch.late,
            entries_of_batch.is_reversal,
            entries_of_batch.further_tags,
            entries_of_batch.cost,
            entries_of_batch.charge,
            entries_of_batch.currency
           FROM entries_of_batch(a.batch_id) entries_of_batch(tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, error_type, occurred_at, started_at, recorded_at, period_start, late, operation, provider, requested_model, executed_model, response_id, service_tier, gateway_cache, uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, context_tokens, call_share, usage_source, layer_prompt_tokens, layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, cost, requested_cost, currency, charge_book, charge_version, charge_rate_id, cost_book, cost_version, cost_rate_id, user_id, feature, agent_run_id, prompt_version, further_tags, trace_id, span_id, parent_span_id, attempt, corrects_entry_id, is_reversal, reason, actor, event_digest, entry_hash, units, reported_cost, reported_cost_currency, reported_cost_source, call_id, call_usage, not_due, shares_response)
         OFFSET 0) e);

view audit.changes as
 SELECT change_id,
    changed_at,
    of_table,
    row_key,
    kept,
    act,
    actor,
    reason,
    act_id
   FROM changes;

view audit.entries as
 SELECT ('ent_'::text || entry_id) AS entry_id,
    kind,
    outcome,
    tenant_id,
    source,
    event_id,
    NULLIF(member_id, ''::text) AS member_id,
    occurred_at,
    recorded_at,
    period_start,
    late,
    provider,
    requested_model,
    executed_model,
    service_tier,
    gateway_cache,
    (((uncached_input_tokens + cache_read_tokens) + cache_write_tokens) + units_within(units, 'input'::text)) AS input_tokens,
    (cache_read_tokens + units_within(units, 'cache_read'::text)) AS cache_read_tokens,
    (cache_write_tokens + units_within(units, 'cache_write'::text)) AS cache_write_tokens,
    (output_tokens + units_within(units, 'output'::text)) AS output_tokens,
    reasoning_tokens,
    major(charge) AS charge,
    major(cost) AS cost,
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
    reason,
    operation,
    status,
    error_type,
    response_id,
    usage_source,
    cost_book,
    cost_version,
    actor,
    is_reversal,
    revision,
    units,
    major(reported_cost) AS reported_cost,
    reported_cost_currency,
    reported_cost_source,
    call_id,
    (not_due IS TRUE) AS not_due
   FROM entries;

view audit.invoices as
 SELECT invoice_id,
    tenant_id,
    period_start,
    stripe_customer,
    state,
    trim_scale(quantity) AS quantity,
    amount,
    held_at,
    released_at,
    finalized_at
   FROM stripe_invoices;

view audit.layers as
 SELECT ('ent_'::text || entry_id) AS entry_id,
    tenant_id,
    source,
    event_id,
    NULLIF(member_id, ''::text) AS member_id,
    layer_prompt_tokens AS prompt_tokens,
    layer_tool_tokens AS tool_tokens,
    layer_memory_tokens AS memory_tokens,
    layer_response_tokens AS response_tokens,
    COALESCE(((further_tags ->> 'layers_source'::text) = 'scaled'::text), false) AS scaled
   FROM entries
  WHERE (layer_prompt_tokens IS NOT NULL);

view audit.periods as
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
        CASE
            WHEN (c.tenant_id IS NULL) THEN NULL::text
            WHEN ((c.billable_micro = (0)::numeric) OR ((c.mode = 'shadow'::text) AND (i.intents = 0))) THEN 'not_due'::text
            WHEN (i.confirmed < c.billable_micro) THEN 'untold'::text
            WHEN (i.settled = c.billable_micro) THEN 'settled'::text
            ELSE 'told'::text
        END AS told,
    v.invoice_id
   FROM (((((periods p
     JOIN tenants t ON ((t.tenant_id = p.tenant_id)))
     LEFT JOIN closes c ON (((c.tenant_id = p.tenant_id) AND (c.period_start = p.period_start))))
     LEFT JOIN LATERAL ( SELECT sum(u.entries) AS entries,
            sum((u.charge - u.not_due_charge)) AS charge,
            min(u.currency) AS currency
           FROM usage_rollups u
          WHERE ((u.tenant_id = p.tenant_id) AND (u.period_start = p.period_start))) r ON ((c.tenant_id IS NULL)))
     LEFT JOIN LATERAL ( SELECT count(*) AS intents,
            COALESCE(sum(n.value_micro) FILTER (WHERE (n.state = 'confirmed'::text)), (0)::numeric) AS confirmed,
            COALESCE(sum(n.value_micro) FILTER (WHERE ((n.state = 'confirmed'::text) AND (n.destination = 'settled'::text))), (0)::numeric) AS settled
           FROM push_intents n
          WHERE ((n.tenant_id = p.tenant_id) AND (n.period_start = p.period_start))) i ON ((c.tenant_id IS NOT NULL)))
     LEFT JOIN LATERAL ( SELECT s.invoice_id
           FROM stripe_invoices s
          WHERE ((s.tenant_id = p.tenant_id) AND (s.period_start = p.period_start) AND (s.state <> ALL (ARRAY['gone'::text, 'void'::text])))
          ORDER BY (s.state = 'finalized'::text) DESC, s.quantity DESC NULLS LAST, s.invoice_id
         LIMIT 1) v ON ((c.tenant_id IS NOT NULL)));

view audit.pushes as
 SELECT tenant_id,
    period_start,
    meter,
    identifier,
    trim_scale(value_micro) AS value,
    state,
    attempts,
    first_attempt_at,
    confirmed_at,
    sent_at,
    stripe_customer,
    last_answer,
    absent_since,
    proven_at,
    livemode,
    destination,
    account
   FROM push_intents;

view audit.quarantine as
 SELECT quarantine_id,
    received_at,
    source,
    event_id,
    reason,
    detail,
    body,
    replayed_at,
    replay_outcome,
    encode(ledger_digest, 'hex'::text) AS ledger_digest,
    encode(received_digest, 'hex'::text) AS received_digest,
    cut,
    dismissed_at,
    dismissed_by,
    dismissed_because,
    purged_at
   FROM quarantine;

view audit.seals as
 SELECT seal_number,
    batch_id,
    entries,
    encode(root, 'hex'::text) AS root,
    encode(previous_hash, 'hex'::text) AS previous_hash,
    encode(seal_hash, 'hex'::text) AS seal_hash,
    sealed_at
   FROM seals;

view audit.second_reports as
 SELECT tenant_id,
    source,
    event_id,
    because,
    repeats_tenant_id,
    repeats_source,
    repeats_event_id,
    ( SELECT ('ent_'::text || e.entry_id)
           FROM entries_of_event(s.repeats_tenant_id, s.repeats_source, s.repeats_event_id) e(tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, error_type, occurred_at, started_at, recorded_at, period_start, late, operation, provider, requested_model, executed_model, response_id, service_tier, gateway_cache, uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, context_tokens, call_share, usage_source, layer_prompt_tokens, layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, cost, requested_cost, currency, charge_book, charge_version, charge_rate_id, cost_book, cost_version, cost_rate_id, user_id, feature, agent_run_id, prompt_version, further_tags, trace_id, span_id, parent_span_id, attempt, corrects_entry_id, is_reversal, reason, actor, event_digest, entry_hash, units, reported_cost, reported_cost_currency, reported_cost_source, call_id, call_usage, not_due, shares_response)
          ORDER BY e.revision, e.entry_id
         LIMIT 1) AS repeats_entry_id,
    recorded_at
   FROM second_reports_of_ledger() s(tenant_id, source, event_id, because, repeats_tenant_id, repeats_source, repeats_event_id, recorded_at);

view audit.usage_daily as
 SELECT day,
    tenant_id,
    requested_model,
    NULLIF(feature, ''::text) AS feature,
    outcome,
    (sum(entries))::bigint AS entries,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    major(sum(charge)) AS charge,
        CASE
            WHEN (sum(uncosted) = (0)::numeric) THEN major(sum(cost))
            ELSE NULL::numeric
        END AS cost,
    currency
   FROM usage_rollups
  GROUP BY day, tenant_id, requested_model, feature, outcome, currency;

view batch_leaves as
 SELECT b.batch_id,
    e.entry_id,
    ((e.entry_id % (1000000)::bigint))::integer AS place,
    e.entry_hash,
    entry_hash(ROW(e.tenant_id, e.source, e.event_id, e.member_id, e.revision, e.entry_id, e.kind, e.outcome, e.status, e.error_type, e.occurred_at, e.started_at, e.recorded_at, e.period_start, e.late, e.operation, e.provider, e.requested_model, e.executed_model, e.response_id, e.service_tier, e.gateway_cache, e.uncached_input_tokens, e.cache_read_tokens, e.cache_write_tokens, e.output_tokens, e.reasoning_tokens, e.context_tokens, e.call_share, e.usage_source, e.layer_prompt_tokens, e.layer_tool_tokens, e.layer_memory_tokens, e.layer_response_tokens, e.charge, e.cost, e.requested_cost, e.currency, e.charge_book, e.charge_version, e.charge_rate_id, e.cost_book, e.cost_version, e.cost_rate_id, e.user_id, e.feature, e.agent_run_id, e.prompt_version, e.further_tags, e.trace_id, e.span_id, e.parent_span_id, e.attempt, e.corrects_entry_id, e.is_reversal, e.reason, e.actor, e.event_digest, e.entry_hash, e.units, e.reported_cost, e.reported_cost_currency, e.reported_cost_source, e.call_id, e.call_usage, e.not_due, e.shares_response), b.salt) AS computed_hash,
    COALESCE(e.entry_hash, entry_hash(ROW(e.tenant_id, e.source, e.event_id, e.member_id, e.revision, e.entry_id, e.kind, e.outcome, e.status, e.error_type, e.occurred_at, e.started_at, e.recorded_at, e.period_start, e.late, e.operation, e.provider, e.requested_model, e.executed_model, e.response_id, e.service_tier, e.gateway_cache, e.uncached_input_tokens, e.cache_read_tokens, e.cache_write_tokens, e.output_tokens, e.reasoning_tokens, e.context_tokens, e.call_share, e.usage_source, e.layer_prompt_tokens, e.layer_tool_tokens, e.layer_memory_tokens, e.layer_response_tokens, e.charge, e.cost, e.requested_cost, e.currency, e.charge_book, e.charge_version, e.charge_rate_id, e.cost_book, e.cost_version, e.cost_rate_id, e.user_id, e.feature, e.agent_run_id, e.prompt_version, e.further_tags, e.trace_id, e.span_id, e.parent_span_id, e.attempt, e.corrects_entry_id, e.is_reversal, e.reason, e.actor, e.event_digest, e.entry_hash, e.units, e.reported_cost, e.reported_cost_currency, e.reported_cost_source, e.call_id, e.call_usage, e.not_due, e.shares_response), b.salt)) AS leaf
   FROM (batches b
     CROSS JOIN LATERAL ( SELECT entries_of_batch.tenant_id,
            entries_of_batch.source,
            entries_of_batch.event_id,
            entries_of_batch.member_id,
            entries_of_batch.revision,
            entries_of_batch.entry_id,
            entries_of_batch.kind,
            entries_of_batch.outcome,
            entries_of_batch.status,
            entries_of_batch.error_type,
            entries_of_batch.occurred_at,
            entries_of_batch.started_at,
            entries_of_batch.recorded_at,
            entries_of_batch.period_start,
            entries_of_batch.late,
            entries_of_batch.operation,
            entries_of_batch.provider,
            entries_of_batch.requested_model,
            entries_of_batch.executed_model,
            entries_of_batch.response_id,
            entries_of_batch.service_tier,
            entries_of_batch.gateway_cache,
            entries_of_batch.uncached_input_tokens,
            entries_of_batch.cache_read_tokens,
            entries_of_batch.cache_write_tokens,
            entries_of_batch.output_tokens,
            entries_of_batch.reasoning_tokens,
            entries_of_batch.context_tokens,
            entries_of_batch.call_share,
            entries_of_batch.usage_source,
            entries_of_batch.layer_prompt_tokens,
            entries_of_batch.layer_tool_tokens,
            entries_of_batch.layer_memory_tokens,
            entries_of_batch.layer_response_tokens,
            entries_of_batch.charge,
            entries_of_batch.cost,
            entries_of_batch.requested_cost,
            entries_of_batch.currency,
            entries_of_batch.charge_book,
            entries_of_batch.charge_version,
            entries_of_batch.charge_rate_id,
            entries_of_batch.cost_book,
            entries_of_batch.cost_version,
            entries_of_batch.cost_rate_id,
            entries_of_batch.user_id,
            entries_of_batch.feature,
            entries_of_batch.agent_run_id,
            entries_of_batch.prompt_version,
            entries_of_batch.further_tags,
            entries_of_batch.trace_id,
            entries_of_batch.span_id,
            entries_of_batch.parent_span_id,
            entries_of_batch.attempt,
            entries_of_batch.corrects_entry_id,
            entries_of_batch.is_reversal,
            entries_of_batch.reason,
            entries_of_batch.actor,
            entries_of_batch.event_digest,
            entries_of_batch.entry_hash,
            entries_of_batch.units,
            entries_of_batch.reported_cost,
            entries_of_batch.reported_cost_currency,
            entries_of_batch.reported_cost_source,
            entries_of_batch.call_id,
            entries_of_batch.call_usage,
            entries_of_batch.not_due,
            entries_of_batch.shares_response
           FROM entries_of_batch(b.batch_id) entries_of_batch(tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, error_type, occurred_at, started_at, recorded_at, period_start, late, operation, provider, requested_model, executed_model, response_id, service_tier, gateway_cache, uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, context_tokens, call_share, usage_source, layer_prompt_tokens, layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, cost, requested_cost, currency, charge_book, charge_version, charge_rate_id, cost_book, cost_version, cost_rate_id, user_id, feature, agent_run_id, prompt_version, further_tags, trace_id, span_id, parent_span_id, attempt, corrects_entry_id, is_reversal, reason, actor, event_digest, entry_hash, units, reported_cost, reported_cost_currency, reported_cost_source, call_id, call_usage, not_due, shares_response)
         OFFSET 0) e);

view entry_leaves as
 SELECT e.tenant_id,
    e.period_start,
    e.entry_id,
    b.batch_id,
    ((e.entry_id % (1000000)::bigint))::integer AS place,
    e.entry_hash,
    entry_hash(e.*, b.salt) AS computed_hash,
    COALESCE(e.entry_hash, entry_hash(e.*, b.salt)) AS leaf
   FROM (entries_of_ledger() e(tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome, status, error_type, occurred_at, started_at, recorded_at, period_start, late, operation, provider, requested_model, executed_model, response_id, service_tier, gateway_cache, uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, context_tokens, call_share, usage_source, layer_prompt_tokens, layer_tool_tokens, layer_memory_tokens, layer_response_tokens, charge, cost, requested_cost, currency, charge_book, charge_version, charge_rate_id, cost_book, cost_version, cost_rate_id, user_id, feature, agent_run_id, prompt_version, further_tags, trace_id, span_id, parent_span_id, attempt, corrects_entry_id, is_reversal, reason, actor, event_digest, entry_hash, units, reported_cost, reported_cost_currency, reported_cost_source, call_id, call_usage, not_due, shares_response)
     JOIN batches b ON ((b.batch_id = (e.entry_id / 1000000))));

view run_rollups with (security_invoker=true) as
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
    r.cost,
    r.output_charge,
    r.output_cost,
    r.routing_gain,
    r.units,
    r.uncosted,
    r.uncosted_charge,
    r.not_due_charge,
    r.other_charge,
    r.other_cost,
    r.layered_input_tokens,
    r.layered_output_tokens,
    r.tool_charge,
    r.memory_charge,
    r.tool_cost,
    r.memory_cost,
    r.uncharged,
    r.uncharged_cost
   FROM (run_usage r
     JOIN usage_rollups u ON (((u.tenant_id = r.tenant_id) AND (u.period_start = r.period_start) AND (u.day = r.day) AND (u.usage_key = r.usage_key))));

CREATE OR REPLACE FUNCTION audit.entries_as_of(at timestamp with time zone)
 RETURNS SETOF audit.entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from audit.entries where recorded_at <= at
$function$
;

CREATE OR REPLACE FUNCTION audit.periods_as_of(at timestamp with time zone)
 RETURNS SETOF audit.periods
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION audit.quarantine_as_of(at timestamp with time zone)
 RETURNS SETOF audit.quarantine
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select quarantine_id, received_at, source, event_id, reason, detail, body,
    case when replayed_at <= at then replayed_at end,
    case when replayed_at <= at then replay_outcome end,
    ledger_digest, received_digest, cut,
    case when dismissed_at <= at then dismissed_at end,
    case when dismissed_at <= at then dismissed_by end,
    case when dismissed_at <= at then dismissed_because end,
    case when purged_at <= at then purged_at end
  from audit.quarantine where received_at <= at
$function$
;

CREATE OR REPLACE FUNCTION audit.usage_daily_as_of(at timestamp with time zone)
 RETURNS SETOF audit.usage_daily
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select (occurred_at at time zone 'UTC')::date, tenant_id, requested_model, nullif(feature, ''), outcome,
    count(*), sum(input_tokens), sum(output_tokens),
    trim_scale(coalesce(sum(charge), 0)),
    case when coalesce(sum(case when is_reversal then -1 else 1 end)
      filter (where cost is null and kind <> 'adjustment'), 0) = 0 then trim_scale(coalesce(sum(cost), 0)) end,
    currency
  from audit.entries_as_of(at)
  group by (occurred_at at time zone 'UTC')::date, tenant_id, requested_model, nullif(feature, ''), outcome, currency
$function$
;

CREATE OR REPLACE FUNCTION public.add_units(a jsonb, b jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select coalesce(jsonb_object_agg(s.key, s.total), '{}') from (
    select u.key, sum(u.value::numeric) as total
    from (select * from jsonb_each_text(a) union all select * from jsonb_each_text(b)) u group by u.key
  ) s
$function$
;

CREATE OR REPLACE FUNCTION public.amount_by_rates(amount numeric, version text, cost_book text, cost_version timestamp with time zone, currency text)
 RETURNS numeric
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select round(amount * case when v.base = $5 then 1000000000000 else t.rate end
    / case when v.base = b.currency then 1000000000000 else f.rate end)
  from exchange_versions v
  join price_books b on b.book = cost_book and b.effective_from = cost_version
  left join exchange_rates t on t.version_id = v.version_id and t.currency = $5
  left join exchange_rates f on f.version_id = v.version_id and f.currency = b.currency
  where v.version_id = version::bigint
$function$
;

CREATE OR REPLACE FUNCTION public.await_shards()
 RETURNS void
 LANGUAGE sql
 STABLE
AS $function$ $function$
;

CREATE OR REPLACE FUNCTION public.batches_beside(ids bigint[])
 RETURNS TABLE(batch_id bigint, digest bytea)
 LANGUAGE sql
 STABLE
 SET "TimeZone" TO 'UTC'
 SET bytea_output TO 'hex'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION public.begin_journal(of_table text, key text, long text)
 RETURNS void
 LANGUAGE plpgsql
 SET "TimeZone" TO 'UTC'
 SET bytea_output TO 'hex'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.bump_catalog_revision()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update catalog_revisions set revision = revision + 1 where catalog = tg_argv[0];
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.changes_digest(ids bigint[])
 RETURNS bytea
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET "TimeZone" TO 'UTC'
 SET bytea_output TO 'hex'
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select case when count(c.change_id) = cardinality(ids) then sha256(coalesce(string_agg(
    sha256(convert_to((jsonb_build_array(c.change_id, c.changed_at, c.of_table, c.row_key, c.kept, c.act, c.actor, c.reason)
      || case when c.act_id is null then '[]' else jsonb_build_array(c.act_id) end)::text,
      'UTF8')), ''::bytea order by c.change_id), ''::bytea)) end
  from unnest(ids) i(id) left join changes c on c.change_id = i.id
$function$
;

CREATE OR REPLACE FUNCTION public.copy_boolean(value boolean)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when value then 't' else 'f' end
$function$
;

CREATE OR REPLACE FUNCTION public.copy_instant(value timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select coalesce(replace(to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '000Z', 'Z'), value::text)
$function$
;

CREATE OR REPLACE FUNCTION public.copy_text(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when value ~ '[\\\t\n\r]'
    then replace(replace(replace(replace(value, '\', '\\'), e'\t', '\t'), e'\n', '\n'), e'\r', '\r')
    else value end
$function$
;

CREATE OR REPLACE FUNCTION public.corrections_of(of_id bigint)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where corrects_entry_id = of_id $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_batch(of_batch bigint)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where entry_id >= of_batch * 1000000 and entry_id < (of_batch + 1) * 1000000 $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_call(of_call text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where call_id collate "C" = of_call and call_id is not null $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_event(of_tenant text, of_source text, of_event text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where tenant_id = of_tenant and source = of_source and event_id = of_event $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_id(of_id bigint)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where entry_id = of_id $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_ids(of_ids bigint[])
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where entry_id = any(of_ids) $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_ledger()
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_period(of_tenant text, of_period date)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where tenant_id = of_tenant and period_start = of_period $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_periods(of_tenants text[], of_periods date[])
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where tenant_id = any(of_tenants) and period_start = any(of_periods) $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_response(of_response text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries
  where hashtextextended(response_id, 0) = hashtextextended(of_response, 0) and response_id = of_response $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_response_hash(of_response text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where hashtextextended(response_id, 0) = hashtextextended(of_response, 0) $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_span(of_span text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where span_id collate "C" = of_span $function$
;

CREATE OR REPLACE FUNCTION public.entries_of_tenant(of_tenant text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where tenant_id = of_tenant $function$
;

CREATE OR REPLACE FUNCTION public.entries_within_span(of_span text)
 RETURNS SETOF entries
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from entries where parent_span_id collate "C" = of_span and parent_span_id is not null $function$
;

CREATE OR REPLACE FUNCTION public.entry_hash(e entries, salt bytea)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select sha256('\x00'::bytea || convert_to(entry_shown(e) || e'\t' || encode(entry_hidden(e, salt), 'hex'), 'UTF8'))
$function$
;

CREATE OR REPLACE FUNCTION public.entry_hidden(e entries, salt bytea)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select sha256('\x02'::bytea || convert_to(encode(salt, 'hex') || e'\t' || e.entry_id || e'\t' || array_to_string(array[
    copy_text(e.error_type), copy_text(e.provider), copy_text(e.executed_model), copy_text(e.response_id),
    e.context_tokens::text, e.cost::text, e.requested_cost::text, copy_text(e.cost_book), copy_instant(e.cost_version),
    e.cost_rate_id::text, copy_text(e.further_tags::text), copy_text(e.reason), copy_text(e.actor),
    '\\x' || encode(e.event_digest, 'hex')], e'\t', '\N')
    || case when num_nonnulls(e.reported_cost, e.call_id, e.call_usage) = 0 then ''
      else e'\t' || array_to_string(array[e.reported_cost::text, copy_text(e.reported_cost_currency),
        copy_text(e.reported_cost_source), copy_text(e.call_id), copy_text(e.call_usage::text)], e'\t', '\N') end,
    'UTF8'))
$function$
;

CREATE OR REPLACE FUNCTION public.entry_shown(e entries)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
    copy_boolean(e.is_reversal)], e'\t', '\N')
    || case when e.not_due is null then coalesce(e'\t' || copy_text(e.units::text), '')
      else e'\t' || coalesce(copy_text(e.units::text), '\N') || e'\t' || copy_boolean(e.not_due) end
$function$
;

CREATE OR REPLACE FUNCTION public.guard_intent()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    raise exception 'a push intent is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start, old.sequence, old.identifier, old.value_micro, old.event_timestamp, old.created_at)
     is distinct from (new.tenant_id, new.period_start, new.sequence, new.identifier, new.value_micro,
      new.event_timestamp, new.created_at)
     or ((old.destination, old.meter, old.stripe_customer)
         is distinct from (new.destination, new.meter, new.stripe_customer)
         and not (old.state = 'pending' and old.attempts = 0))
     or (old.account is not null and old.account is distinct from new.account
         and not (old.state = 'pending' and old.attempts = 0)) then
    raise exception 'the body of push intent % never changes', old.identifier using errcode = 'restrict_violation';
  end if;
  if old.state <> new.state and (new.state = 'pending' or old.state = 'missing'
       or old.state = 'confirmed' and new.state not in ('parked', 'missing'))
     or new.attempts < old.attempts
     or old.first_attempt_at is not null and old.first_attempt_at is distinct from new.first_attempt_at then
    raise exception 'push intent % is %, and never steps back', old.identifier, old.state
      using errcode = 'restrict_violation';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_period()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    raise exception 'a period is never deleted' using errcode = 'restrict_violation';
  end if;
  if (old.tenant_id, old.period_start) is distinct from (new.tenant_id, new.period_start)
     or array_position(array['open', 'shut', 'closed'], new.state)
        < array_position(array['open', 'shut', 'closed'], old.state)
     or (old.starts_at, old.ends_at, old.time_zone) is distinct from (new.starts_at, new.ends_at, new.time_zone)
        and not ((old.starts_at, old.time_zone) = (new.starts_at, new.time_zone)
          and old.state = 'open' and new.state = 'open'
          and not exists (select from periods p where p.tenant_id = old.tenant_id
            and p.starts_at >= old.ends_at and p.starts_at < new.ends_at))
        and exists (select 1 from periods p where p.tenant_id = old.tenant_id and p.state <> 'open') then
    raise exception 'period % of % may only move from open to shut to closed', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  if old.state <> 'open' and old.mode is distinct from new.mode then
    raise exception 'the mode of period % of % is frozen', old.period_start, old.tenant_id
      using errcode = 'restrict_violation';
  end if;
  if old.state = 'open' and new.state <> 'open' then
    new.mode := (select t.mode from tenants t where t.tenant_id = new.tenant_id);
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_quarantine()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    raise exception 'nothing is deleted from the quarantine: dismiss an event, and purge what is dismissed'
      using errcode = 'restrict_violation';
  end if;
  if (old.quarantine_id, old.batch_id, old.received_at, old.source, old.event_id, old.reason, old.detail, old.cut,
      old.ledger_digest, old.received_digest, old.body_digest, old.repeats)
     is distinct from (new.quarantine_id, new.batch_id, new.received_at, new.source, new.event_id, new.reason,
      new.detail, new.cut, new.ledger_digest, new.received_digest, new.body_digest, new.repeats)
     or (old.body <> new.body and (old.purged_at is not null or new.purged_at is null))
     or (old.replayed_at is not null and old.replayed_at is distinct from new.replayed_at)
     or (old.dismissed_at is not null and old.dismissed_at is distinct from new.dismissed_at)
     or (old.purged_at is not null and old.purged_at is distinct from new.purged_at) then
    raise exception 'event % in quarantine is refused a change: it is replayed or dismissed once, and purged after that',
      old.quarantine_id using errcode = 'restrict_violation';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.is_distributed(of_table text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  answer boolean := false;
begin
  if to_regclass('pg_dist_partition') is not null then
    execute 'select exists (select from pg_dist_partition where logicalrelid = $1::regclass)' into answer using of_table;
  end if;
  return answer;
end $function$
;

CREATE OR REPLACE FUNCTION public.is_readable(of_text text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select of_text !~ '[\u0001-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]'
$function$
;

CREATE OR REPLACE FUNCTION public.keep_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET bytea_output TO 'hex'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.kept_of(of_row anyelement)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET "TimeZone" TO 'UTC'
 SET bytea_output TO 'hex'
AS $function$
  select to_jsonb(of_row)
$function$
;

CREATE OR REPLACE FUNCTION public.key_of(kept jsonb, names text[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select jsonb_object_agg(name, kept -> name) from unnest(names) name
$function$
;

CREATE OR REPLACE FUNCTION public.known_events(of_tenants text[], of_sources text[], of_events text[])
 RETURNS TABLE(n bigint, event_id text, digests bytea[])
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select g.n, l.event_id, l.digests
  from unnest(of_tenants, of_sources, of_events) with ordinality g(tenant, source, ids, n)
  cross join lateral (
    select e.event_id, array_agg(e.event_digest order by e.revision desc) as digests from entries e
      where e.tenant_id = g.tenant and e.source = g.source and e.event_id = any(g.ids::text[])
      group by e.event_id
    union all
    select s.event_id, array[s.event_digest] from structure_spans s
      where s.tenant_id = g.tenant and s.source = g.source and s.event_id = any(g.ids::text[])
  ) l $function$
;

CREATE OR REPLACE FUNCTION public.major(pico numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN trim_scale((pico * 0.000000000001))
;

CREATE OR REPLACE FUNCTION public.minor_unit(currency text)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case
    when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF')
      then 1
    when currency in ('BHD', 'JOD', 'KWD', 'OMR', 'TND') then 0.001
    else 0.01
  end
$function$
;

CREATE OR REPLACE FUNCTION public.other_units_amount(units jsonb, prices jsonb, factor numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when units is null then 0::numeric else sum_of_others(units, prices, factor) end
$function$
;

CREATE OR REPLACE FUNCTION public.output_units_amount(units jsonb, prices jsonb, factor numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when units is null then 0::numeric else sum_of_output(units, prices, factor) end
$function$
;

CREATE OR REPLACE FUNCTION public.refuse_acts_of_people()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if has_table_privilege('allocations', 'insert') then
    return new;
  end if;
  raise insufficient_privilege using message = format(
    'permission denied for %s: a worker posts usage and what follows from it, and nothing in the name of a person, for which a login needs the right to insert into allocations',
    case when new.kind in ('adjustment', 'allocation') then 'a batch of kind ' || new.kind else 'a batch of an actor' end);
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% on % is refused: nothing is edited; post a correction instead', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_emptying()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'emptying % is refused: it holds what happened, and nothing of that is taken away', tg_table_name
    using errcode = 'restrict_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.second_reports_of_event(of_source text, of_event text)
 RETURNS SETOF second_reports
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select s.* from tenants t cross join lateral (
    select * from second_reports where tenant_id = t.tenant_id and source = of_source and event_id = of_event) s $function$
;

CREATE OR REPLACE FUNCTION public.second_reports_of_ledger()
 RETURNS SETOF second_reports
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from second_reports $function$
;

CREATE OR REPLACE FUNCTION public.session_tenant()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select coalesce((select tenant_id from tenant_logins where login = session_user), current_setting('spanledger.tenant', true))
$function$
;

CREATE OR REPLACE FUNCTION public.spans_of_batches(of_batches bigint[])
 RETURNS SETOF structure_spans
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from structure_spans where batch_id = any(of_batches) $function$
;

CREATE OR REPLACE FUNCTION public.spans_of_ledger()
 RETURNS SETOF structure_spans
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from structure_spans $function$
;

CREATE OR REPLACE FUNCTION public.spans_of_span(of_span text)
 RETURNS SETOF structure_spans
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from structure_spans where span_id collate "C" = of_span and span_id is not null $function$
;

CREATE OR REPLACE FUNCTION public.spans_within_span(of_span text)
 RETURNS SETOF structure_spans
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select * from structure_spans where parent_span_id collate "C" = of_span $function$
;

CREATE OR REPLACE FUNCTION public.sum_of_others(units jsonb, prices jsonb, factor numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select coalesce(sum(u.value::numeric * floor((2 * (prices ->> u.key)::numeric * factor + 1000000) / 2000000)), 0)
  from jsonb_each_text(units) u where u.key not like '%\_tokens'
$function$
;

CREATE OR REPLACE FUNCTION public.sum_of_output(units jsonb, prices jsonb, factor numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select coalesce(sum(u.value::numeric * floor((2 * (prices ->> u.key)::numeric * factor + 1000000) / 2000000)), 0)
  from jsonb_each_text(units) u where u.key like 'output\_%'
$function$
;

CREATE OR REPLACE FUNCTION public.sum_within(units jsonb, total text)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select coalesce(sum(u.value::bigint), 0)::bigint from jsonb_each_text(units) u
  where u.key like '%\_tokens' and (u.key like total || '\_%' or total = 'input' and u.key like 'cache\_%')
$function$
;

CREATE OR REPLACE FUNCTION public.units_within(units jsonb, total text)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when units is null then 0::bigint else sum_within(units, total) end
$function$
;

CREATE OR REPLACE FUNCTION public.unnamed_of_traces(of_traces text[], of_most integer)
 RETURNS SETOF unnamed_spans
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select u.* from unnest(of_traces) t(trace_id) cross join lateral (
    select * from unnamed_spans s where s.trace_id = t.trace_id limit of_most) u
  where not exists (select from second_reports r
    where r.tenant_id = u.tenant_id and r.source = u.source and r.event_id = u.event_id) $function$
;

CREATE OR REPLACE FUNCTION public.what_is_held()
 RETURNS TABLE(nobodys_answers boolean, nobodys_calls boolean, bare_spans boolean, unnamed_spans boolean)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select
    exists (select from entries o where o.tenant_id = 'unattributed' and o.response_id is not null
      and o.gateway_cache = 'none' and o.revision = 0 and o.status = 'ok' order by o.response_id limit 1),
    exists (select from entries o where o.tenant_id = 'unattributed' order by o.tenant_id, o.source, o.event_id limit 1),
    exists (select from entries o where (o.response_id is null or o.gateway_cache <> 'none')
      and (o.span_id is not null or o.parent_span_id is not null) and o.revision = 0 and o.status = 'ok'
      order by o.span_id collate "C" limit 1),
    exists (select from unnamed_spans) $function$
;

CREATE OR REPLACE FUNCTION public.with_digests(kept jsonb, names text[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select kept || coalesce(jsonb_object_agg(name, encode(sha256(convert_to(coalesce(kept ->> name, ''), 'UTF8')), 'hex')), '{}')
  from unnest(names) name
$function$
;
