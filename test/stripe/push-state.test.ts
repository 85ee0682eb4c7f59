import { describe, expect, it } from 'vitest';
import {
  decideAmbiguous,
  nextStep,
  RESEND_WITHIN_MS,
  stateAfter,
} from '../../src/stripe/push-state.ts';

const FIRST = Date.parse('2026-11-01T00:00:00Z');
const HOUR = 60 * 60 * 1000;

describe('what is done with an intent', () => {
  it.each([
    { state: 'pending', hours: 0, step: 'send' },
    { state: 'pending', hours: 100, step: 'send' },
    { state: 'sent', hours: 0, step: 'send' },
    { state: 'sent', hours: 22.999, step: 'send' },
    { state: 'sent', hours: 23, step: 'compare' },
    { state: 'sent', hours: 1000, step: 'compare' },
    { state: 'ambiguous', hours: 1, step: 'compare' },
    { state: 'ambiguous', hours: 1000, step: 'compare' },
    { state: 'confirmed', hours: 1, step: 'none' },
    { state: 'parked', hours: 1, step: 'none' },
  ] as const)('$state, $hours h after its first request: $step', ({ state, hours, step }) => {
    const firstAttemptAt = state === 'pending' ? null : FIRST;
    expect(nextStep({ state, firstAttemptAt }, FIRST + hours * HOUR)).toBe(step);
  });

  it('stops resending an hour before Stripe forgets the identifier', () => {
    expect(RESEND_WITHIN_MS).toBe(23 * HOUR);
  });
});

describe('the state after an answer', () => {
  it.each([
    [{ kind: 'delivered', how: 'accepted (200)' }, 'confirmed'],
    [{ kind: 'unknown', detail: 'reset', retryAfterMs: null }, 'sent'],
    // What fails for every tenant says nothing about this one.
    [{ kind: 'systemic', detail: '401' }, 'sent'],
    [{ kind: 'refused', detail: '400' }, 'parked'],
  ] as const)('%j is %s', (answer, state) => {
    expect(stateAfter(answer)).toBe(state);
  });
});

describe("what Stripe's summary makes of an ambiguous intent of 100 beside 40 confirmed", () => {
  it.each([
    // Presence proves delivery at once.
    { summary: 140n, state: 'confirmed' },
    // Absence proves nothing yet, since summaries lag.
    { summary: 40n, state: 'ambiguous' },
    // Anything else is for a person.
    { summary: 0n, state: 'parked' },
    { summary: 100n, state: 'parked' },
    { summary: 139n, state: 'parked' },
    { summary: 141n, state: 'parked' },
    { summary: 240n, state: 'parked' },
  ])('$summary: $state', ({ summary, state }) => {
    expect(decideAmbiguous({ summary, confirmed: 40n, value: 100n })).toBe(state);
  });
});
