import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventMember, UsageEvent } from '../../../src/events/event.ts';
import { readNativeEvent } from '../../../src/events/native-event.ts';
import { KnownReports } from '../../../src/ledger/posting/known-reports.ts';
import type { CallReport } from '../../../src/ledger/posting/same-call.ts';
import {
  isAroundCall,
  isBare,
  isOneOfFew,
  isSumOf,
  mayRepeatCalls,
  reportOfEntry,
  reportsOf,
  shareResponse,
} from '../../../src/ledger/posting/same-call.ts';
import { anyEntry } from '../../support/any-entry.ts';
import { COUNTS, callReport, NOTHING } from '../../support/call-report.ts';
import { cases } from '../../support/cases.ts';

const AT = Date.parse('2026-10-20T00:00:00Z');
const DIGEST = Buffer.alloc(32, 7);
const TRACE = '0123456789abcdef0123456789abcdef';
const SPAN = '0123456789abcdef';
const PARENT = 'fedcba9876543210';

/** An event that names an answer, but where the change says otherwise. */
function read(change: Readonly<Record<string, unknown>> = {}): UsageEvent {
  const native = {
    event_id: 'e1',
    occurred_at: '2026-10-15T12:00:00Z',
    status: 'ok',
    requested_model: 'gpt-4o',
    tenant_id: 'acme',
    response_id: 'r',
    usage: { input_tokens: 1000, output_tokens: 10 },
    ...change,
  };
  const reading = readNativeEvent(native, AT);
  if (reading.kind !== 'event') throw new Error(reading.detail);
  return reading.event;
}

const report = (change: Partial<CallReport> = {}) => callReport({ responseId: 'r', ...change });

/** A report that counts so much, and nothing else. */
const counting = (uncachedInput: number, output: number, change: Partial<CallReport> = {}) =>
  report({ usage: { ...COUNTS, uncachedInput, output }, ...change });

describe('an event makes a report', () => {
  it('of all that tells which call it is about', () => {
    const event = read({
      ...{ source: 'app', started_at: '2026-10-15T11:59:58Z', provider: 'openai', attempt: 2 },
      ...{ call_id: 'c', service_tier: 'flex', gateway_cache: 'exact' },
      ...{ trace_id: TRACE, span_id: SPAN, parent_span_id: PARENT },
    });
    expect(reportsOf(event, DIGEST)).toEqual([
      {
        tenantId: 'acme',
        source: event.source,
        eventId: 'e1',
        memberId: '',
        status: 'ok',
        attempt: 2,
        occurredAt: Date.parse('2026-10-15T12:00:00Z'),
        startedAt: Date.parse('2026-10-15T11:59:58Z'),
        serviceTier: 'flex',
        gatewayCache: 'exact',
        provider: 'openai',
        requestedModel: 'gpt-4o',
        executedModel: 'gpt-4o',
        responseId: 'r',
        callId: 'c',
        traceId: TRACE,
        spanId: SPAN,
        parentSpanId: PARENT,
        eventDigest: DIGEST,
        usage: event.usage,
      },
    ]);
  });

  it.each([{ response_id: 'r' }, { call_id: 'c' }, { span_id: SPAN }, { parent_span_id: PARENT }])(
    'where it has one mark that another may have, too: %j',
    (mark) => {
      const event = read({ response_id: null, trace_id: TRACE, ...mark });
      expect(reportsOf(event, DIGEST)).toHaveLength(1);
    },
  );

  it('and none where nothing but itself could tie it to another', () => {
    expect(reportsOf(read({ response_id: null, trace_id: TRACE }), DIGEST)).toEqual([]);
  });

  it('and none where it failed, or is about no call of a model', () => {
    expect(reportsOf({ ...read(), status: 'error' }, DIGEST)).toEqual([]);
    expect(reportsOf({ ...read(), status: 'cancelled' }, DIGEST)).toEqual([]);
    expect(reportsOf({ ...read(), operation: 'invoke_agent' }, DIGEST)).toEqual([]);
  });

  it("of nobody's, where it names no tenant", () => {
    const [only] = reportsOf(read({ tenant_id: null }), DIGEST);
    expect(only?.tenantId).toBe('unattributed');
  });

  it('of each member that succeeded, with its tenant and the usage of the whole call', () => {
    const event = read();
    const member = (memberId: string, change: Partial<EventMember>): EventMember => ({
      ...{ memberId, status: 'ok', tags: event.tags },
      ...{ inputTokens: null, outputTokens: null, weight: null },
      ...change,
    });
    const members = [
      member('m1', {}),
      member('m2', { status: 'error' }),
      member('m3', { tags: { ...event.tags, tenantId: 'birch' } }),
      member('m4', { tags: { ...event.tags, tenantId: null } }),
    ];
    // What became of a batched request as a whole is not what became of its members.
    const reports = reportsOf({ ...event, status: 'error', members }, DIGEST);
    expect(reports.map(({ memberId, tenantId, status }) => [memberId, tenantId, status])).toEqual([
      ['m1', 'acme', 'ok'],
      ['m3', 'birch', 'ok'],
      ['m4', 'unattributed', 'ok'],
    ]);
    expect(reports.map(({ usage }) => usage)).toEqual([event.usage, event.usage, event.usage]);
  });
});

describe('an entry makes a report', () => {
  it('that counts what the entry counts, and of a member what the whole call does', () => {
    fc.assert(
      fc.property(anyEntry, (fields) => {
        const entry = { ...fields, eventId: 'e1' };
        const own = {
          uncachedInput: entry.uncachedInputTokens,
          cacheRead: entry.cacheReadTokens,
          cacheWrite: entry.cacheWriteTokens,
          output: entry.outputTokens,
          reasoning: entry.reasoningTokens,
          units: entry.units,
        };
        expect(reportOfEntry({ ...entry, callUsage: null })).toMatchObject({
          ...{ tenantId: entry.tenantId, eventId: 'e1', responseId: entry.responseId, usage: own },
        });
        const callUsage = COUNTS;
        expect(reportOfEntry({ ...entry, callUsage }).usage).toBe(callUsage);
      }),
      cases(30),
    );
  });
});

describe('a report', () => {
  it('is known by its span where it names no answer, or one that a cache gave again', () => {
    expect(isBare(report())).toBe(false);
    expect(isBare(report({ responseId: null }))).toBe(true);
    expect(isBare(report({ gatewayCache: 'semantic' }))).toBe(true);
  });

  it('is one of few where it names a call, is known by its span, or is nobody’s', () => {
    expect(isOneOfFew(report())).toBe(false);
    expect(isOneOfFew(report({ callId: 'c' }))).toBe(true);
    expect(isOneOfFew(report({ responseId: null }))).toBe(true);
    expect(isOneOfFew(report({ tenantId: 'unattributed' }))).toBe(true);
  });

  it.each<[string, Partial<CallReport>]>([
    ['another answer', { responseId: 'other' }],
    ['no answer', { responseId: null }],
    ['another tenant', { tenantId: 'birch' }],
    ['another member', { memberId: 'm' }],
    ['a cache that answered', { gatewayCache: 'exact' }],
  ])('is not held apart from another one by the key of the ledger with %s', (_what, change) => {
    expect(shareResponse(report(), report({ eventId: 'e2' }))).toBe(true);
    expect(shareResponse(report(), report(change))).toBe(false);
    expect(shareResponse(report(change), report())).toBe(false);
  });

  it('without an answer shares none with another that has none', () => {
    const none = report({ responseId: null });
    expect(shareResponse(none, none)).toBe(false);
  });
});

describe('a span is the sum of calls within it', () => {
  const calls = [counting(100, 10), counting(200, 5)];

  it('where it counts exactly what several of them count, input and output', () => {
    expect(isSumOf(counting(300, 15), calls)).toBe(true);
    expect(isSumOf(counting(300, 16), calls)).toBe(false);
    expect(isSumOf(counting(301, 15), calls)).toBe(false);
  });

  it('of which those that counted nothing are none', () => {
    expect(isSumOf(counting(300, 15), [...calls, counting(0, 0)])).toBe(true);
    expect(isSumOf(counting(100, 10), [counting(100, 10), counting(0, 0)])).toBe(false);
  });

  it('and not of one, nor where it failed', () => {
    expect(isSumOf(counting(100, 10), [counting(100, 10)])).toBe(false);
    expect(isSumOf(counting(300, 15, { status: 'error' }), calls)).toBe(false);
  });

  it('and not where neither counts any output, as spans of embeddings do not', () => {
    expect(isSumOf(counting(300, 0), [counting(100, 0), counting(200, 0)])).toBe(false);
  });

  it('and never of calls of which one is missing or counts more', () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.array(counts, { minLength: 2, maxLength: 5 }), (each) => {
        const inner = each.map(([input, output]) => counting(input, output));
        const total = (side: 0 | 1) => each.reduce((sum, count) => sum + count[side], 0);
        const outer = counting(total(0), total(1));
        expect(isSumOf(outer, inner)).toBe(true);
        expect(isSumOf(outer, inner.slice(1))).toBe(false);
        expect(isSumOf(outer, [...inner, counting(0, 1)])).toBe(false);
      }),
      cases(100),
    );
  });
});

describe('a span that names no operation is around a call', () => {
  const nothing = { usage: NOTHING };

  it('that answered, whatever either counted', () => {
    expect(isAroundCall(counting(5, 5), counting(1, 1))).toBe(true);
    expect(isAroundCall(report(), report({ status: 'error' }))).toBe(false);
  });

  it('and that counted something, wherever the span did', () => {
    expect(isAroundCall(report(), report(nothing))).toBe(false);
    expect(isAroundCall(report(nothing), report(nothing))).toBe(true);
    expect(isAroundCall(report(nothing), report())).toBe(true);
  });

  it('of its own tenant, or of anybody’s where it is nobody’s', () => {
    const [nobodys, birchs] = [report({ tenantId: 'unattributed' }), report({ tenantId: 'birch' })];
    expect(isAroundCall(report(), birchs)).toBe(false);
    expect(isAroundCall(report(), nobodys)).toBe(false);
    expect(isAroundCall(nobodys, birchs)).toBe(true);
  });
});

describe('events whose reports are made', () => {
  const may = (...changes: readonly Readonly<Record<string, unknown>>[]) =>
    mayRepeatCalls(changes.map((change) => ({ event: read(change) })));

  it('have one that another report may repeat, or two that name one answer', () => {
    expect(may({ response_id: 'a' }, { response_id: 'b' })).toBe(false);
    expect(may({ response_id: 'a' }, { response_id: 'a' })).toBe(true);
    expect(may({ response_id: null, span_id: SPAN })).toBe(true);
    expect(may({ gateway_cache: 'exact' })).toBe(true);
    expect(may({ call_id: 'c' })).toBe(true);
    expect(may({ tenant_id: null })).toBe(true);
    expect(may({ members: [{ member_id: 'm', tenant_id: 'unattributed' }] })).toBe(true);
  });

  it('are none that have failed, are no calls or have no mark', () => {
    expect(may({ status: 'error', response_id: null, span_id: SPAN })).toBe(false);
    expect(may({ operation: 'invoke_agent', response_id: null, span_id: SPAN })).toBe(false);
    expect(may({ response_id: null })).toBe(false);
    expect(may({ response_id: 'a' }, { response_id: 'a', status: 'error' })).toBe(false);
  });

  it('are all that any comparison of them would tell from new ones', () => {
    const few = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
    const anyChange = fc.record({
      status: few('ok', 'ok', 'ok', 'error'),
      operation: few('chat', 'chat', 'invoke_agent'),
      response_id: few('a', 'b', 'c', 'd', null),
      gateway_cache: few('none', 'none', 'none', 'exact'),
      call_id: few(null, null, null, 'c'),
      tenant_id: few('acme', 'globex', 'acme', null),
      trace_id: few(null, TRACE),
      span_id: few(null, SPAN, PARENT),
      parent_span_id: few(null, SPAN, PARENT),
      members: few(null, null, [
        { member_id: 'm', tenant_id: 'acme' },
        { member_id: 'n', tenant_id: 'globex', status: 'error' },
      ]),
    });
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 3 }), (changes) => {
        const events = changes.map(read);
        if (mayRepeatCalls(events.map((event) => ({ event })))) return;
        const reports = events.map((event) => reportsOf(event, DIGEST));
        const known = new KnownReports(reports.flat());
        for (const ofEvent of reports) {
          for (const one of ofEvent) {
            expect(isOneOfFew(one)).toBe(false);
            expect(known.judge(one)).toEqual({ kind: 'new' });
            expect(known.sharesResponse(one)).toBe(false);
          }
          for (const one of ofEvent) known.add(one);
        }
      }),
      cases(500),
    );
  });
});
