import { sumOf } from '../foreign/foreign-count.ts';
import {
  type CallOf,
  type Inclusion,
  type NativeUsage,
  NO_USAGE,
  nativeUsage,
  type ReportedCounts,
} from '../foreign/foreign-usage.ts';
import {
  at,
  firstGiven,
  isObject,
  type JsonObject,
  withoutAbsent,
} from '../foreign/foreign-value.ts';
import { providerCounts, readProviderUsage } from '../provider-usage.ts';
import { langchainDetails } from '../usage-details.ts';
import { aiSdkReading, isAiSdk, metadataParts } from './ai-sdk-usage.ts';
import { flatUsage } from './flat-usage.ts';
import { langfuseUsage } from './langfuse-usage.ts';
import { langwatchMetrics } from './langwatch-metrics.ts';
import { type Attributes, firstAttribute, objectAt } from './otlp-attributes.ts';
import { executedModel, isClaudeCode, providerOf, requestedModel } from './otlp-call.ts';
import { type Instrumentation, inclusionOf } from './otlp-scopes.ts';
import { TOKEN_NAMES } from './otlp-usage-names.ts';
import { USAGE_OBJECT } from './unread-usage.ts';

/** Returns what a span counts, by the table of instrumentations in otlp-scopes.ts. */
export function spanUsage(attributes: Attributes, scope: Instrumentation): NativeUsage {
  const call = { provider: providerOf(attributes), model: callModel(attributes) };
  const isPlain = isClaudeCode(attributes) && PLAIN_NAMES.some((name) => attributes.has(name));
  if (isPlain) return nativeUsage(plainCounts(attributes), CLAUDE_CODE, call);
  const counts = tokenCounts(attributes, call);
  if (isAiSdk(attributes)) {
    // A library that takes the SDK's spans for its own may write the counts in its own object alone.
    const vendors = Object.keys(counts).length === 0 ? vendorUsage(attributes, call) : NO_USAGE;
    if (vendors.usage !== undefined) return vendors;
    const { counts: known, inclusion } = aiSdkReading(attributes, counts, call);
    return nativeUsage(known, inclusion, call);
  }
  const own = inclusionOf(attributes, scope);
  const isCounted = counts.input !== undefined || counts.output !== undefined;
  const told = isCounted ? { ...metadataParts(attributes, call), ...counts } : counts;
  const [whole, inclusion] = withGeminiAnswer(told, attributes, own);
  return Object.keys(whole).length > 0
    ? nativeUsage(whole, inclusion, call)
    : vendorUsage(attributes, call);
}

function callModel(attributes: Attributes): unknown {
  return firstGiven(executedModel(attributes), requestedModel(attributes));
}

/** Returns every count that an attribute names, under whatever of its names. */
function tokenCounts(attributes: Attributes, call: CallOf): ReportedCounts {
  const metadata = objectAt(attributes, 'metadata');
  const look = (names: readonly string[]) =>
    firstGiven(
      firstAttribute(attributes, names),
      // A processor that turns one convention into another keeps what it does not know as metadata.
      isObject(metadata) ? firstGiven(...names.map((name) => at(metadata, name))) : undefined,
    );
  const found = Object.fromEntries(
    Object.entries(TOKEN_NAMES).map(([count, names]) => [count, look(names)]),
  );
  const { inputText, outputText, cacheReadText, ...named } = found;
  const input = objectAt(attributes, 'gen_ai.usage.input_token_details');
  const output = objectAt(attributes, 'gen_ai.usage.output_token_details');
  const details = langchainDetails(input, output);
  const counts = withoutAbsent({
    ...details,
    ...withoutAbsent(named),
    cacheWrite: firstGiven(named['cacheWrite'], details.cacheWrite),
  });
  return withoutAbsent({
    ...flatUsage(attributes, call),
    ...withSums(counts, { inputText, outputText, cacheReadText }),
    ...counts,
  });
}

/** Totals that are not given but as their parts, one for each kind of token. */
function withSums(counts: ReportedCounts, text: JsonObject): ReportedCounts {
  const { inputAudio, inputImage, inputVideo, outputAudio, outputImage, outputVideo } = counts;
  const sumOfKinds = (own: unknown, others: readonly unknown[]) =>
    own === undefined ? undefined : sumOf([own, ...others]);
  return {
    input: sumOfKinds(text['inputText'], [inputAudio, inputImage, inputVideo]),
    output: sumOfKinds(text['outputText'], [outputAudio, outputImage, outputVideo]),
    cacheRead: sumOfKinds(text['cacheReadText'], [counts.cacheReadAudio, counts.cacheReadImage]),
  };
}

const CLAUDE_CODE: Inclusion = { cache: 'beside' };

const PLAIN_NAMES = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_creation_tokens'];

/** Its totals may have the names of the convention though its cache has its own. */
function plainCounts(attributes: Attributes): ReportedCounts {
  return withoutAbsent({
    input: firstAttribute(attributes, ['input_tokens', 'gen_ai.usage.input_tokens']),
    output: firstAttribute(attributes, ['output_tokens', 'gen_ai.usage.output_tokens']),
    cacheRead: firstAttribute(attributes, ['cache_read_tokens']),
    cacheWrite: firstAttribute(attributes, ['cache_creation_tokens']),
  });
}

/**
 * Older Google ADK leaves thoughts and cache to the answer that it attaches, and an answer of thoughts
 * alone has no output count. The answer is Gemini's own, so that its counts go before the span's.
 */
function withGeminiAnswer(
  counts: ReportedCounts,
  attributes: Attributes,
  inclusion: Inclusion,
): readonly [ReportedCounts, Inclusion] {
  const answer = objectAt(attributes, 'gcp.vertex.agent.llm_response');
  const usage = firstGiven(at(answer, 'usage_metadata'), at(answer, 'usageMetadata'));
  if (!isObject(usage)) return [counts, inclusion];
  const known = withoutAbsent(providerCounts({ usage })?.counts ?? {});
  if (Object.keys(known).length === 0) return [counts, inclusion];
  const isWhole = known['output'] !== undefined || known['reasoning'] !== undefined;
  const merged = isWhole
    ? { ...counts, output: undefined, reasoning: undefined, ...known }
    : { ...counts, ...known };
  return [withoutAbsent(merged), { ...inclusion, reasoning: isWhole ? 'beside' : 'inside' }];
}

/** Usage as one object, in the attribute in which a vendor keeps it. */
function vendorUsage(attributes: Attributes, call: CallOf): NativeUsage {
  const langfuse = objectAt(attributes, 'langfuse.observation.usage_details');
  if (isObject(langfuse)) return langfuseUsage(langfuse, call);
  const langsmith = objectAt(attributes, 'langsmith.usage_metadata');
  if (isObject(langsmith)) return langchainUsage(langsmith, call);
  const mlflow = objectAt(attributes, 'mlflow.chat.tokenUsage');
  if (isObject(mlflow)) return langchainUsage(mlflow, call);
  const langwatch = langwatchMetrics(attributes);
  if (langwatch !== undefined) return langwatchUsage(langwatch, call);
  if (attributes.has('genkit:metadata:subtype')) {
    return genkitUsage(at(objectAt(attributes, 'genkit:output'), 'usage'), call);
  }
  return usageObject(attributes, call);
}

/**
 * Returns a provider's own usage object under whatever name ends in the word; who counted it is not
 * known.
 */
function usageObject(attributes: Attributes, call: CallOf): NativeUsage {
  for (const name of attributes.keys()) {
    if (!USAGE_OBJECT.test(name)) continue;
    const usage = objectAt(attributes, name);
    const read = isObject(usage) ? readProviderUsage({ usage, ...call }) : NO_USAGE;
    if (read.usage !== undefined) return { ...read, assumed: true };
  }
  return usageInAnswer(attributes, call);
}

/** The provider's whole answer, as Logfire and OpenInference attach it, has the provider's own usage. */
const ANSWERS = ['response_data', 'output.value'];

function usageInAnswer(attributes: Attributes, call: CallOf): NativeUsage {
  for (const name of ANSWERS) {
    const answer = objectAt(attributes, name);
    const usage = firstGiven(at(answer, 'usage'), at(answer, 'usageMetadata'));
    const read = isObject(usage) ? readProviderUsage({ usage, ...call }) : NO_USAGE;
    if (read.usage !== undefined) return read;
  }
  return NO_USAGE;
}

/** LangChain's usage metadata is the sum of every kind, with details in two objects; MLflow's has none. */
function langchainUsage(usage: object, call: CallOf): NativeUsage {
  const details = langchainDetails(
    at(usage, 'input_token_details'),
    at(usage, 'output_token_details'),
  );
  const own = providerCounts({ usage, ...call, api: 'responses' })?.counts ?? {};
  return nativeUsage({ ...own, ...details }, { cache: 'inside' }, call);
}

/** The two sums of a call, in whichever case of letters; nothing says what they hold. */
function langwatchUsage(metrics: unknown, call: CallOf): NativeUsage {
  const counts = withoutAbsent({
    input: firstGiven(at(metrics, 'prompt_tokens'), at(metrics, 'promptTokens')),
    output: firstGiven(at(metrics, 'completion_tokens'), at(metrics, 'completionTokens')),
  });
  return nativeUsage(counts, { cache: 'unknown' }, call);
}

/** Genkit's own names; thoughts are beside the output, as Gemini counts them. */
function genkitUsage(usage: unknown, call: CallOf): NativeUsage {
  if (!isObject(usage)) return NO_USAGE;
  const counts = withoutAbsent({
    input: at(usage, 'inputTokens'),
    output: at(usage, 'outputTokens'),
    total: at(usage, 'totalTokens'),
    cacheRead: firstGiven(at(usage, 'cachedContentTokens')),
    reasoning: firstGiven(at(usage, 'thoughtsTokens')),
  });
  if (counts['input'] === undefined && counts['output'] === undefined) {
    const images = firstGiven(at(usage, 'outputImages'));
    return images === undefined
      ? readProviderUsage({ usage, ...call })
      : nativeUsage({ images }, { cache: 'inside' }, call);
  }
  return nativeUsage(counts, { cache: 'inside', reasoning: 'beside' }, call);
}
