import { createHash } from 'node:crypto';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { isRepeatingId } from '../../events/provider-name.ts';
import { readProviderUsage } from '../../events/provider-usage.ts';
import { searchesIn } from '../../events/tool-usage.ts';
import type { NewEvent } from '../new-event.ts';
import { stringAt, tierFields, usageFields } from './answer-fields.ts';
import type { AnswerReading } from './answer-reading.ts';
import { errorTypeIn } from './answer-reading.ts';
import type { LayerWeights } from './measure-layers.ts';
import { layersOf } from './measure-layers.ts';
import type { SentBody } from './provider-request.ts';

/** A call that is over, as it was watched. */
export interface WatchedCall {
  readonly operation: string;
  readonly provider: string | undefined;
  readonly sent: SentBody;
  readonly startedAt: InstantMs;
  readonly endedAt: InstantMs;
  /** The number of this try, as the SDK counts; the first is 1. */
  readonly attempt: number;
  readonly outcome: CallOutcome;
  readonly answer: AnswerReading;
  readonly requestId: string | undefined;
  /** The id that a gateway gives to a call over all of its tries. */
  readonly gatewayCallId: string | undefined;
  readonly weights: LayerWeights | null;
  /** Characters of a streamed answer, as far as it came. */
  readonly streamedCharacters: number;
}

export type CallOutcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'error'; readonly type: string | undefined }
  | { readonly kind: 'cancelled' };

/** Makes the event of a call: the provider's own counts, and no text of it. */
export function callEvent(call: WatchedCall): NewEvent {
  const { operation, provider, sent, answer, outcome } = call;
  const executed = stringAt(answer, 'model');
  const responseId = stringAt(answer, 'id');
  const counted = countsOf(call, executed);
  return {
    event_id: eventIdOf(call, responseId),
    occurred_at: formatInstant(timeOf(answer, 'completed_at') ?? call.endedAt),
    started_at: formatInstant(timeOf(answer, 'created_at') ?? call.startedAt),
    status: outcome.kind,
    error_type: outcome.kind === 'error' ? (outcome.type ?? errorTypeIn(answer)) : undefined,
    operation,
    provider,
    executed_model: executed,
    response_id: responseId,
    requested_model: sent.model ?? executed ?? (outcome.kind === 'ok' ? undefined : 'unknown'),
    attempt: call.attempt,
    call_id: call.gatewayCallId,
    ...tierFields(answer.service_tier, usageTier(answer), sent.serviceTier),
    ...counted,
    layers: layersIn(call, counted, executed),
  };
}

/** Gemini says beside its counts in which traffic a call went. */
function usageTier({ usage }: AnswerReading): unknown {
  return stringAt(usage, 'service_tier') ?? stringAt(usage, 'trafficType');
}

/** A call that runs in the background has times of its own, which are the same whoever reads it. */
function timeOf(answer: AnswerReading, name: 'completed_at' | 'created_at'): InstantMs | null {
  const seconds = answer[name];
  return answer.background === true && typeof seconds === 'number' ? seconds * 1000 : null;
}

/** Shorter ids may be anybody's, and those of some servers start again. */
const SHORTEST_ID = 20;

/** One answer is one event, whoever reads it again; a call without an answer is one by its request. */
function eventIdOf(call: WatchedCall, responseId: string | undefined): string | undefined {
  const { provider = 'call', operation, requestId, attempt } = call;
  const isOwn =
    responseId !== undefined && responseId.length >= SHORTEST_ID && !isRepeatingId(responseId);
  const id = isOwn ? responseId : requestId;
  if (id === undefined) return undefined;
  const named = `${provider}:${operation}:${id}`;
  return inShort(attempt === 1 || isOwn ? named : `${named}:${attempt}`);
}

/** Event ids have a longest length, and two that differ only at their end are two all the same. */
function inShort(id: string): string {
  if (id.length <= LONGEST_ID) return id;
  const digest = createHash('sha256').update(id).digest('hex');
  return `${id.slice(0, LONGEST_ID - 1 - digest.length)}:${digest}`;
}

const LONGEST_ID = 200;

type Counted = Pick<NewEvent, 'usage' | 'provider_usage'>;

function countsOf(call: WatchedCall, executed: string | undefined): Counted {
  const { answer, sent, provider, outcome, operation } = call;
  if (outcome.kind !== 'ok') return partialCounts(call, executed);
  const searches = searchesIn(answer);
  const of = { provider, model: sent.model, executed, searches, answer };
  const counted = usageFields(answer.usage, of);
  if (counted.provider_usage !== undefined) return counted;
  return { usage: ownCounts(operation, call) };
}

/**
 * Returns what is counted where no usage is given: pictures, characters that were spoken, sound
 * that was heard.
 */
function ownCounts(
  operation: string,
  { answer, sent }: WatchedCall,
): NonNullable<NewEvent['usage']> {
  if (operation === 'image' && answer.items !== undefined) return { images: answer.items };
  if (operation === 'speech' && sent.spoken !== null) return { characters: sent.spoken };
  const seconds = Number(answer.duration);
  return seconds > 0 ? { audio_ms: Math.round(seconds * 1000) } : {};
}

const CHARACTERS_A_TOKEN = 4;

/**
 * A call that was stopped while it answered is paid for as far as it came: what the provider has said of it by then,
 * and for the rest an estimate that says that it is one. One that failed at once used nothing.
 */
function partialCounts(call: WatchedCall, executed: string | undefined): Counted {
  const { answer, provider, sent, weights, streamedCharacters } = call;
  const read = readProviderUsage({ usage: answer.usage, provider, model: executed ?? sent.model });
  const hasBegun = answer.usage !== undefined || answer.model !== undefined;
  if (!hasBegun || (call.outcome.kind === 'error' && streamedCharacters === 0)) return {};
  const characters = weights === null ? 0 : weights.prompt + weights.tool + weights.memory;
  const reported = read.usage as NewEvent['usage'];
  const output = Math.ceil(streamedCharacters / CHARACTERS_A_TOKEN);
  return {
    usage: {
      ...reported,
      input_tokens: reported?.input_tokens ?? Math.ceil(characters / CHARACTERS_A_TOKEN),
      output_tokens: Math.max(reported?.output_tokens ?? 0, output),
      estimated: true,
    },
  };
}

function layersIn(
  { weights, provider, sent }: WatchedCall,
  { usage, provider_usage: own }: Counted,
  executed: string | undefined,
): NewEvent['layers'] {
  if (weights === null) return undefined;
  const model = executed ?? sent.model;
  const counts: Readonly<Record<string, unknown>> | undefined =
    own == null ? (usage ?? {}) : readProviderUsage({ usage: own, provider, model }).usage;
  const input = Number(counts?.['input_tokens'] ?? 0);
  return layersOf(weights, { input, output: Number(counts?.['output_tokens'] ?? 0) });
}
