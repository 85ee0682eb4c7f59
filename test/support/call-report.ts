import type { UsageCounts } from '../../src/events/event.ts';
import type { CallReport } from '../../src/ledger/posting/same-call.ts';

/** What a report counts, where a test says nothing else. */
export const COUNTS: UsageCounts = {
  uncachedInput: 1000,
  cacheRead: 0,
  cacheWrite: 0,
  output: 100,
  reasoning: 0,
  units: null,
};
export const NOTHING: UsageCounts = { ...COUNTS, uncachedInput: 0, output: 0 };

/** A report of a call that nothing ties to another one, but for what the change names. */
export function callReport(change: Partial<CallReport> = {}): CallReport {
  return {
    tenantId: 'acme',
    source: 'app',
    eventId: 'e1',
    memberId: '',
    status: 'ok',
    attempt: 1,
    occurredAt: 1_000_000,
    startedAt: 998_000,
    serviceTier: 'standard',
    gatewayCache: 'none',
    provider: 'openai',
    requestedModel: 'gpt-4o',
    executedModel: 'gpt-4o',
    responseId: null,
    callId: null,
    traceId: null,
    spanId: null,
    parentSpanId: null,
    eventDigest: Buffer.alloc(32),
    usage: COUNTS,
    ...change,
  };
}
