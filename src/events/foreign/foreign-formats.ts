import type { EventStatus } from '../event.ts';
import { otlpTranslator } from '../otlp/otlp.ts';
import { otlpLogsTranslator } from '../otlp/otlp-logs.ts';
import { isSnakeCase } from '../otlp/otlp-names.ts';
import { batchResultTranslator } from './batch-result.ts';
import { bedrockLogTranslator } from './bedrock-log.ts';
import { cloudEventTranslator } from './cloud-event.ts';
import { dataOf, readLoosely } from './cloud-event-data.ts';
import { at, isObject, type JsonObject } from './foreign-value.ts';
import { kongTranslator } from './kong.ts';
import { langwatchTranslator } from './langwatch.ts';
import { litellmTranslator } from './litellm.ts';
import { emptyTranslation, type Translator } from './translation.ts';

const METRICS = 'metrics, which sum up what spans and log events report one by one';

/** Sums over many calls, which name no call. */
const otlpMetricsTranslator: Translator = {
  format: 'otlp-metrics',
  recognizes: (value) =>
    Array.isArray(at(value, 'resourceMetrics')) ||
    (isSnakeCase(value) && Array.isArray(at(value, 'resource_metrics'))),
  translate: () => [emptyTranslation('otlp', METRICS)],
};

/** The formats of other producers, in the order in which a message is tried against them. */
export const translators: readonly Translator[] = [
  cloudEventTranslator,
  litellmTranslator,
  otlpTranslator,
  otlpLogsTranslator,
  otlpMetricsTranslator,
  langwatchTranslator,
  kongTranslator,
  bedrockLogTranslator,
  batchResultTranslator,
];

/**
 * Finds the translator for a message that is no native event, or null when no format fits its
 * shape.
 */
export function findTranslator(value: object): Translator | null {
  return translators.find(({ recognizes }) => recognizes(value)) ?? null;
}

/** What brokers hand on in a CloudEvent as it came, with ids and instants of its own. */
const CARRIED: ReadonlySet<Translator | null> = new Set([
  litellmTranslator,
  otlpTranslator,
  otlpLogsTranslator,
  otlpMetricsTranslator,
  bedrockLogTranslator,
]);

/** Fields of an event, beside which the data of a CloudEvent are no other producer's message. */
const OF_EVENT = ['event_id', 'occurred_at', 'requested_model', 'usage', 'provider_usage'];
const STATUSES: ReadonlySet<unknown> = new Set<EventStatus>(['ok', 'error', 'cancelled']);

/**
 * Returns the message of another producer that a CloudEvent carries; null where its data tell of one call by themselves. What
 * has the status of an event, or counts that stand for one, was always read as an event, and would be a second one
 * if it came again.
 */
export function carriedMessage(value: object): JsonObject | null {
  if (!cloudEventTranslator.recognizes(value)) return null;
  const data = dataOf(value);
  if (!isObject(data) || OF_EVENT.some((field) => Object.hasOwn(data, field))) return null;
  if (!CARRIED.has(findTranslator(data))) return null;
  return STATUSES.has(readLoosely(value)['status']) ? null : data;
}
