import { hash } from 'node:crypto';

/**
 * The columns of an entry that its proof shows: what was done, and what is paid for it. Their text is
 * hashed in this order, as `entry_shown` of the migration writes it too.
 */
export const SHOWN_COLUMNS = [
  'tenant_id',
  'source',
  'event_id',
  'member_id',
  'revision',
  'entry_id',
  'kind',
  'outcome',
  'status',
  'occurred_at',
  'started_at',
  'recorded_at',
  'period_start',
  'late',
  'operation',
  'requested_model',
  'service_tier',
  'gateway_cache',
  'uncached_input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'call_share',
  'usage_source',
  'layer_prompt_tokens',
  'layer_tool_tokens',
  'layer_memory_tokens',
  'layer_response_tokens',
  'charge',
  'currency',
  'charge_book',
  'charge_version',
  'charge_rate_id',
  'user_id',
  'feature',
  'agent_run_id',
  'prompt_version',
  'trace_id',
  'span_id',
  'parent_span_id',
  'attempt',
  'corrects_entry_id',
  'is_reversal',
] as const;

/**
 * The columns that it hides behind a salted hash: how the call was served, and what that cost us.
 */
export const HIDDEN_COLUMNS = [
  'error_type',
  'provider',
  'executed_model',
  'response_id',
  'context_tokens',
  'cost',
  'requested_cost',
  'cost_book',
  'cost_version',
  'cost_rate_id',
  'further_tags',
  'reason',
  'actor',
  'event_digest',
] as const;

/**
 * Columns that came later. Where all of a list are null they leave no trace in the text that is hashed,
 * so that an entry sealed before keeps its hash; else all of them stand at its end.
 */
export const LATER_SHOWN_COLUMNS = ['units'] as const;

export const LATER_HIDDEN_COLUMNS = [
  'reported_cost',
  'reported_cost_currency',
  'reported_cost_source',
  'call_id',
  'call_usage',
] as const;

/**
 * An entry's hash in hexadecimal: the leaf of every tree that the entry is in (RFC 6962: leaves begin
 * with 0x00, nodes with 0x01). The columns come as COPY's text, by tabs.
 */
export function hashEntry(entry: {
  readonly shown: string;
  readonly hidden: string;
  readonly entryId: bigint;
  /** The batch's salt in hexadecimal: who does not know it cannot guess what is hidden. */
  readonly salt: string;
}): string {
  const hidden = `\u0002${entry.salt}\t${entry.entryId}\t${entry.hidden}`;
  return hash('sha256', `\u0000${entry.shown}\t${hash('sha256', hidden, 'hex')}`, 'hex');
}
