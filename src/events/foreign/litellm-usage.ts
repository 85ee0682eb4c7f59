import { statedCounts } from '../provider-usage.ts';
import { searchesIn, withDrawn } from '../tool-usage.ts';
import { withSteps } from '../usage-steps.ts';
import { countOf, isCount, millisecondsOf } from './foreign-count.ts';
import {
  type Inclusion,
  type NativeUsage,
  nativeUsage,
  type ReportedCounts,
} from './foreign-usage.ts';
import { at, firstGiven } from './foreign-value.ts';
import { plainCallType } from './litellm-calls.ts';

/**
 * LiteLLM counts cache into the prompt for every provider, also for those that count it apart; what passes through
 * it is the provider's own.
 */
export function litellmUsage(payload: object): NativeUsage {
  const call = {
    provider: at(payload, 'custom_llm_provider'),
    model: firstGiven(at(payload, 'model'), at(payload, 'model_group')),
  };
  const usage = usageObject(payload);
  const reading = statedCounts({ usage, ...call });
  const parts = reading?.counts ?? {};
  const own = ownTotals(payload);
  const totals = isCounted(own) ? own : totalsIn(parts, own);
  // What is counted in tokens is charged by tokens, and its pictures or seconds only describe it.
  const units = isCounted(totals) ? {} : unitsOf(payload);
  const counts = {
    ...units,
    ...parts,
    searches: firstGiven(parts.searches, units.searches, searchesIn(at(payload, 'response'))),
    ...totals,
    ...(units.input === undefined ? {} : { input: units.input }),
  };
  // What LiteLLM handed on without counting it is counted as the provider counts.
  const inclusion = isCounted(own) || reading === null ? WITHIN : reading.inclusion;
  const drawn = withDrawn({ counts, inclusion }, at(payload, 'response'));
  const whole = withSteps(drawn, usage);
  return nativeUsage(whole.counts, whole.inclusion, call);
}

const WITHIN: Inclusion = { cache: 'inside' };

/** Tells whether LiteLLM counted anything; where it found no usage it writes zeros. */
export function hasUsage(payload: object): boolean {
  return Object.values(litellmUsage(payload).usage ?? {}).some((count) => count !== 0);
}

/** LiteLLM's own usage object, else the provider's, as passed through; rows of SpendLogs keep the rest of it. */
function usageObject(payload: object): unknown {
  const response = at(payload, 'response');
  return firstGiven(
    at(payload, 'metadata', 'usage_object'),
    at(response, 'usage'),
    at(response, 'usageMetadata'),
    at(response, 'usage_metadata'),
    at(payload, 'metadata', 'additional_usage_values'),
  );
}

function ownTotals(payload: object): ReportedCounts {
  return {
    input: firstGiven(at(payload, 'prompt_tokens')),
    output: firstGiven(at(payload, 'completion_tokens')),
    total: firstGiven(at(payload, 'total_tokens')),
  };
}

/** Where LiteLLM knows no totals, those of the answer's usage, if it has one. */
function totalsIn({ input, output, total }: ReportedCounts, own: ReportedCounts): ReportedCounts {
  const isInParts = [input, output].some((count) => isCount(count) && count > 0);
  return isInParts ? { input, output, total } : own;
}

function isCounted(totals: ReportedCounts): boolean {
  return Object.values(totals).some((count) => count !== undefined && countOf(count) !== 0);
}

/** What is counted in other units stands in the request or the answer, by the type of the call. */
function unitsOf(payload: object): ReportedCounts {
  const parameters = at(payload, 'model_parameters');
  const response = at(payload, 'response');
  switch (plainCallType(String(at(payload, 'call_type')))) {
    case 'image_generation':
    case 'image_edit':
    case 'image_variation':
      return { images: firstGiven(lengthOf(at(response, 'data')), at(parameters, 'n')) };
    case 'transcription':
    case 'translation': {
      const duration = firstGiven(
        at(response, 'duration'),
        at(payload, 'hidden_params', 'audio_transcription_duration'),
      );
      return { audioMs: millisecondsOf(duration) };
    }
    case 'speech': {
      const input = firstGiven(
        at(parameters, 'input'),
        at(payload, 'messages'),
        at(payload, 'input'),
      );
      return { characters: charactersOf(input) };
    }
    case 'create_video':
    case 'video_generation':
    case 'video_remix':
      return {
        videoMs: millisecondsOf(firstGiven(at(response, 'seconds'), at(parameters, 'seconds'))),
      };
    case 'rerank':
      return rerankUnits(at(response, 'meta', 'billed_units'));
    case 'ocr':
      return {
        pages: firstGiven(
          at(response, 'usage_info', 'pages_processed'),
          lengthOf(at(response, 'pages')),
        ),
      };
    case 'search':
      return { searches: 1 };
    default:
      return {};
  }
}

/** Cohere takes money for searches, Jina for tokens. */
function rerankUnits(billed: unknown): ReportedCounts {
  const searchUnits = firstGiven(at(billed, 'search_units'));
  return searchUnits === undefined
    ? { input: firstGiven(at(billed, 'total_tokens')) }
    : { searchUnits };
}

/** What LiteLLM writes in the place of a text that it was told to keep to itself; its length measures nothing. */
const REDACTED = 'redacted-by-litellm';

function charactersOf(input: unknown): number | undefined {
  if (typeof input === 'string') return input === REDACTED ? undefined : [...input].length;
  if (!Array.isArray(input)) return undefined;
  const texts = input.map((message) => at(message, 'content')).filter((text) => text !== undefined);
  return texts.every((text) => typeof text === 'string' && text !== REDACTED) && texts.length > 0
    ? [...texts.join('')].length
    : undefined;
}

function lengthOf(list: unknown): unknown {
  return Array.isArray(list) && list.length > 0 ? list.length : undefined;
}
