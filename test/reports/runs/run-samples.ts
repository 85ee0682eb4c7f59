import type { SpansOfRun } from '../../../src/reports/runs/agent-run.ts';
import type { RunEntry, RunSpan } from '../../../src/reports/runs/run-step.ts';

const START = Date.parse('2026-10-15T12:00:00Z');

/** A call that took a second, so many seconds after the start; its event id is its span id. */
export function call(second: number, change: Partial<RunEntry> = {}): RunEntry {
  const spanId = change.spanId === undefined ? `call-${second}` : change.spanId;
  return {
    entryId: BigInt(1000 + second),
    correctsEntryId: null,
    isReversal: false,
    beganBefore: false,
    source: 'app',
    eventId: spanId ?? `call-${second}`,
    memberId: '',
    operation: 'chat',
    status: 'ok',
    errorType: null,
    outcome: 'charged',
    startedAt: START + second * 1000,
    occurredAt: START + second * 1000 + 900,
    requestedModel: 'gpt-4o',
    executedModel: 'gpt-4o',
    feature: 'search',
    promptVersion: 'v1',
    inputTokens: 1000n,
    outputTokens: 100n,
    toolTokens: 0n,
    memoryTokens: 0n,
    charge: 300n,
    isNotDue: false,
    cost: 200n,
    currency: 'USD',
    traceId: 'trace-1',
    spanId,
    parentSpanId: null,
    attempt: 1,
    callId: null,
    ...change,
  };
}

/** A span around others, from one second to another. */
export function wrapper(
  spanId: string,
  seconds: readonly [number, number],
  change: Partial<RunSpan> = {},
): RunSpan {
  return {
    source: 'app',
    eventId: spanId,
    operation: 'invoke_agent',
    status: 'ok',
    errorType: null,
    startedAt: START + seconds[0] * 1000,
    occurredAt: START + seconds[1] * 1000,
    traceId: 'trace-1',
    spanId,
    parentSpanId: null,
    ...change,
  };
}

/** The reversal and the replacement of an entry, as a correction posts them. */
export function corrected(entry: RunEntry, change: Partial<RunEntry> = {}): readonly RunEntry[] {
  const reversal = {
    ...entry,
    entryId: entry.entryId + 10_000n,
    correctsEntryId: entry.entryId,
    isReversal: true,
    inputTokens: -entry.inputTokens,
    outputTokens: -entry.outputTokens,
    toolTokens: -entry.toolTokens,
    memoryTokens: -entry.memoryTokens,
    charge: entry.charge === null ? null : -entry.charge,
    cost: entry.cost === null ? null : -entry.cost,
  };
  const replacement = {
    ...entry,
    entryId: entry.entryId + 20_000n,
    correctsEntryId: entry.entryId,
    ...change,
  };
  return [reversal, replacement];
}

export function runOf(entries: readonly RunEntry[], spans: readonly RunSpan[] = []): SpansOfRun {
  return { tenantId: 'acme', runId: 'run-1', entries, spans };
}
