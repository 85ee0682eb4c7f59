import { expect } from 'vitest';
import type { UsageEvent } from '../../src/events/event.ts';
import { readBody } from '../../src/events/read-body.ts';
import { formatPico } from '../../src/money.ts';

/** When every body of these tests is received. */
export const RECEIVED_AT = Date.UTC(2026, 10, 20);

/** Reads one body, as text or as JSON. */
export function read(body: unknown, attributes: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readBody(text, { receivedAt: RECEIVED_AT, litellmKey: null, attributes });
}

/** Returns what the one event of a body says. */
export function only(body: unknown) {
  const items = read(body);
  expect(items).toHaveLength(1);
  const [item] = items;
  if (item?.kind !== 'event') throw new Error(JSON.stringify(item));
  return said(item.event);
}

/** Returns what an event says, without what is absent or zero. */
export function said(event: UsageEvent) {
  const { usage, reportedCost, tags } = event;
  const { units, uncachedInput, cacheRead, cacheWrite, output, reasoning } = usage;
  const counts = { uncachedInput, cacheRead, cacheWrite, output, reasoning, ...units };
  return withoutNothing({
    operation: event.operation,
    provider: event.provider,
    model: event.requestedModel,
    status: event.status === 'ok' ? null : `${event.status} ${event.errorType}`,
    tier: event.serviceTier === 'standard' ? null : event.serviceTier,
    counts: withoutNothing(counts),
    source: event.usageSource === 'reported' ? null : event.usageSource,
    cost: reportedCost && `${reportedCost.source} ${formatPico(reportedCost.amount)}`,
    tenant: tags.tenantId,
    user: tags.userId,
    run: tags.agentRunId,
    response: event.responseId,
    call: event.callId,
  });
}

function withoutNothing(fields: object): Readonly<Record<string, unknown>> {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== 0);
  return Object.fromEntries(given);
}

export type Values = Readonly<Record<string, string | number | boolean>>;

function attributesOf(values: Values) {
  return Object.entries(values).map(([key, value]) => {
    if (typeof value === 'boolean') return { key, value: { boolValue: value } };
    if (typeof value === 'string') return { key, value: { stringValue: value } };
    return { key, value: Number.isInteger(value) ? { intValue: value } : { doubleValue: value } };
  });
}

/** Makes a request with one span of this scope. */
export function span(scope: string, values: Values, name = 'chat') {
  const one = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: '00f067aa0ba902b7',
    name,
    startTimeUnixNano: '1792065598000000000',
    endTimeUnixNano: '1792065600000000000',
    attributes: attributesOf({ tenant_id: 'acme', ...values }),
  };
  return { resourceSpans: [{ scopeSpans: [{ scope: { name: scope }, spans: [one] }] }] };
}

/** Makes a request with one log record of this service. */
export function logRecord(service: string, values: Values, name: string) {
  const record = {
    timeUnixNano: '1792065600000000000',
    body: { stringValue: name },
    attributes: attributesOf(values),
  };
  const resource = { attributes: attributesOf({ 'service.name': service, tenant_id: 'acme' }) };
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] };
}

/** A chat of a thousand tokens, as the convention has it. */
export const GPT_4O = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.usage.input_tokens': 1000,
  'gen_ai.usage.output_tokens': 100,
};
