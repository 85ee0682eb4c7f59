import { timeFromText } from './foreign-time.ts';
import { type NativeUsage, nativeUsage, withoutOutput } from './foreign-usage.ts';
import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  unlessEmpty,
  withoutAbsent,
} from './foreign-value.ts';
import type { Translation, Translator } from './translation.ts';

/** A record of Amazon Bedrock's model invocation log. */
export const bedrockLogTranslator: Translator = {
  format: 'bedrock-log',
  recognizes: (value) => at(value, 'schemaType') === 'ModelInvocationLog',
  translate: (value) => [translateLog(value)],
};

function translateLog(log: object): Translation {
  const { usage, assumed } = usageOf(log);
  const errorCode = firstGiven(at(log, 'errorCode'));
  const operation = operationOf(at(log, 'modelId'));
  const isWithoutOutput = operation === 'embeddings' || errorCode !== undefined;
  const metadata = at(log, 'requestMetadata');
  const event = withoutAbsent({
    event_id: firstGiven(at(log, 'requestId')),
    source: 'bedrock',
    occurred_at: timeFromText(firstGiven(at(log, 'timestamp'))),
    status: errorCode === undefined ? 'ok' : 'error',
    error_type: errorCode,
    operation,
    provider: 'aws.bedrock',
    requested_model: firstGiven(at(log, 'modelId')),
    usage: isWithoutOutput ? withoutOutput(usage) : usage,
    ...attributionTags((name) => at(metadata, name)),
    tags: unlessEmpty(furtherTags(metadata)),
  });
  return { event, usageAssumed: assumed };
}

/** One operation, InvokeModel, serves both kinds of model, so the model's name has to tell. */
function operationOf(modelId: unknown): string {
  return typeof modelId === 'string' && modelId.includes('embed') ? 'embeddings' : 'chat';
}

/** Bedrock counts cached tokens beside the input, not in it. */
function usageOf(log: object): NativeUsage {
  return nativeUsage(
    {
      input: at(log, 'input', 'inputTokenCount'),
      output: at(log, 'output', 'outputTokenCount'),
      cacheRead: at(log, 'input', 'cacheReadInputTokenCount'),
      cacheWrite: at(log, 'input', 'cacheWriteInputTokenCount'),
    },
    'exclusive',
  );
}
