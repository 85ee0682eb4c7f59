import type { ColumnType, Generated } from 'kysely';
import type { InstantMs } from '../clock.ts';

/** The row types of all tables, as the migrations make them. Knows no domain. */
export interface Tables {
  readonly catalog_revisions: { catalog: string; revision: bigint };
  readonly price_books: PriceBooksTable;
  readonly price_rates: PriceRatesTable;
  readonly exchange_versions: ExchangeVersionsTable;
  readonly exchange_rates: { version_id: bigint; currency: string; rate: bigint };
  readonly tenants: TenantsTable;
  readonly tenant_calendar_changes: TenantCalendarChangesTable;
  readonly tenant_price_books: TenantPriceBooksTable;
  readonly default_price_books: DefaultPriceBooksTable;
  readonly periods: PeriodsTable;
  readonly quarantine: QuarantineTable;
  readonly closes: ClosesTable;
  readonly stripe_meters: StripeMetersTable;
  readonly push_intents: PushIntentsTable;
  readonly fold_queue: { batch_id: bigint };
  readonly allocations: AllocationsTable;
  readonly seal_queue: { batch_id: bigint };
  readonly seals: SealsTable;
  readonly verifications: VerificationsTable;
  readonly budgets: BudgetsTable;
}

/** Epoch milliseconds in code, written as RFC 3339 text. */
type Instant = ColumnType<InstantMs, string, string>;
type NullableInstant = ColumnType<InstantMs | null, string | null, string | null>;

interface PriceBooksTable {
  book: string;
  effective_from: Instant;
  kind: 'charge' | 'cost';
  currency: string;
  caching: 'work_done' | 'pass_through';
  base_book: string | null;
  cost_factor: bigint | null;
  base_factor: bigint | null;
  document: string;
  document_hash: string;
  imported_at: Instant;
}

interface PriceRatesTable {
  rate_id: Generated<bigint>;
  book: string;
  effective_from: Instant;
  provider: string | null;
  model: string;
  service_tier: string;
  above_input_tokens: bigint;
  per_call: bigint;
  input: bigint | null;
  output: bigint | null;
  cache_read: bigint | null;
  cache_write: bigint | null;
  units: ColumnType<Readonly<Record<string, string>> | null, string | null, never>;
}

interface ExchangeVersionsTable {
  version_id: Generated<bigint>;
  base: string;
  effective_from: Instant;
  source: string;
  document_hash: string;
  imported_at: Instant;
}

interface TenantsTable {
  tenant_id: string;
  mode: 'shadow' | 'live';
  time_zone: string;
  anchor_day: number;
  stripe_customer: string | null;
  name: string | null;
  address: string | null;
  contact: string | null;
  created_at: Instant;
  /** It is null for a tenant that its first event made. */
  registered_at: NullableInstant;
  /** It is null while the tenant is a customer. */
  left_at: NullableInstant;
  /** The leave that stands again where that one is withdrawn. */
  left_before: NullableInstant;
}

interface TenantCalendarChangesTable {
  tenant_id: string;
  effective_from: Instant;
  time_zone: string;
  anchor_day: number;
}

interface TenantPriceBooksTable {
  tenant_id: string;
  effective_from: Instant;
  book: string;
  assigned_at: Instant;
}

interface DefaultPriceBooksTable {
  effective_from: Instant;
  book: string;
  named_at: Instant;
}

interface PeriodsTable {
  tenant_id: string;
  period_start: string;
  starts_at: Instant;
  ends_at: Instant;
  time_zone: string;
  state: 'open' | 'shut' | 'closed';
}

interface QuarantineTable {
  quarantine_id: Generated<bigint>;
  batch_id: bigint;
  received_at: Instant;
  source: string | null;
  event_id: string | null;
  reason: string;
  detail: string;
  body: string;
  ledger_digest: Buffer | null;
  received_digest: Buffer | null;
  body_digest: Buffer | null;
  repeats: ColumnType<RepeatedInMessage | null, string | null, never>;
  replayed_at: NullableInstant;
  replay_outcome: string | null;
  cut: Generated<number>;
  dismissed_at: NullableInstant;
  dismissed_by: string | null;
  dismissed_because: string | null;
  purged_at: NullableInstant;
}

interface RepeatedInMessage {
  readonly tenantId: string | null;
  readonly source: string;
  readonly eventId: string;
  readonly because: 'nested' | 'response';
}

interface ClosesTable {
  tenant_id: string;
  period_start: string;
  manifest: string;
  manifest_hash: string;
  entries: bigint;
  currency: string;
  charge_exact: bigint;
  carried_in: bigint;
  billable_micro: bigint;
  carried_out: bigint;
  charge_total: bigint;
  closed_at: Instant;
  mode: 'shadow' | 'live';
  stripe_customer: string | null;
  carries_apart: boolean;
  carried_out_due: bigint | null;
}

interface StripeMetersTable {
  currency: string;
  livemode: boolean;
  event_name: string;
  meter_id: string;
  product_id: string;
  price_id: string;
  set_up_at: Instant;
  account: string | null;
}

interface PushIntentsTable {
  tenant_id: string;
  period_start: string;
  sequence: number;
  identifier: string;
  destination: 'meter' | 'invoice_item' | 'settled';
  meter: string;
  stripe_customer: string;
  value_micro: bigint;
  event_timestamp: bigint;
  state: 'pending' | 'sent' | 'confirmed' | 'ambiguous' | 'parked' | 'missing';
  livemode: boolean | null;
  account: string | null;
  attempts: number;
  created_at: Instant;
  first_attempt_at: NullableInstant;
  last_attempt_at: NullableInstant;
  sent_at: NullableInstant;
  confirmed_at: NullableInstant;
  absent_since: NullableInstant;
  proven_at: NullableInstant;
  last_answer: string | null;
}

interface AllocationsTable {
  pool: string;
  month: string;
  revision: number;
  batch_id: bigint;
  amount: bigint;
  currency: string;
  basis: 'activity' | 'weighted-tokens' | 'direct';
  weights: string | null;
  weight_total: ColumnType<bigint | string, string, string>;
  billed: boolean;
  reason: string;
  actor: string;
  recorded_at: Instant;
  digest: Buffer;
}

interface SealsTable {
  seal_number: bigint;
  batch_id: bigint | null;
  entries: number;
  root: Buffer;
  prints: Buffer;
  previous_hash: Buffer;
  seal_hash: Buffer;
  sealed_at: Instant;
  beside: Buffer | null;
  change_ids: readonly bigint[] | null;
}

interface VerificationsTable {
  verification_id: Generated<bigint>;
  started_at: Instant;
  finished_at: Instant;
  scope: 'full' | 'incremental';
  seal_number: bigint;
  seal_hash: Buffer;
}

interface BudgetsTable {
  budget_id: Generated<bigint>;
  tenant_id: string;
  measure: 'money' | 'tokens';
  per: 'day' | 'month' | 'run' | 'once';
  feature: string;
  user_id: string;
  agent_run_id: string;
  tags: ColumnType<Readonly<Record<string, string>>, string, string>;
  amount: bigint;
  currency: string | null;
  is_hard: boolean;
  on_unavailable: 'allow' | 'deny';
  priced_only: boolean;
  thresholds: number[];
  loop: 'warn' | 'deny' | null;
  loop_steps: number | null;
  time_zone: string;
  counts_from: Instant;
  counts_from_period: string;
  set_at: Instant;
  set_by: string;
}
