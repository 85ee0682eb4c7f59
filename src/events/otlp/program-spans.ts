import { timeFromNanos } from '../foreign/foreign-time.ts';
import { at } from '../foreign/foreign-value.ts';
import { isRepeatingId } from '../provider-name.ts';
import { ANCESTOR_LIMIT, type Reports } from './otlp-duplicates.ts';
import { hasFailed, keyInTrace, type OtlpSpan, responseIdOf } from './otlp-spans.ts';
import { tagsOf } from './otlp-tags.ts';

/** What a span is kept as that has to do with no model, and may stand between two that have. */
export const PROGRAM_SPAN = 'program_span';

/** No call of a model lies within what a program asks of a database or of a queue. */
const WITHOUT_CALLS = ['db.system', 'db.system.name', 'messaging.system'];

/**
 * Tells whether a plain span of the program is kept as a step between spans of other messages: two reports
 * of one call, or a call and the span that has its tenant, are found by way of it. Most need not be: above it
 * stands an answer that is known by its own id, or the trace begins in this message with nothing that
 * a call below could take up.
 */
export function mayStandBetween(span: OtlpSpan, reports: Reports): boolean {
  if (keyInTrace(span.traceId, span.spanId) === null) return false;
  if (WITHOUT_CALLS.some((name) => span.attributes.has(name))) return false;
  // What has no instant would wait in quarantine, for the sake of nothing.
  if (timeFromNanos(at(span.fields, 'endTimeUnixNano')) === undefined) return false;
  const around = reports.enclosing.get(span) ?? [];
  const call = around.find((outer) => reports.calls.has(outer) && !hasFailed(outer));
  if (call !== undefined) return isKnownByItsSpan(call);
  const top = around.at(-1) ?? span;
  const isBegin = top.parentSpanId === undefined && around.length < ANCESTOR_LIMIT;
  return !isBegin || [span, ...around].some(hasTenant);
}

/** A call whose operation nobody named is none once another one lies within it, whatever its answer is called. */
function isKnownByItsSpan({ attributes, role }: OtlpSpan): boolean {
  const responseId = responseIdOf(attributes);
  return role.kind === 'usage' || responseId === undefined || isRepeatingId(String(responseId));
}

function hasTenant({ attributes }: OtlpSpan): boolean {
  return tagsOf(attributes)['tenant_id'] !== undefined;
}
