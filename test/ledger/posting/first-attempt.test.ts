import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/ledger/posting/attempts.ts';
import {
  chargedOn,
  firstAttemptOf,
  isFailedAttempt,
  isLaterAttempt,
} from '../../../src/ledger/posting/attempts.ts';

function attempt(change: Partial<Attempt> = {}): Attempt {
  return {
    tenantId: 'acme',
    source: 'app',
    traceId: 't1',
    parentSpanId: null,
    attempt: 1,
    callId: null,
    status: 'error',
    occurredAt: 1000,
    startedAt: null,
    eventId: 'e1',
    requestedModel: 'large',
    furtherTags: {},
    ...change,
  };
}

const answer = attempt({ eventId: 'e2', status: 'ok', attempt: 2, occurredAt: 2000 });
/** An attempt that nothing but the gateway's id of its call ties to others. */
const ofCall = (change: Partial<Attempt> = {}) =>
  attempt({ traceId: null, callId: 'c1', ...change });
const weak = (requested_model_source: string) =>
  attempt({ status: 'ok', occurredAt: 2000, furtherTags: { requested_model_source } });

describe('an answer that may have followed a failure', () => {
  it.each<[string, Attempt, boolean]>([
    ['has a later number', answer, true],
    ['is numbered 1 and has a strong name', attempt({ status: 'ok' }), false],
    ['has the name of a model group', weak('model_group'), true],
    ['has the name of a model that a fallback may have put there', weak('model'), true],
    ['has a name from the request itself', weak('request'), false],
    ['has no trace', { ...answer, traceId: null }, false],
    ['failed itself', { ...answer, status: 'error' }, false],
    ['was cancelled', { ...answer, status: 'cancelled' }, false],
    ['has the id of a call and nothing else', ofCall({ status: 'ok' }), true],
    [
      'has the id of a call and a weak name',
      { ...weak('model'), traceId: null, callId: 'c1' },
      true,
    ],
    [
      'has the id of a call and a name from the request itself',
      { ...weak('request'), callId: 'c1' },
      false,
    ],
    [
      'has a later number, though its name is from the request itself',
      { ...weak('request'), callId: 'c1', attempt: 2 },
      true,
    ],
    ['failed itself, within a call', ofCall({ status: 'error' }), false],
  ])('%s', (_what, one, is) => {
    expect(isLaterAttempt(one)).toBe(is);
  });
});

it.each<[string, Partial<Attempt>, boolean]>([
  ['an error', {}, true],
  ['a cancellation', { status: 'cancelled' }, true],
  ['a success', { status: 'ok' }, false],
  ['an error without a trace', { traceId: null }, false],
  ['an error of a call', { traceId: null, callId: 'c1' }, true],
  ['a success of a call', { traceId: null, callId: 'c1', status: 'ok' }, false],
])('%s is a failed attempt or not', (_what, change, is) => {
  expect(isFailedAttempt(attempt(change))).toBe(is);
});

describe('the first attempt of a call', () => {
  it.each<[string, Partial<Attempt>]>([
    ['tenant', { tenantId: 'birch' }],
    ['source', { source: 'gateway' }],
    ['trace', { traceId: 't2' }],
    ['parent', { parentSpanId: 'p' }],
  ])('is of the same %s', (_what, change) => {
    expect(firstAttemptOf(answer, [attempt(change)])).toBeNull();
    expect(firstAttemptOf({ ...answer, ...change }, [attempt(change)])).not.toBeNull();
  });

  it('completed before the answer, or at the same time', () => {
    expect(firstAttemptOf(answer, [attempt({ occurredAt: 2000 })])?.eventId).toBe('e1');
    expect(firstAttemptOf(answer, [attempt({ occurredAt: 2001 })])).toBeNull();
  });

  it('of a hedge ended after the answer, since it was cancelled for it', () => {
    const cancelled = attempt({ status: 'cancelled', occurredAt: 2100 });
    expect(firstAttemptOf(answer, [cancelled])?.eventId).toBe('e1');
    // An error after the answer is of another call, unless it had begun before.
    const error = attempt({ occurredAt: 2100 });
    expect(firstAttemptOf(answer, [{ ...error, startedAt: 1500 }])?.eventId).toBe('e1');
    expect(firstAttemptOf(answer, [{ ...error, startedAt: 2001 }])).toBeNull();
    // So is one that was cancelled, and began only afterwards.
    expect(firstAttemptOf(answer, [{ ...cancelled, startedAt: 2001 }])).toBeNull();
  });

  it('of a hedge is the one that was cancelled for this answer, and not for the one before', () => {
    const failed = [
      attempt({ eventId: 'of before', status: 'cancelled', occurredAt: 1200 }),
      attempt({ eventId: 'of this', status: 'cancelled', occurredAt: 2100 }),
    ];
    expect(firstAttemptOf(answer, failed)?.eventId).toBe('of this');
    expect(firstAttemptOf(answer, [...failed].reverse())?.eventId).toBe('of this');
    const first = { ...answer, occurredAt: 1100 };
    expect(firstAttemptOf(first, failed)?.eventId).toBe('of before');
  });

  it('says which model it asked for', () => {
    expect(firstAttemptOf(answer, [attempt({ requestedModel: 'unknown' })])).toBeNull();
  });

  it('has a lower number than the answer', () => {
    expect(firstAttemptOf(answer, [attempt({ attempt: 2 })])).toBeNull();
    expect(firstAttemptOf(answer, [attempt({ attempt: 3 })])).toBeNull();
    expect(firstAttemptOf({ ...answer, attempt: 3 }, [attempt({ attempt: 2 })])?.eventId).toBe(
      'e1',
    );
  });

  it('is the one numbered 1 nearest before the answer', () => {
    const failed = [
      attempt({ eventId: 'far', occurredAt: 100 }),
      attempt({ eventId: 'near', occurredAt: 900 }),
      attempt({ eventId: 'second', occurredAt: 950, attempt: 2 }),
    ];
    expect(firstAttemptOf({ ...answer, attempt: 3 }, failed)?.eventId).toBe('near');
    expect(firstAttemptOf({ ...answer, attempt: 3 }, failed.reverse())?.eventId).toBe('near');
  });

  it('is the earliest where none is numbered 1, and of two at once the one with the lower number', () => {
    const failed = [
      attempt({ eventId: 'late', occurredAt: 900, attempt: 2 }),
      attempt({ eventId: 'third', occurredAt: 500, attempt: 3 }),
      attempt({ eventId: 'second', occurredAt: 500, attempt: 2 }),
    ];
    for (const order of [failed, [...failed].reverse()]) {
      expect(firstAttemptOf({ ...answer, attempt: 4 }, order)?.eventId).toBe('second');
    }
  });

  it('is the earliest of its trace where the producer numbers none', () => {
    const failed = [
      attempt({ eventId: 'near', occurredAt: 900 }),
      attempt({ eventId: 'far', occurredAt: 100 }),
      attempt({ eventId: 'after', occurredAt: 2001 }),
    ];
    expect(firstAttemptOf(weak('model_group'), failed)?.eventId).toBe('far');
    // A number that a failed attempt has all the same is no matter then.
    expect(firstAttemptOf(weak('model'), [attempt({ attempt: 4 })])?.eventId).toBe('e1');
  });

  it('is nobody for a call that is no later attempt, or after which nothing failed', () => {
    expect(firstAttemptOf(attempt({ status: 'ok', occurredAt: 2000 }), [attempt()])).toBeNull();
    expect(firstAttemptOf(answer, [])).toBeNull();
  });
});

describe('the first attempt of a call with an id', () => {
  const answered = ofCall({ eventId: 'e2', status: 'ok', occurredAt: 2000 });

  it('is joined by it, whatever the traces and parents are', () => {
    const elsewhere = ofCall({ traceId: 't9', parentSpanId: 'p9' });
    expect(firstAttemptOf(answered, [elsewhere])?.eventId).toBe('e1');
    expect(firstAttemptOf({ ...answered, traceId: 't1' }, [ofCall({})])?.eventId).toBe('e1');
  });

  it('is of no other call, of the same trace or without one', () => {
    const traced = { ...answered, traceId: 't1' };
    expect(firstAttemptOf(traced, [attempt({ callId: 'c2' })])).toBeNull();
    expect(firstAttemptOf(answered, [attempt({ traceId: null })])).toBeNull();
    expect(firstAttemptOf(answered, [ofCall({ tenantId: 'birch' })])).toBeNull();
    expect(firstAttemptOf(answered, [ofCall({ source: 'gateway' })])).toBeNull();
  });

  it('is the one of its trace where that has no id of a call', () => {
    expect(firstAttemptOf({ ...answered, traceId: 't1' }, [attempt()])?.eventId).toBe('e1');
    // So is one whose call has an id where the answer has none.
    expect(firstAttemptOf(answer, [attempt({ callId: 'c1' })])?.eventId).toBe('e1');
  });

  it('is the earliest that has it, before any that only lies in the trace', () => {
    const failed = [
      ofCall({ eventId: 'near', occurredAt: 1500 }),
      ofCall({ eventId: 'far', occurredAt: -3_600_000 }),
      attempt({ eventId: 'of the trace', occurredAt: -3_700_000 }),
    ];
    for (const order of [failed, [...failed].reverse()]) {
      expect(firstAttemptOf({ ...answered, traceId: 't1' }, order)?.eventId).toBe('far');
    }
  });

  it('may end after the answer where it began before, or was cancelled', () => {
    const late = ofCall({ occurredAt: 2100 });
    expect(firstAttemptOf(answered, [late])).toBeNull();
    expect(firstAttemptOf(answered, [{ ...late, startedAt: 2000 }])?.eventId).toBe('e1');
    expect(firstAttemptOf(answered, [{ ...late, startedAt: 2001 }])).toBeNull();
    expect(firstAttemptOf(answered, [{ ...late, status: 'cancelled' }])?.eventId).toBe('e1');
  });
});

describe('the first attempt before an answer that nobody numbers', () => {
  const fallback = { ...weak('model_group'), startedAt: 30_000, occurredAt: 60_000 };

  it('ended within ten seconds of its begin', () => {
    expect(firstAttemptOf(fallback, [attempt({ occurredAt: 20_000 })])?.eventId).toBe('e1');
    expect(firstAttemptOf(fallback, [attempt({ occurredAt: 19_999 })])).toBeNull();
    // Where nobody says when the answer began, its end stands for it.
    const instant = { ...fallback, startedAt: null };
    expect(firstAttemptOf(instant, [attempt({ occurredAt: 49_999 })])).toBeNull();
    expect(firstAttemptOf(instant, [attempt({ occurredAt: 50_000 })])?.eventId).toBe('e1');
  });

  it('is the first of those that followed one another without a pause', () => {
    const failed = [
      attempt({ eventId: 'of another call', occurredAt: 1_999 }),
      attempt({ eventId: 'first', startedAt: 5_000, occurredAt: 12_000 }),
      attempt({ eventId: 'beside the first', startedAt: 11_000, occurredAt: 13_000 }),
      attempt({ eventId: 'second', startedAt: 20_000, occurredAt: 29_000 }),
    ];
    for (const order of [failed, [...failed].reverse()]) {
      expect(firstAttemptOf(fallback, order)?.eventId).toBe('of another call');
    }
    const without = failed.map((one) =>
      one.eventId === 'of another call' ? { ...one, occurredAt: -5_001 } : one,
    );
    expect(firstAttemptOf(fallback, without)?.eventId).toBe('first');
  });

  it('did not end after it, though it began before', () => {
    const late = attempt({ startedAt: 25_000, occurredAt: 60_001 });
    expect(firstAttemptOf(fallback, [late])).toBeNull();
    expect(
      firstAttemptOf(fallback, [{ ...late, status: 'cancelled', startedAt: null }]),
    ).toBeNull();
  });
});

it('of two first attempts that are as near to an answer the earlier one counts', () => {
  const failed = [
    attempt({ eventId: 'before', occurredAt: 1900 }),
    attempt({ eventId: 'after', status: 'cancelled', occurredAt: 2100 }),
  ];
  for (const order of [failed, [...failed].reverse()]) {
    expect(firstAttemptOf(answer, order)?.eventId).toBe('before');
  }
});

describe('what an answer is charged on', () => {
  const own = { requestedModel: 'small', furtherTags: { team: 'search' } };
  const moved = {
    requestedModel: 'large',
    furtherTags: { team: 'search', own_requested_model: 'small' },
  };

  it('is the model of its first attempt, and its own stays as a tag', () => {
    expect(chargedOn(own, { requestedModel: 'large' })).toEqual(moved);
  });

  it('is its own without a first attempt, or where that requested the same', () => {
    expect(chargedOn(own, null)).toEqual(own);
    expect(chargedOn(own, { requestedModel: 'small' })).toEqual(own);
  });

  it('is its own again once its first attempt is taken back, and another one keeps what it was', () => {
    expect(chargedOn(moved, null)).toEqual(own);
    expect(chargedOn(moved, { requestedModel: 'large' })).toEqual(moved);
    expect(chargedOn(moved, { requestedModel: 'huge' })).toEqual({
      ...moved,
      requestedModel: 'huge',
    });
  });
});
