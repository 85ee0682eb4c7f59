import { statedCounts } from '../provider-usage.ts';
import { withSteps } from '../usage-steps.ts';
import { countOf } from './foreign-count.ts';
import { tierIn } from './foreign-tier.ts';
import { timeFromAny } from './foreign-time.ts';
import {
  type Inclusion,
  type NativeUsage,
  nativeUsage,
  type ReportedCounts,
  usageOfCall,
} from './foreign-usage.ts';
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
    occurred_at: timeFromAny(firstGiven(at(log, 'timestamp'))),
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
  if (typeof modelId === 'string' && /rerank/i.test(modelId)) return 'rerank';
  if (imagesOf(log) !== undefined) return 'image';
  const hasInput = at(log, 'input', 'inputTokenCount') !== undefined;
  const hasOutput =
    at(log, 'output', 'outputTokenCount') !== undefined || answerCounts(log).output !== undefined;
  return hasInput && !hasOutput && at(log, 'errorCode') === undefined ? 'embeddings' : 'chat';
}

/** The tier that served a call stands in its answer; that of a batch is told by the operation alone. */
function tierOf(log: object): unknown {
  const operation = at(log, 'operation');
  if (typeof operation === 'string' && /batch/i.test(operation)) return 'batch';
  return tierIn(log, ...answerParts(log).flatMap((part) => [part, at(part, 'metadata')]));
}

function usageOf(log: object): NativeUsage {
  const answer = answerCounts(log);
  const counts = {
    input: firstGiven(at(log, 'input', 'inputTokenCount'), answer.input),
    output: firstGiven(at(log, 'output', 'outputTokenCount'), answer.output),
    cacheRead: firstGiven(at(log, 'input', 'cacheReadInputTokenCount'), answer.cacheRead),
    cacheWrite: firstGiven(at(log, 'input', 'cacheWriteInputTokenCount'), answer.cacheWrite),
    cacheWrite1h: answer.cacheWrite1h,
    searches: answer.searches,
  };
  const hasTokens = Object.values(counts).some((count) => (countOf(count) ?? 0) !== 0);
  const images = hasTokens ? undefined : imagesOf(log);
  if (images !== undefined) return nativeUsage({ images }, BESIDE);
  const usages = answerUsages(log);
  const stepped = usages.findLast((usage) => at(usage, 'iterations') !== undefined);
  const whole = withSteps({ counts, inclusion: BESIDE }, stepped);
  return nativeUsage(whole.counts, whole.inclusion);
}

const BESIDE: Inclusion = { cache: 'beside' };

function answerCounts(log: object): ReportedCounts {
  const found = answerUsages(log).map((usage) =>
    withoutAbsent(statedCounts({ usage, provider: 'aws.bedrock' })?.counts ?? {}),
  );
  return Object.assign({}, ...found);
}

/** The usage in the answer, or in the parts of one that was streamed, of which each may hold some counts. */
function answerUsages(log: object): readonly unknown[] {
  return answerParts(log).map((part) =>
    firstGiven(
      at(part, 'usage'),
      at(part, 'metadata', 'usage'),
      at(part, 'message', 'usage'),
      // The last part of a stream, whatever the model's own format is.
      at(part, 'amazon-bedrock-invocationMetrics'),
    ),
  );
}

function answerParts(log: object): readonly unknown[] {
  const body = at(log, 'output', 'outputBodyJson');
  return Array.isArray(body) ? body : [body];
}

function imagesOf(log: object): unknown {
  const images = at(log, 'output', 'outputBodyJson', 'images');
  return Array.isArray(images) && images.length > 0 ? images.length : undefined;
}
