import { describe, expect, it } from 'vitest';
import type { CallReport } from '../../../src/ledger/posting/same-call.ts';
import { compareReports, isKept } from '../../../src/ledger/posting/same-call.ts';

const COUNTS = {
  uncachedInput: 1000,
  cacheRead: 0,
  cacheWrite: 0,
  output: 100,
  reasoning: 0,
  units: null,
};
const NOTHING = { ...COUNTS, uncachedInput: 0, output: 0 };

function report(change: Partial<CallReport> = {}): CallReport {
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

const answer = (change: Partial<CallReport> = {}) => report({ responseId: 'r', ...change });
const call = (change: Partial<CallReport> = {}) => report({ callId: 'c', ...change });

/** How two reports compare, which is the same in either order. */
function kindOf(one: CallReport, other: CallReport): string {
  const [comparison, reversed] = [compareReports(one, other), compareReports(other, one)];
  expect(reversed).toEqual(comparison);
  return comparison?.kind === 'same' ? comparison.tie : (comparison?.kind ?? 'two calls');
}

describe('two reports of one response id', () => {
  it.each<[string, Partial<CallReport>, string]>([
    ['equal in everything', {}, 'response'],
    ['of which one has no tenant', { tenantId: 'unattributed' }, 'response'],
    ['of another provider of the family', { provider: 'azure.ai.openai' }, 'response'],
    ['of which one names no provider', { provider: null }, 'response'],
    ['of which one counted nothing', { usage: NOTHING }, 'response'],
    ['of which one lacks the output', { usage: { ...COUNTS, output: 0 } }, 'response'],
    [
      'one of which knows what was cached',
      { usage: { ...COUNTS, uncachedInput: 600, cacheRead: 400 } },
      'response',
    ],
    ['a minute apart', { startedAt: 1_060_000, occurredAt: 1_061_000 }, 'response'],
    ['more than a minute apart', { startedAt: 1_060_001, occurredAt: 1_061_000 }, 'conflict'],
    ['of which one names an instant alone', { startedAt: null, occurredAt: 1_300_000 }, 'response'],
    ['whose instants are further apart', { startedAt: null, occurredAt: 1_300_001 }, 'conflict'],
    ['with other counts', { usage: { ...COUNTS, output: 101 } }, 'conflict'],
    ['with another unit', { usage: { ...COUNTS, units: { images: 1 } } }, 'response'],
    [
      'with other counts, of no provider',
      { provider: null, usage: { ...COUNTS, output: 101 } },
      'two calls',
    ],
    ['of another provider', { provider: 'anthropic' }, 'two calls'],
    ['of another tenant', { tenantId: 'birch' }, 'two calls'],
    ['of another member', { memberId: 'm' }, 'two calls'],
    ['out of the cache of a gateway', { gatewayCache: 'exact' }, 'two calls'],
    ['of which one failed', { status: 'error' }, 'two calls'],
  ])('%s', (_what, change, kind) => {
    expect(kindOf(answer(), answer({ eventId: 'e2', ...change }))).toBe(kind);
  });

  it.each<[string, Partial<CallReport>, string]>([
    ['equal in everything else', {}, 'response'],
    ['with other counts', { usage: { ...COUNTS, output: 101 } }, 'two calls'],
    ['of which one lacks the output', { usage: { ...COUNTS, output: 0 } }, 'two calls'],
    ['that counted nothing', { usage: NOTHING }, 'two calls'],
    ['more than a minute apart', { startedAt: 1_060_001, occurredAt: 1_061_000 }, 'two calls'],
    ['out of the cache of a gateway', { gatewayCache: 'exact' }, 'two calls'],
  ])(
    'that nobody else has, which an application names by the gateway, %s',
    (_what, change, kind) => {
      const responseId = 'chatcmpl-9f8e7d6c5b4a39281706';
      const gateway = answer({ responseId, provider: 'anthropic', eventId: 'e2', ...change });
      const usage = change.usage === NOTHING ? NOTHING : COUNTS;
      expect(kindOf(answer({ responseId, usage }), gateway)).toBe(kind);
    },
  );

  it('that was read from a batch of requests on two days are one', () => {
    const late = answer({ serviceTier: 'batch', startedAt: 90_000_000, occurredAt: 90_000_001 });
    expect(kindOf(answer({ serviceTier: 'batch' }), late)).toBe('response');
  });

  it('agree or not in units that both count', () => {
    const with2 = answer({ usage: { ...COUNTS, units: { images: 2 } } });
    expect(kindOf(with2, answer({ usage: { ...COUNTS, units: { images: 3 } } }))).toBe('conflict');
  });
});

describe('two reports of one call of a gateway', () => {
  it.each<[string, Partial<CallReport>, string]>([
    ['equal in everything', {}, 'call'],
    ['at overlapping times', { startedAt: 999_000, occurredAt: 1_000_500 }, 'call'],
    ['one after the other', { startedAt: 1_001_001, occurredAt: 1_002_000 }, 'two calls'],
    ['with other counts', { usage: { ...COUNTS, output: 101 } }, 'two calls'],
    ['with another number of the attempt', { attempt: 2 }, 'two calls'],
    ['with another call id', { callId: 'other' }, 'two calls'],
    ['of which one failed', { status: 'error' }, 'two calls'],
  ])('%s', (_what, change, kind) => {
    expect(kindOf(call(), call({ eventId: 'e2', ...change }))).toBe(kind);
  });

  it('with answers of other ids are one only where both began and ended at the same instants', () => {
    const [one, other] = [call({ responseId: 'r1' }), call({ responseId: 'r2' })];
    expect(kindOf(one, other)).toBe('call');
    expect(kindOf(one, { ...other, occurredAt: 1_000_001 })).toBe('two calls');
  });
});

describe('two nested spans', () => {
  const inner = report({ traceId: 't', spanId: 'in', parentSpanId: 'out' });
  const outer = report({ traceId: 't', spanId: 'out', startedAt: 997_000, occurredAt: 1_000_500 });

  it.each<[string, Partial<CallReport>, string]>([
    ['with equal counts', {}, 'nested'],
    ['within a second of one another', { startedAt: 999_000, occurredAt: 999_000 }, 'nested'],
    ['of which the outer one ended before', { occurredAt: 998_999 }, 'two calls'],
    ['of which the outer one began later', { startedAt: 999_001 }, 'two calls'],
    ['with other counts', { usage: { ...COUNTS, output: 0 } }, 'two calls'],
    ['in another trace', { traceId: 'u' }, 'two calls'],
    ['that are not nested', { spanId: 'beside' }, 'two calls'],
    ['of two tenants', { tenantId: 'birch' }, 'two calls'],
    ['of which one has no tenant', { tenantId: 'unattributed' }, 'nested'],
  ])('%s', (_what, change, kind) => {
    expect(kindOf({ ...outer, ...change }, inner)).toBe(kind);
  });

  it('with answers of other ids are two calls', () => {
    const ids = [
      { ...outer, responseId: 'r1' },
      { ...inner, responseId: 'r2' },
    ] as const;
    expect(kindOf(...ids)).toBe('two calls');
  });

  it('that counted nothing are not known to be one', () => {
    expect(kindOf({ ...outer, usage: NOTHING }, { ...inner, usage: NOTHING })).toBe('two calls');
  });

  it('keep the inner one, whichever came first', () => {
    expect(isKept(inner, outer, 'nested')).toBe(true);
    expect(isKept(outer, inner, 'nested')).toBe(false);
  });
});

describe('of two reports of one call is kept', () => {
  const nobodys = answer({ tenantId: 'unattributed' });

  it('the one with a tenant, though it measured nothing', () => {
    expect(isKept(nobodys, answer({ usage: NOTHING }), 'response')).toBe(false);
    expect(isKept(answer({ usage: NOTHING }), nobodys, 'response')).toBe(true);
  });

  it('then the one that measured anything, then the earlier one', () => {
    expect(isKept(answer({ usage: NOTHING }), answer(), 'response')).toBe(false);
    expect(isKept(answer(), answer({ usage: NOTHING }), 'response')).toBe(true);
    expect(isKept(answer(), answer(), 'response')).toBe(true);
  });
});
