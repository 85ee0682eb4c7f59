import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/ledger/posting/attempts.ts';
import {
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
  ])('%s', (_what, one, is) => {
    expect(isLaterAttempt(one)).toBe(is);
  });
});

it.each<[string, Partial<Attempt>, boolean]>([
  ['an error', {}, true],
  ['a cancellation', { status: 'cancelled' }, true],
  ['a success', { status: 'ok' }, false],
  ['an error without a trace', { traceId: null }, false],
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
