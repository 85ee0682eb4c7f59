import { at, isObject, type JsonObject } from '../foreign/foreign-value.ts';
import { type Attributes, objectAt } from './otlp-attributes.ts';

/** What LangWatch's SDKs know of a call: its sums and its cost in one object, which that of TypeScript wraps in another. */
export function langwatchMetrics(attributes: Attributes): JsonObject | undefined {
  const metrics = objectAt(attributes, 'langwatch.metrics');
  const wrapped = at(metrics, 'value');
  if (isObject(wrapped)) return wrapped;
  return isObject(metrics) ? metrics : undefined;
}
