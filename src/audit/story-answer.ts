import { z } from 'zod';
import {
  amountField,
  dayField,
  entryIdField,
  hashField,
  instantField,
  instantGiven,
  listOf,
} from '../fields.ts';
import { FURTHER_UNITS } from '../units.ts';

/** The story of an event by the producer's own ids. */
export const eventStoryRequest = z.strictObject({
  source: z.string(),
  event_id: z.string(),
  /** The story is as it was known at this instant; null for now. */
  as_of: instantGiven.nullable(),
});
export type EventStoryRequest = z.output<typeof eventStoryRequest>;

/** The story of the event behind one entry. */
export const entryStoryRequest = z.strictObject({
  /** `ent_12000000`, or the bare number. */
  entry_id: z.string(),
  as_of: instantGiven.nullable(),
});
export type EntryStoryRequest = z.output<typeof entryStoryRequest>;

const text = z.string().nullable();

const furtherUnit = z.enum(FURTHER_UNITS.map(({ name }) => name));

/** An entry as audit.entries has it. */
export const storyEntry = z.strictObject({
  entry_id: entryIdField,
  kind: z.string(),
  outcome: z.string(),
  tenant_id: z.string(),
  source: z.string(),
  event_id: z.string(),
  member_id: text,
  occurred_at: instantField,
  recorded_at: instantField,
  period_start: dayField,
  late: z.boolean(),
  provider: text,
  requested_model: z.string(),
  executed_model: z.string(),
  service_tier: z.string(),
  gateway_cache: z.string(),
  input_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  output_tokens: z.int(),
  reasoning_tokens: z.int(),
  charge: amountField.nullable(),
  cost: amountField.nullable(),
  currency: z.string(),
  charge_book: text,
  charge_version: instantField.nullable(),
  user_id: text,
  feature: text,
  agent_run_id: text,
  prompt_version: text,
  trace_id: text,
  span_id: text,
  parent_span_id: text,
  attempt: z.int(),
  corrects_entry_id: entryIdField.nullable(),
  reason: text,
  operation: z.string(),
  status: z.string(),
  error_type: text,
  response_id: text,
  usage_source: text,
  cost_book: text,
  cost_version: instantField.nullable(),
  actor: text,
  is_reversal: z.boolean(),
  revision: z.int(),
  /** Every unit beside text tokens; the token columns hold those that are tokens, too. */
  units: z.partialRecord(furtherUnit, z.int()).nullable(),
  reported_cost: amountField.nullable(),
  reported_cost_currency: text,
  reported_cost_source: text,
  call_id: text,
  /** It belongs to a period that was closed in shadow, and no bill takes it in (R19). */
  not_due: z.boolean(),
});
export type StoryEntry = z.infer<typeof storyEntry>;

const storyRate = z.strictObject({
  book: z.string(),
  effective_from: instantField,
  provider: text,
  model: z.string(),
  service_tier: z.string(),
  above_input_tokens: z.int(),
  per_call: amountField,
  /** They are null where the book has no price for such tokens, nor for what they fall back to. */
  input_per_million: amountField.nullable(),
  output_per_million: amountField.nullable(),
  cache_read_per_million: amountField.nullable(),
  cache_write_per_million: amountField.nullable(),
  /** Prices of other units as a book gives them: a million tokens, a thousand searches, a second, an image. */
  unit_prices: z.partialRecord(furtherUnit, amountField).nullable(),
});
export type StoryRate = z.infer<typeof storyRate>;

/** A period as audit.periods has it. */
export const storyPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  starts_at: instantField,
  ends_at: instantField,
  state: z.enum(['open', 'closed']),
  entries: z.int(),
  charge_exact: amountField,
  carried_in: amountField.nullable(),
  billable: amountField.nullable(),
  carried_out: amountField.nullable(),
  charge_total: amountField.nullable(),
  currency: text,
  manifest_hash: hashField.nullable(),
  closed_at: instantField.nullable(),
  mode: z.enum(['shadow', 'live']),
  /** Whether somebody was told of the closed period; null as of an earlier instant, which has no history of it. */
  told: z.string().nullable(),
  /** The invoice that bills it. */
  invoice_id: text,
});
export type StoryPeriod = z.infer<typeof storyPeriod>;

/** A push as audit.pushes has it. */
export const storyPush = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  meter: z.string(),
  identifier: z.string(),
  /** Whole micro-units of the currency. */
  value: z.string(),
  state: z.string(),
  attempts: z.int(),
  first_attempt_at: instantField.nullable(),
  confirmed_at: instantField.nullable(),
  sent_at: instantField.nullable(),
  stripe_customer: text,
  last_answer: text,
  absent_since: instantField.nullable(),
  proven_at: instantField.nullable(),
  livemode: z.boolean().nullable(),
  destination: z.string(),
  account: text,
});
export type StoryPush = z.infer<typeof storyPush>;

/** An event in quarantine as audit.quarantine has it. */
const storyQuarantine = z.strictObject({
  quarantine_id: z.string(),
  received_at: instantField,
  source: text,
  event_id: text,
  reason: z.string(),
  detail: z.string(),
  body: z.string(),
  replayed_at: instantField.nullable(),
  replay_outcome: text,
  ledger_digest: z.hex().nullable(),
  received_digest: z.hex().nullable(),
  /** How many fields were cut out of the body before it was stored. */
  cut: z.int(),
  dismissed_at: instantField.nullable(),
  dismissed_by: text,
  dismissed_because: text,
  purged_at: instantField.nullable(),
});
export type StoryQuarantine = z.infer<typeof storyQuarantine>;

/** A span that is no model call. */
const storyStructure = z.strictObject({
  tenant_id: z.string(),
  operation: z.string(),
  status: z.string(),
  error_type: text,
  occurred_at: instantField,
  agent_run_id: text,
  trace_id: text,
  span_id: text,
  parent_span_id: text,
});
export type StoryStructure = z.infer<typeof storyStructure>;

/** The event was taken for a second report of the call that another event is about (R8). */
const storySecondReport = z.strictObject({
  tenant_id: z.string(),
  because: z.enum(['response', 'call', 'nested']),
  repeats_entry_id: entryIdField.nullable(),
  repeats_tenant_id: z.string(),
  repeats_source: z.string(),
  repeats_event_id: z.string(),
  recorded_at: instantField,
});
export type StorySecondReport = z.infer<typeof storySecondReport>;

/** The place of an entry in the chain; one that is not sealed yet has no number. */
const storySeal = z.strictObject({
  entry_id: entryIdField,
  entry_hash: hashField,
  seal_number: z.int().nullable(),
  sealed_at: instantField.nullable(),
  position: z.int(),
  entries: z.int().nullable(),
  root: hashField.nullable(),
  seal_hash: hashField.nullable(),
});
export type StorySeal = z.infer<typeof storySeal>;

/** A line of a closed period's statement in which an entry stands, and with how much. */
const storyLine = z.strictObject({
  entry_id: entryIdField,
  tenant_id: z.string(),
  period_start: dayField,
  line: z.int().nullable(),
  meter: z.string(),
  quantity: z.string(),
  rate: amountField,
  exact: amountField,
});
export type StoryLine = z.infer<typeof storyLine>;

/** Everything that the database knows of one event: as it was received, priced, billed and pushed. */
export const storyAnswer = z.strictObject({
  source: z.string(),
  event_id: z.string(),
  entries: listOf(storyEntry),
  /** The rules by which each entry's amounts are what they are. */
  rules: listOf(z.strictObject({ entry_id: entryIdField, rule: z.string() })),
  /** The exact amounts of an entry's lines sum to its charge. */
  lines: listOf(storyLine),
  /** The rates that the entries name, as price books hold them. */
  rates: listOf(storyRate),
  periods: listOf(storyPeriod),
  /** Pushes keep only their last state, so as of an earlier instant none are shown. */
  pushes: listOf(storyPush),
  quarantine: listOf(storyQuarantine),
  structure: listOf(storyStructure),
  second_reports: listOf(storySecondReport),
  seals: listOf(storySeal),
});
export type StoryAnswer = z.infer<typeof storyAnswer>;
