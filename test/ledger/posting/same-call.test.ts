import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageCounts } from '../../../src/events/event.ts';
import type { CallReport } from '../../../src/ledger/posting/same-call.ts';
import { compareReports, isKept } from '../../../src/ledger/posting/same-call.ts';
import { COUNTS, NOTHING, callReport as report } from '../../support/call-report.ts';
import { cases } from '../../support/cases.ts';

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
    ['with more input', { usage: { ...COUNTS, uncachedInput: 1001 } }, 'conflict'],
    [
      'one of which was read from a batch on another day',
      { serviceTier: 'batch', startedAt: 90_000_000, occurredAt: 90_000_001 },
      'conflict',
    ],
    ['that begins after its end, at the same end', { startedAt: 5_000_000 }, 'response'],
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
    ['of which one lacks the input', { usage: { ...COUNTS, uncachedInput: 0 } }, 'two calls'],
    ['with another id', { responseId: 'chatcmpl-9f8e7d6c5b4a39281707' }, 'two calls'],
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

  it.each<[string, string]>([
    ['chatcmpl-9f8e7d6c5b4', 'response'],
    ['chatcmpl-9f8e7d6c5b', 'two calls'],
    ['an-answer-that-has-no-number', 'two calls'],
  ])('%s, of two providers, tells from its form whether anybody else may have it', (id, kind) => {
    const [one, other] = [answer({ responseId: id }), answer({ responseId: id, provider: 'groq' })];
    expect(kindOf(one, other)).toBe(kind);
  });

  it('of two providers count the same wherever both count', () => {
    const id = { responseId: 'chatcmpl-9f8e7d6c5b4a39281706' };
    const cached = (cacheRead: number) => ({
      ...{ ...COUNTS, uncachedInput: 1000 - cacheRead, cacheRead },
    });
    const other = answer({ ...id, provider: 'groq', usage: cached(400) });
    expect(kindOf(answer({ ...id, usage: cached(300) }), other)).toBe('two calls');
    expect(kindOf(answer({ ...id, usage: cached(400) }), other)).toBe('response');
    // As much goes in as comes out, and that is something.
    const even = { ...COUNTS, uncachedInput: 100 };
    const [here, there] = [answer({ ...id, usage: even }), answer({ ...id, usage: even })];
    expect(kindOf(here, { ...there, provider: 'groq' })).toBe('response');
  });

  it('that a cache of a gateway gave twice are two calls', () => {
    const cached = answer({ gatewayCache: 'exact' });
    expect(kindOf(cached, cached)).toBe('two calls');
    const longId = { responseId: 'chatcmpl-9f8e7d6c5b4a39281706' };
    expect(kindOf({ ...cached, ...longId }, { ...cached, ...longId })).toBe('two calls');
    const elsewhere = { ...cached, ...longId, provider: 'groq' };
    expect(kindOf({ ...cached, ...longId }, elsewhere)).toBe('two calls');
  });

  it('with other counts are a conflict where neither names its provider', () => {
    const [one, other] = [answer({ provider: null }), answer({ provider: null })];
    expect(kindOf(one, { ...other, usage: { ...COUNTS, output: 101 } })).toBe('conflict');
  });

  it.each(['cacheRead', 'cacheWrite', 'reasoning'] as const)(
    'agree in %s, or one of them does not count it',
    (count) => {
      // Reasoning is a part of the output; what is cached, of the input.
      const counted = (value: number) => {
        const uncachedInput = count === 'reasoning' ? 1000 : 1000 - value;
        return answer({ usage: { ...COUNTS, uncachedInput, [count]: value } });
      };
      expect(kindOf(counted(3), counted(3))).toBe('response');
      expect(kindOf(counted(3), counted(0))).toBe('response');
      expect(kindOf(counted(3), counted(4))).toBe('conflict');
    },
  );

  it('that was read from a batch of requests on two days are one', () => {
    const late = answer({ serviceTier: 'batch', startedAt: 90_000_000, occurredAt: 90_000_001 });
    expect(kindOf(answer({ serviceTier: 'batch' }), late)).toBe('response');
  });

  it('agree or not in units that both count', () => {
    const with2 = answer({ usage: { ...COUNTS, units: { images: 2 } } });
    expect(kindOf(with2, answer({ usage: { ...COUNTS, units: { images: 3 } } }))).toBe('conflict');
    const more = { ...COUNTS, units: { images: 2, pages: 3 } };
    const pages = { ...COUNTS, units: { pages: 3 } };
    expect(kindOf(answer({ usage: more }), answer({ usage: pages }))).toBe('response');
  });
});

describe('two reports of one call of a gateway', () => {
  it('with one answer, of which they name two providers, are one at overlapping times', () => {
    const one = call({ responseId: 'r' });
    const other = { ...one, provider: 'groq', occurredAt: 1_000_500 };
    expect(kindOf(one, other)).toBe('call');
  });

  it.each<[string, Partial<CallReport>, string]>([
    ['equal in everything', {}, 'call'],
    ['at overlapping times', { startedAt: 999_000, occurredAt: 1_000_500 }, 'call'],
    ['one after the other', { startedAt: 1_001_001, occurredAt: 1_002_000 }, 'two calls'],
    ['a second after it ended', { startedAt: 1_001_000, occurredAt: 1_002_000 }, 'call'],
    ['of which one names its answer', { responseId: 'r', occurredAt: 1_000_500 }, 'call'],
    ['of which one came out of a cache', { gatewayCache: 'exact' }, 'two calls'],
    ['of another member', { memberId: 'm' }, 'two calls'],
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
    expect(kindOf(one, { ...other, startedAt: 998_001 })).toBe('two calls');
  });
});

describe('two reports', () => {
  it('that name neither answer nor call are two calls, however equal they are', () => {
    expect(kindOf(report(), report())).toBe('two calls');
  });

  it('of members are one by their answer alone', () => {
    const [one, other] = [call({ memberId: 'm' }), call({ memberId: 'm', eventId: 'e2' })];
    expect(kindOf(one, other)).toBe('two calls');
    expect(kindOf({ ...one, responseId: 'r' }, { ...other, responseId: 'r' })).toBe('response');
  });

  it('that a cache of a gateway answered are one by their call', () => {
    expect(kindOf(call({ gatewayCache: 'exact' }), call({ gatewayCache: 'exact' }))).toBe('call');
  });

  it('compare the same in either order, whatever they are', () => {
    const few = <const Value>(...values: readonly Value[]) => fc.constantFrom(...values);
    const anyReport: fc.Arbitrary<CallReport> = fc
      .record({
        tenantId: few('acme', 'birch', 'unattributed'),
        provider: few('openai', 'groq', null),
        responseId: few('r', 'chatcmpl-9f8e7d6c5b4a39281706', null),
        callId: few('c', null),
        gatewayCache: few('none', 'exact'),
        startedAt: few(998_000, 1_000_500, 1_060_001, null),
        occurredAt: few(1_000_000, 1_061_000, 1_300_001),
        spanId: few('in', 'out'),
        parentSpanId: few('in', 'out', null),
        traceId: few('t', null),
        usage: few(COUNTS, NOTHING, { ...COUNTS, output: 0 }, { ...COUNTS, units: { images: 1 } }),
      })
      .map(report);
    fc.assert(
      fc.property(anyReport, anyReport, (one, other) => {
        expect(compareReports(one, other)).toEqual(compareReports(other, one));
      }),
      cases(500),
    );
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
    ['without other input', { usage: { ...COUNTS, uncachedInput: 0 } }, 'two calls'],
    ['of which the outer one names its end alone', { startedAt: null }, 'nested'],
    ['of which the outer one counted nothing', { usage: NOTHING }, 'nested'],
    ['of which the outer one names an answer', { responseId: 'r1' }, 'nested'],
    ['in another trace', { traceId: 'u' }, 'two calls'],
    ['that are not nested', { spanId: 'beside' }, 'two calls'],
    ['of two tenants', { tenantId: 'birch' }, 'two calls'],
    ['of which one has no tenant', { tenantId: 'unattributed' }, 'nested'],
  ])('%s', (_what, change, kind) => {
    expect(kindOf({ ...outer, ...change }, inner)).toBe(kind);
  });

  it.each<[string, UsageCounts, string]>([
    ['thoughts', { ...COUNTS, output: 140, reasoning: 40 }, 'nested'],
    ['what was cached', { ...COUNTS, cacheRead: 600 }, 'nested'],
    ['both', { ...COUNTS, cacheWrite: 600, output: 140, reasoning: 40 }, 'nested'],
    ['more than thoughts', { ...COUNTS, output: 141, reasoning: 40 }, 'two calls'],
    ['all of its input', { ...COUNTS, uncachedInput: 0, output: 140, reasoning: 40 }, 'two calls'],
  ])('of which the inner one leaves out %s', (_what, usage, kind) => {
    expect(kindOf({ ...outer, usage }, inner)).toBe(kind);
    const other = { ...inner, usage: { ...inner.usage, cacheRead: 500, uncachedInput: 500 } };
    expect(kindOf({ ...outer, usage: { ...usage, cacheRead: 600 } }, other)).toBe('two calls');
    // What two systems say of one answer is compared by all that both count.
    const answers = [
      { ...inner, responseId: 'r' },
      { ...outer, responseId: 'r', usage },
    ] as const;
    expect(kindOf(...answers)).toBe(kind === 'nested' ? 'response' : 'conflict');
    expect(kindOf({ ...answers[0], traceId: 'u' }, answers[1])).toBe('conflict');
    expect(kindOf({ ...answers[0], traceId: null }, answers[1])).toBe('conflict');
  });

  it('with answers of other ids are two calls', () => {
    const ids = [
      { ...outer, responseId: 'r1' },
      { ...inner, responseId: 'r2' },
    ] as const;
    expect(kindOf(...ids)).toBe('two calls');
  });

  it('of which the inner one counted nothing are one', () => {
    expect(kindOf(outer, { ...inner, usage: NOTHING })).toBe('nested');
  });

  it('that count the same in all, but not in what was cached, are two calls', () => {
    const cached = (cacheRead: number) => ({
      ...{ ...COUNTS, uncachedInput: 1000 - cacheRead, cacheRead },
    });
    expect(kindOf({ ...outer, usage: cached(4) }, { ...inner, usage: cached(5) })).toBe(
      'two calls',
    );
    expect(kindOf({ ...outer, usage: cached(0) }, { ...inner, usage: cached(5) })).toBe('nested');
  });

  it('are not known from ids that nobody gives', () => {
    const untraced = [
      { ...outer, traceId: null },
      { ...inner, traceId: null },
    ] as const;
    expect(kindOf(...untraced)).toBe('two calls');
    const spanless = [
      { ...outer, spanId: null },
      { ...inner, parentSpanId: null },
    ] as const;
    expect(kindOf(...spanless)).toBe('two calls');
  });

  it('that counted nothing are not known to be one', () => {
    expect(kindOf({ ...outer, usage: NOTHING }, { ...inner, usage: NOTHING })).toBe('two calls');
  });

  it('keep the inner one, whichever came first', () => {
    expect(isKept(inner, outer, 'nested')).toBe(true);
    expect(isKept(outer, inner, 'nested')).toBe(false);
    expect(isKept(outer, inner, 'call')).toBe(true);
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
