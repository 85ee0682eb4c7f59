import { placeOfThoughts } from './ai-sdk-thoughts.ts';
import { countOf, isCount, millisecondsOf, sumOf } from './foreign/foreign-count.ts';
import {
  type CallOf,
  type Inclusion,
  type NativeUsage,
  NO_USAGE,
  nativeUsage,
  type ReportedCounts,
} from './foreign/foreign-usage.ts';
import { at, firstGiven, isObject, withoutAbsent } from './foreign/foreign-value.ts';
import { GEMINI_COUNTS, geminiCounts } from './gemini-usage.ts';
import { countsCacheBeside } from './provider-name.ts';
import { searchesCounted, searchesIn, withDrawn } from './tool-usage.ts';
import { holdsTokensOfAnySide, holdsUnknownTokens } from './unknown-tokens.ts';
import { detailsOf, langchainDetails } from './usage-details.ts';
import { finerParts } from './usage-parts.ts';
import { withSteps } from './usage-steps.ts';

/**
 * A provider's own usage object, as it stands in the response (R5). What includes what:
 *
 * | form              | cache           | sound and pictures | thoughts        | total holds              |
 * |-------------------|-----------------|--------------------|-----------------|--------------------------|
 * | openai chat       | in prompt       | in prompt          | in completion   | prompt + completion      |
 * | openai responses  | in input        | in input           | in output       | input + output           |
 * | openai realtime   | in input        | in input           | in output       | input + output           |
 * | langchain         | in input        | in input           | in output       | input + output           |
 * | xAI chat          | in prompt       | in prompt          | beside          | prompt, completion, both |
 * | anthropic         | beside input    | -                  | in output       | -                        |
 * | gemini, both APIs | in prompt       | in prompt          | beside          | prompt, tool prompt, …   |
 * | bedrock converse  | beside input    | -                  | in output       | all of them              |
 * | AI SDK 4 and 5    | as the provider | -                  | the total tells | as the provider          |
 * | AI SDK 6 and 7    | in input        | in input, in `raw` | in output       | input + output           |
 * | cohere            | -               | -                  | -               | billed units are billed  |
 * | bare counts       | beside input    | -                  | in output       | -                        |
 *
 * OpenAI and the many who speak like it are told from Anthropic by the names of the cached tokens, and
 * where there are none by the provider or the interface. Bare counts stand at the top of an answer, or among its
 * headers: those of Bedrock's metrics, Titan, Llama, Ollama and watsonx. Mistral counts sound by its seconds alone.
 * What OpenAI's images API gives out is images where it does not divide it. Versions 4 and 5 of the AI SDK do not hand on what
 * Anthropic and Bedrock wrote to their caches, so that their usage is assumed. A total beside tokens under names that
 * nobody knows is no count of any side.
 */
type UsageFlavor =
  | 'openai_chat'
  | 'openai_responses'
  | 'anthropic'
  | 'gemini'
  | 'bedrock_converse'
  | 'ai_sdk'
  | 'cohere'
  | 'bare_counts';

export interface ProviderUsage extends CallOf {
  readonly usage: unknown;
  /** The provider's interface, such as `responses`, where the shape does not tell. */
  readonly api?: unknown;
  /** The answer around the usage, where that is known; the usage may be a whole answer itself. */
  readonly answer?: unknown;
}

/** The usage with no counts in it when the object has none that is known: never a usage of zero. */
export function readProviderUsage(reported: ProviderUsage): NativeUsage {
  const reading = providerCounts(reported);
  if (reading === null) return NO_USAGE;
  const read = nativeUsage(reading.counts, reading.inclusion, reported);
  return isInDoubt(reported, reading, read) ? { ...read, assumed: true } : read;
}

/** Tokens under a name that nobody knows leave no doubt only where a total proves that they are within what is read. */
function isInDoubt({ usage }: ProviderUsage, { counts }: Reading, read: NativeUsage): boolean {
  if (!holdsUnknownTokens(usageWithin(usage))) return false;
  const { input_tokens: input, output_tokens: output } = read.usage ?? {};
  return !isGiven(counts.total) || countOf(counts.total) !== sumOf([input, output]);
}

/** The counts of a provider's usage object before any total is made; null where it is none. */
export function providerCounts(reported: ProviderUsage): Reading | null {
  const reading = statedCounts(reported);
  if (reading === null) return null;
  const { usage, answer = usage } = reported;
  return withSteps(withDrawn(reading, answer), usage);
}

/** The same by the object's totals alone, for who takes these from elsewhere and adds the steps to them. */
export function statedCounts(reported: ProviderUsage): Reading | null {
  const usage = usageWithin(reported.usage);
  if (!isObject(usage)) return null;
  const { counts, inclusion } = READERS[flavorOf(usage, reported)](usage, reported);
  if (isTotalAlone(counts) && holdsTokensOfAnySide(usage)) return null;
  const own = ownCounts(usage);
  const searches = presentOf({ searches: own.searches ?? searchesIn(reported.usage) });
  return { counts: { ...counts, ...own, ...searches }, inclusion };
}

function isTotalAlone({ total, ...sides }: ReportedCounts): boolean {
  return isGiven(total) && !Object.values(sides).some(isGiven);
}

/** A whole response may stand where its usage should. */
export function usageWithin(value: unknown): unknown {
  const billed = at(value, 'meta', 'billed_units');
  return (
    firstGiven(
      at(value, 'usage'),
      at(value, 'usageMetadata'),
      at(value, 'usage_metadata'),
      billed === undefined ? undefined : at(value, 'meta'),
    ) ?? value
  );
}

/** Input and output under the names of those who count nothing else, but for the cache of Bedrock. */
const BARE_INPUTS = [
  'inputTokenCount',
  'inputTextTokenCount',
  'prompt_eval_count',
  'input_token_count',
];
const BARE_OUTPUTS = [
  'outputTokenCount',
  'generation_token_count',
  'eval_count',
  'generated_token_count',
];

const OPENAI_CHAT = [
  'prompt_tokens',
  'completion_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
];

/** The realtime interface, and LangChain's sums of any provider, have them in the singular. */
const RESPONSES_DETAILS = [
  ...['input_tokens_details', 'output_tokens_details'],
  ...['input_token_details', 'output_token_details'],
];

/** What the AI SDK has beside the names that it shares with Bedrock. */
const AI_SDK = ['inputTokenDetails', 'outputTokenDetails', 'cachedInputTokens', 'reasoningTokens'];

function flavorOf(usage: object, { api, ...call }: ProviderUsage): UsageFlavor {
  const has = (name: string) => Object.hasOwn(usage, name);
  if ([...BARE_INPUTS, ...BARE_OUTPUTS].some(has)) return 'bare_counts';
  if (GEMINI_COUNTS.some(has)) return 'gemini';
  if (has('inputTokens') || has('outputTokens')) {
    const isDivided = isObject(at(usage, 'inputTokens')) || isObject(at(usage, 'outputTokens'));
    return isDivided || AI_SDK.some(has) ? 'ai_sdk' : 'bedrock_converse';
  }
  if (has('billed_units')) return 'cohere';
  if (OPENAI_CHAT.some(has)) return 'openai_chat';
  // Beside counts of any other form, these repeat them.
  if (!has('input_tokens') && !has('output_tokens')) {
    if (has('promptTokens') || has('completionTokens')) return 'ai_sdk';
    if (has('totalInputTokens') || has('totalOutputTokens')) return 'bedrock_converse';
  }
  if (has('cache_read_input_tokens') || has('cache_creation_input_tokens')) return 'anthropic';
  if (RESPONSES_DETAILS.some(has)) return 'openai_responses';
  if (typeof api === 'string' && /messages/i.test(api)) return 'anthropic';
  if (typeof api === 'string' && /response|chat|completion/i.test(api)) return 'openai_responses';
  return countsCacheBeside(call.provider, call.model) ? 'anthropic' : 'openai_responses';
}

interface Reading {
  readonly counts: ReportedCounts;
  readonly inclusion: Inclusion;
}

const READERS: Readonly<Record<UsageFlavor, (usage: object, call: CallOf) => Reading>> = {
  openai_chat: openaiChat,
  openai_responses: openaiResponses,
  anthropic,
  gemini: (usage) => ({ counts: geminiCounts(usage), inclusion: BESIDE_OUTPUT }),
  bedrock_converse: bedrockConverse,
  ai_sdk: aiSdk,
  cohere,
  bare_counts: bareCounts,
};

const BESIDE_OUTPUT: Inclusion = { cache: 'inside', reasoning: 'beside' };

/**
 * Reads LiteLLM's and Langfuse's, too, which name Anthropic's parts beside OpenAI's, and DashScope's, which divides what
 * it names as the responses do under the names of a chat.
 */
function openaiChat(usage: object): Reading {
  const input = firstGiven(at(usage, 'prompt_tokens_details'), at(usage, 'input_tokens_details'));
  const output = firstGiven(
    at(usage, 'completion_tokens_details'),
    at(usage, 'output_tokens_details'),
  );
  const counts = {
    // Perplexity takes what it takes for input for each token of what it found, and counts them apart.
    input: sumOf([
      firstGiven(at(usage, 'prompt_tokens'), at(usage, 'input_tokens')),
      at(usage, 'citation_tokens'),
    ]),
    output: firstGiven(at(usage, 'completion_tokens'), at(usage, 'output_tokens')),
    // Mistral's total has tokens of sound, which it takes money for by the second; Perplexity's has none of what it found.
    total: hasSeconds(usage)
      ? undefined
      : isGiven(at(usage, 'total_tokens'))
        ? sumOf([at(usage, 'total_tokens'), at(usage, 'citation_tokens')])
        : at(usage, 'total_tokens'),
    ...detailsOf(usage, input, output),
  };
  return { counts, inclusion: { cache: 'inside' } };
}

function hasSeconds(usage: object): boolean {
  const seconds = countOf(at(usage, 'prompt_audio_seconds'));
  return isCount(seconds) && seconds > 0;
}

function openaiResponses(usage: object): Reading {
  const counts = {
    input: at(usage, 'input_tokens'),
    output: at(usage, 'output_tokens'),
    total: at(usage, 'total_tokens'),
    ...detailsOf(
      usage,
      firstGiven(at(usage, 'input_tokens_details'), at(usage, 'input_token_details')),
      firstGiven(at(usage, 'output_tokens_details'), at(usage, 'output_token_details')),
    ),
    ...langchainDetails(at(usage, 'input_token_details'), at(usage, 'output_token_details')),
  };
  return { counts, inclusion: { cache: 'inside' } };
}

function isGiven(count: unknown): boolean {
  return isCount(countOf(count));
}

/** Writes of both lifetimes are in `cache_creation_input_tokens`; their split stands beside it. */
function anthropic(usage: object): Reading {
  const split = at(usage, 'cache_creation');
  const oneHour = firstGiven(at(split, 'ephemeral_1h_input_tokens'));
  const counts = {
    input: at(usage, 'input_tokens'),
    output: at(usage, 'output_tokens'),
    cacheRead: at(usage, 'cache_read_input_tokens'),
    cacheWrite: firstGiven(
      at(usage, 'cache_creation_input_tokens'),
      sumOf([at(split, 'ephemeral_5m_input_tokens'), oneHour]),
    ),
    cacheWrite1h: oneHour,
    reasoning: at(usage, 'output_tokens_details', 'thinking_tokens'),
  };
  return { counts, inclusion: { cache: 'beside' } };
}

/** A session of Nova Sonic counts all of it so far, and what of it was spoken. */
function bedrockConverse(usage: object): Reading {
  const session = at(usage, 'details', 'total');
  const counts = {
    input: firstGiven(at(usage, 'inputTokens'), at(usage, 'totalInputTokens')),
    output: firstGiven(at(usage, 'outputTokens'), at(usage, 'totalOutputTokens')),
    inputAudio: at(session, 'input', 'speechTokens'),
    outputAudio: at(session, 'output', 'speechTokens'),
    total: at(usage, 'totalTokens'),
    cacheRead: firstGiven(at(usage, 'cacheReadInputTokens'), at(usage, 'cacheReadInputTokenCount')),
    cacheWrite: firstGiven(
      at(usage, 'cacheWriteInputTokens'),
      at(usage, 'cacheWriteInputTokenCount'),
    ),
    cacheWrite1h: oneHourOf(at(usage, 'cacheDetails')),
  };
  return { counts, inclusion: { cache: 'beside' } };
}

/**
 * Versions 4 and 5 hand on what the provider calls its input and its output; later ones count all of them, and say what is
 * within: beside them, or in what a provider's package hands to the SDK in their place. OpenRouter's and Mistral's own
 * packages have the names of version 4, and divide them as a chat does.
 */
function aiSdk(usage: object, { provider, model }: CallOf): Reading {
  const input = objectOf(at(usage, 'inputTokenDetails')) ?? objectOf(at(usage, 'inputTokens'));
  const output = objectOf(at(usage, 'outputTokenDetails')) ?? objectOf(at(usage, 'outputTokens'));
  const prompt = objectOf(at(usage, 'promptTokensDetails'));
  const completion = objectOf(at(usage, 'completionTokensDetails'));
  const isWhole = [input, output, prompt, completion].some((parts) => parts !== undefined);
  const isBeside = !isWhole && countsCacheBeside(provider, model);
  const counts = {
    input:
      at(usage, 'inputTokens', 'total') ??
      unlessObject(at(usage, 'inputTokens')) ??
      at(usage, 'promptTokens'),
    output:
      at(usage, 'outputTokens', 'total') ??
      unlessObject(at(usage, 'outputTokens')) ??
      at(usage, 'completionTokens'),
    // Theirs leaves out what their input does.
    total: isBeside ? undefined : at(usage, 'totalTokens'),
    cacheRead: firstGiven(
      at(input, 'cacheReadTokens'),
      at(input, 'cacheRead'),
      at(usage, 'cachedInputTokens'),
      at(prompt, 'cachedTokens'),
    ),
    cacheWrite: firstGiven(
      at(input, 'cacheWriteTokens'),
      at(input, 'cacheWrite'),
      at(prompt, 'cacheWriteTokens'),
    ),
    reasoning: firstGiven(
      at(output, 'reasoningTokens'),
      at(output, 'reasoning'),
      at(usage, 'reasoningTokens'),
      at(completion, 'reasoningTokens'),
    ),
    inputAudio: firstGiven(at(prompt, 'audioTokens')),
    outputAudio: firstGiven(at(completion, 'audioTokens')),
  };
  // What was written to their caches is told by nothing.
  if (isBeside) return { counts, inclusion: { cache: 'beside', apart: 0 } };
  const reasoning = isWhole ? 'inside' : placeOfThoughts(counts, { provider, model });
  const finer = isWhole ? rawParts(at(usage, 'raw'), { provider, model }) : {};
  const whole = { ...finer, ...withoutAbsent(counts) };
  return { counts: whole, inclusion: { cache: 'inside', reasoning } };
}

/** What the SDK does not divide, the provider's own usage does, which later versions hand on beside their own. */
function rawParts(raw: unknown, call: CallOf): ReportedCounts {
  const counts = isObject(raw) ? statedCounts({ usage: raw, ...call })?.counts : undefined;
  return presentOf(finerParts(counts ?? {}));
}

function objectOf(value: unknown): object | undefined {
  return isObject(value) ? value : undefined;
}

function unlessObject(value: unknown): unknown {
  return isObject(value) ? undefined : value;
}

function oneHourOf(details: unknown): unknown {
  if (!Array.isArray(details)) return undefined;
  return sumOf(
    details.filter((item) => at(item, 'ttl') === '1h').map((item) => at(item, 'inputTokens')),
  );
}

/** Cohere bills the billed units, which leave out what it adds to a prompt by itself. */
function cohere(usage: object): Reading {
  const billed = at(usage, 'billed_units');
  const pictures = at(billed, 'image_tokens');
  const counts = {
    input: sumOf([at(billed, 'input_tokens'), pictures]),
    output: at(billed, 'output_tokens'),
    searchUnits: at(billed, 'search_units'),
    // Those that it counts in tokens it takes money for by the token.
    ...(isGiven(pictures) ? { inputImage: pictures } : { images: at(billed, 'images') }),
  };
  return { counts, inclusion: { cache: 'inside' } };
}

function bareCounts(usage: object): Reading {
  const first = (names: readonly string[]) => firstGiven(...names.map((name) => at(usage, name)));
  const results = at(usage, 'results');
  const answered = Array.isArray(results)
    ? sumOf(results.map((result) => at(result, 'tokenCount')))
    : undefined;
  const counts = {
    input: first([...BARE_INPUTS, 'prompt_token_count']),
    output: firstGiven(first(BARE_OUTPUTS), answered),
    cacheRead: at(usage, 'cacheReadInputTokenCount'),
    cacheWrite: at(usage, 'cacheWriteInputTokenCount'),
  };
  return { counts, inclusion: { cache: 'beside' } };
}

/** Seconds of sound, as Mistral and gateways name them. */
const SECONDS = ['prompt_audio_seconds', 'audio_seconds', 'audio_duration_seconds'];

/** Units that are parts of no total, under whatever form of usage they stand. */
function ownCounts(usage: unknown): ReportedCounts {
  const isDuration = at(usage, 'type') === 'duration';
  return presentOf({
    searches: searchesCounted(usage),
    audioMs: isDuration
      ? millisecondsOf(at(usage, 'seconds'))
      : firstGiven(
          at(usage, 'audio_ms'),
          ...SECONDS.map((name) => millisecondsOf(at(usage, name))),
        ),
    videoMs: millisecondsOf(at(usage, 'duration_seconds')),
    characters: firstGiven(at(usage, 'characters'), at(usage, 'input_chars')),
    pages: firstGiven(at(usage, 'pages_processed'), at(usage, 'pages')),
    searchUnits: at(usage, 'search_units'),
  });
}

/** A unit that is not there must not take the place of one that a form of usage gives. */
function presentOf(counts: ReportedCounts): ReportedCounts {
  return Object.fromEntries(
    Object.entries(counts).filter(([, value]) => isCount(countOf(value)) && countOf(value) !== 0),
  );
}
