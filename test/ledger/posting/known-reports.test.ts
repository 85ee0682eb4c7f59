import { describe, expect, it } from 'vitest';
import { KnownReports } from '../../../src/ledger/posting/known-reports.ts';
import type { CallReport } from '../../../src/ledger/posting/same-call.ts';
import { COUNTS, callReport, NOTHING } from '../../support/call-report.ts';

const answer = (change: Partial<CallReport> = {}) => callReport({ responseId: 'r', ...change });
const inner = callReport({ eventId: 'in', traceId: 't', spanId: 'in', parentSpanId: 'out' });
const outer = callReport({ eventId: 'out', traceId: 't', spanId: 'out', startedAt: 997_000 });

/** What a report is beside these, which came before it in this order. */
function judge(report: CallReport, ...before: readonly CallReport[]) {
  const known = new KnownReports([...before, report]);
  for (const each of before) known.add(each);
  return known.judge(report);
}

describe('a report beside those that are known', () => {
  it('is new where nothing is known, or nothing of its call', () => {
    expect(judge(answer())).toEqual({ kind: 'new' });
    expect(judge(answer(), answer({ responseId: 'other' }))).toEqual({ kind: 'new' });
    expect(judge(callReport(), callReport())).toEqual({ kind: 'new' });
  });

  it('is a second one of the same answer, of the same call, or of spans around or within', () => {
    const first = answer();
    expect(judge(answer({ eventId: 'e2' }), first)).toEqual({
      ...{ kind: 'second', repeats: first, tie: 'response' },
    });
    const call = callReport({ callId: 'c' });
    expect(judge(callReport({ callId: 'c', eventId: 'e2' }), call)).toEqual({
      ...{ kind: 'second', repeats: call, tie: 'call' },
    });
    expect(judge(outer, inner)).toEqual({ kind: 'second', repeats: inner, tie: 'nested' });
  });

  it('is found by its call also where all reports name answers', () => {
    const [one, other] = [answer({ callId: 'c' }), answer({ callId: 'c', responseId: 'r2' })];
    expect(judge(other, one)).toEqual({ kind: 'second', repeats: one, tie: 'call' });
  });

  it('is new where it is to be kept in the place of the one that is known', () => {
    expect(judge(inner, outer)).toEqual({ kind: 'new' });
    expect(judge(answer(), answer({ tenantId: 'unattributed' }))).toEqual({ kind: 'new' });
    expect(judge(answer(), answer({ usage: NOTHING }))).toEqual({ kind: 'new' });
  });

  it('is new where it counts the call more exactly, and a second one of one that does as well', () => {
    const finer = { ...outer, usage: { ...COUNTS, uncachedInput: 400, cacheRead: 600 } };
    expect(judge(finer, inner)).toEqual({ kind: 'new' });
    expect(judge({ ...finer, eventId: 'e3' }, inner, finer).kind).toBe('new');
    const answered = { ...finer, responseId: 'r' };
    const again = { ...answered, eventId: 'e3' };
    const coarse = { ...inner, responseId: 'r' };
    expect(judge(again, coarse, answered)).toEqual({
      ...{ kind: 'second', repeats: answered, tie: 'response' },
    });
    // Of another trace it is what a gateway says, which is read by another table.
    expect(judge({ ...again, traceId: 'u' }, coarse).kind).toBe('second');
  });

  it('is found by the span around it, where the inner one is left without a measure', () => {
    const silent = { ...inner, usage: NOTHING };
    expect(judge(silent, outer)).toEqual({ kind: 'second', repeats: outer, tie: 'nested' });
  });

  it('is found by its span where any of them names no answer', () => {
    const answered = { ...outer, responseId: 'r' };
    expect(judge(inner, answered)).toEqual({ kind: 'new' });
    expect(judge(answered, inner)).toEqual({ kind: 'second', repeats: inner, tie: 'nested' });
  });

  it('contradicts one that has its answer and other counts', () => {
    const first = answer();
    const other = answer({ usage: { ...first.usage, output: 101 } });
    expect(judge(other, first)).toEqual({ kind: 'conflict', with: first });
  });

  it('is a second one of the one that it repeats, whatever else it contradicts', () => {
    const first = answer();
    const other = answer({ usage: { ...first.usage, output: 101 } });
    const second = { kind: 'second', repeats: first, tie: 'response' };
    expect(judge(answer({ eventId: 'e2' }), other, first)).toEqual(second);
    expect(judge(answer({ eventId: 'e2' }), first, other)).toEqual(second);
  });

  it('is looked for among all that have one mark', () => {
    const early = callReport({ callId: 'c', attempt: 2 });
    const first = callReport({ callId: 'c' });
    expect(judge(callReport({ callId: 'c', eventId: 'e2' }), early, first)).toMatchObject({
      ...{ kind: 'second', repeats: first },
    });
  });
});

describe('a report needs a place beside a known one', () => {
  const shares = (report: CallReport, before: CallReport) => {
    const known = new KnownReports([before, report]);
    known.add(before);
    return known.sharesResponse(report);
  };

  it('where its tenant has that answer already', () => {
    expect(shares(answer({ provider: 'groq' }), answer())).toBe(true);
    expect(shares(answer({ tenantId: 'birch' }), answer())).toBe(false);
    expect(shares(callReport(), callReport())).toBe(false);
  });

  it('and not beside one that failed, which has the answer of none', () => {
    expect(shares(answer(), answer({ status: 'error' }))).toBe(false);
  });
});
