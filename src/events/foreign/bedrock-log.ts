import { providerCounts } from '../provider-usage.ts';
import { timeFromText } from './foreign-time.ts';
import { type NativeUsage, nativeUsage, usageOfCall } from './foreign-usage.ts';
import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  unlessEmpty,
  withoutAbsent,
} from './foreign-value.ts';
import { type Translation, type Translator, translationOf } from './translation.ts';

/**
 * A record of Amazon Bedrock's model invocation log. What includes what:
 *
 * | count                                     | holds                                             |
 * |-------------------------------------------|---------------------------------------------------|
 * | input.inputTokenCount                     | no cached tokens: they stand beside it            |
 * | input.cacheReadInputTokenCount, …Write…   | read and written; one hour only in the answer     |
 * | output.outputTokenCount                   | reasoning; left out for embeddings                |
 */
export const bedrockLogTranslator: Translator = {
  format: 'bedrock-log',
  recognizes: (value) => at(value, 'schemaType') === 'ModelInvocationLog',
  translate: (value) => [translateLog(value)],
};

function translateLog(log: object): Translation {
  const used = usageOf(log);
  const errorCode = firstGiven(at(log, 'errorCode'));
  const status = errorCode === undefined ? 'ok' : 'error';
  const metadata = at(log, 'requestMetadata');
  const event = withoutAbsent({
    event_id: firstGiven(at(log, 'requestId')),
    source: 'bedrock',
    occurred_at: timeFromText(firstGiven(at(log, 'timestamp'))),
    status,
    error_type: errorCode,
    operation: operationOf(log),
    provider: 'aws.bedrock',
    requested_model: firstGiven(at(log, 'modelId')),
    service_tier: tierOf(log),
    usage: usageOfCall(used, status),
    ...attributionTags((name) => at(metadata, name)),
    tags: unlessEmpty(furtherTags(metadata)),
  });
  return translationOf(event, used);
}

/** One operation, InvokeModel, serves every kind of model, so its name and its counts have to tell. */
function operationOf(log: object): string {
  const modelId = at(log, 'modelId');
  if (typeof modelId === 'string' && /embed/i.test(modelId)) return 'embeddings';
  if (imagesOf(log) !== undefined) return 'image';
  const hasInput = at(log, 'input', 'inputTokenCount') !== undefined;
  const hasOutput = at(log, 'output', 'outputTokenCount') !== undefined;
  return hasInput && !hasOutput && at(log, 'errorCode') === undefined ? 'embeddings' : 'chat';
}

function tierOf(log: object): unknown {
  const operation = at(log, 'operation');
  return typeof operation === 'string' && /batch/i.test(operation) ? 'batch' : undefined;
}

function usageOf(log: object): NativeUsage {
  const answer = at(log, 'output', 'outputBodyJson', 'usage');
  const details = providerCounts({ usage: answer, provider: 'aws.bedrock' })?.counts;
  const counts = {
    input: at(log, 'input', 'inputTokenCount'),
    output: at(log, 'output', 'outputTokenCount'),
    cacheRead: at(log, 'input', 'cacheReadInputTokenCount'),
    cacheWrite: at(log, 'input', 'cacheWriteInputTokenCount'),
    cacheWrite1h: details?.cacheWrite1h,
  };
  const hasTokens = Object.values(counts).some((count) => count !== undefined);
  return nativeUsage(hasTokens ? counts : { images: imagesOf(log) }, { cache: 'beside' });
}

function imagesOf(log: object): unknown {
  const images = at(log, 'output', 'outputBodyJson', 'images');
  return Array.isArray(images) && images.length > 0 ? images.length : undefined;
}
