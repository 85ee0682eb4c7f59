import type { Outcome } from '../../src/rating/rate-event.ts';
import type { ModelCall, ModelTokens } from './reference-prices.ts';
import { share } from './reference-prices.ts';
import { mapUnits, sumOf, unitOf, unitsIn } from './reference-units.ts';

/** What histories deliver, and the entries that the reference model makes of it (R7). */

/** A native event, as far as histories make use of it. */
export interface ModelEvent {
  readonly event_id: string;
  readonly source: string;
  readonly occurred_at: string;
  readonly status: 'ok' | 'error' | 'cancelled';
  readonly operation: string;
  readonly provider?: string;
  readonly requested_model: string;
  readonly executed_model?: string;
  readonly response_id?: string;
  readonly service_tier: string;
  readonly gateway_cache: string;
  readonly attempt: number;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cache_read_tokens: number;
    readonly cache_write_tokens: number;
    /** Other units. */
    readonly [unit: string]: number;
  };
  readonly tenant_id?: string;
  readonly feature?: string;
  readonly trace_id?: string;
  readonly parent_span_id?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly members?: readonly ModelMember[];
}

interface ModelMember {
  readonly member_id: string;
  readonly tenant_id?: string;
  readonly status?: 'ok' | 'error' | 'cancelled';
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly weight?: number;
}

export interface ModelEntry extends Omit<ModelCall, 'measured'> {
  readonly tenant: string;
  readonly source: string;
  readonly event: string;
  readonly member: string;
  readonly revision: number;
  readonly kind: 'usage' | 'correction' | 'adjustment';
  readonly isReversal: boolean;
  /** Key of the entry that this one corrects. */
  readonly corrects: string | null;
  readonly outcome: Outcome;
  readonly charge: bigint | null;
  readonly cost: bigint | null;
  readonly requestedCost: bigint | null;
  /** A person changed the model requested, here or in an entry that this one corrects. */
  readonly isSaid: boolean;
  readonly period: string;
  readonly late: boolean;
  /** False for what belongs to a period that was closed in shadow (R19). */
  readonly due: boolean;
  readonly feature: string | null;
  readonly trace: string | null;
  readonly parent: string | null;
  readonly attempt: number;
  readonly isWeak: boolean;
  /** The provider's response, where a second report of it would be a duplicate (R8). */
  readonly response: string | null;
  /** The counts of the whole call, also where it is split. */
  readonly whole: ModelTokens;
}

export const NOBODY = 'unattributed';

const NO_TOKENS: ModelTokens = { uncached: 0, read: 0, write: 0, output: 0, units: {} };

/** Money without a call behind it: its reason stands where a model would (R13). */
export function adjustmentOf(of: {
  readonly tenant: string;
  readonly id: string;
  readonly amount: bigint;
  readonly reason: string;
  readonly at: number;
}): ModelEntry {
  return {
    ...{ tenant: of.tenant, source: 'adjustment', event: of.id, member: '', revision: 0 },
    ...{ kind: 'adjustment', isReversal: false, corrects: null, occurredAt: of.at, status: 'ok' },
    ...{ provider: null, requested: of.reason, executed: of.reason, tier: 'standard' },
    ...{ gateway: false, tokens: NO_TOKENS, whole: NO_TOKENS, context: 0, share: 0 },
    ...{ feature: null, trace: null, parent: null, attempt: 1, isWeak: false, response: null },
    ...{ outcome: 'charged', charge: of.amount, cost: 0n, requestedCost: null, isSaid: false },
    ...{ period: '', late: false, due: true },
  };
}
export const MODEL_CALLS = ['chat', 'text_completion', 'generate_content', 'embeddings'];

export const keyOf = (
  entry: Pick<ModelEntry, 'tenant' | 'source' | 'event' | 'member' | 'revision'>,
) => [entry.tenant, entry.source, entry.event, entry.member, entry.revision].join('|');

export function tenantsOf(event: ModelEvent): readonly string[] {
  const named = event.members?.map((member) => member.tenant_id ?? event.tenant_id) ?? [
    event.tenant_id,
  ];
  return [...new Set(named.map((id) => id ?? NOBODY))];
}

/** A gateway's cache answers with an older response, and is a call of its own. */
function responseOf(event: ModelEvent): string | null {
  const isCall = event.gateway_cache === 'none' && MODEL_CALLS.includes(event.operation);
  return isCall ? (event.response_id ?? null) : null;
}

/** The parts of a call before they are priced and placed (R7). */
export function partsOf(event: ModelEvent): readonly ModelEntry[] {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = event.usage;
  const units = unitsIn(event.usage);
  const tokens = {
    uncached:
      input_tokens -
      cache_read_tokens -
      cache_write_tokens -
      sumOf(units, { side: 'input', within: null }),
    read: cache_read_tokens - sumOf(units, { side: 'input', within: 'cache_read_tokens' }),
    write: cache_write_tokens - sumOf(units, { side: 'input', within: 'cache_write_tokens' }),
    output: output_tokens - sumOf(units, { side: 'output' }),
    units,
  };
  const facts: ModelEntry = {
    tenant: event.tenant_id ?? NOBODY,
    source: event.source,
    event: event.event_id,
    member: '',
    revision: 0,
    kind: 'usage',
    isReversal: false,
    corrects: null,
    occurredAt: Date.parse(event.occurred_at),
    status: event.status,
    provider: event.provider ?? null,
    requested: event.requested_model,
    executed: event.executed_model ?? event.requested_model,
    tier: event.service_tier,
    gateway: event.gateway_cache !== 'none',
    tokens,
    context: input_tokens,
    share: 1_000_000,
    feature: event.feature ?? null,
    trace: event.members === undefined ? (event.trace_id ?? null) : null,
    parent: event.parent_span_id ?? null,
    attempt: event.attempt,
    isWeak: ['model', 'model_group'].includes(event.tags?.['requested_model_source'] ?? ''),
    response: responseOf(event),
    whole: tokens,
    outcome: 'unrated',
    charge: null,
    cost: null,
    requestedCost: null,
    isSaid: false,
    period: '',
    late: false,
    due: true,
  };
  const { members } = event;
  if (members === undefined) return [facts];
  const parts = splitTokens(tokens, members);
  return members.map((member, index) => ({
    ...facts,
    tenant: member.tenant_id ?? event.tenant_id ?? NOBODY,
    member: member.member_id,
    status: member.status ?? event.status,
    ...(parts[index] ?? { tokens, share: 0 }),
  }));
}

function splitTokens(
  tokens: ModelTokens,
  members: readonly ModelMember[],
): readonly { readonly tokens: ModelTokens; readonly share: number }[] {
  // Weights of histories are quarters.
  const own = members.map(({ weight = 0 }) => weight * 4);
  const weights = (of: (member: ModelMember) => number | undefined) => {
    const tokensOf = members.map((member) => of(member) ?? 0);
    return tokensOf.some((count) => count > 0) ? tokensOf : own;
  };
  const input = weights((member) => member.input_tokens);
  const output = weights((member) => member.output_tokens);
  const columns = {
    uncached: share(tokens.uncached, input),
    read: share(tokens.read, input),
    write: share(tokens.write, input),
    output: share(tokens.output, output),
  };
  const parts = members.map((_, index) => ({
    uncached: columns.uncached[index] ?? 0,
    read: columns.read[index] ?? 0,
    write: columns.write[index] ?? 0,
    output: columns.output[index] ?? 0,
    units: mapUnits(tokens.units, (count, name) => {
      const { side } = unitOf(name);
      return side === 'call' ? 0 : (share(count, side === 'input' ? input : output)[index] ?? 0);
    }),
  }));
  const tokensOf = parts.map(
    (part) =>
      part.uncached +
      part.read +
      part.write +
      part.output +
      sumOf(part.units, { side: 'input' }) +
      sumOf(part.units, { side: 'output' }),
  );
  const ofCall = tokensOf.some((count) => count > 0) ? tokensOf : own;
  const shares = share(1_000_000, ofCall);
  return parts.map((part, index) => {
    const called = mapUnits(tokens.units, (count, name) =>
      unitOf(name).side === 'call' ? (share(count, ofCall)[index] ?? 0) : 0,
    );
    return {
      tokens: { ...part, units: { ...part.units, ...called } },
      share: shares[index] ?? 0,
    };
  });
}
