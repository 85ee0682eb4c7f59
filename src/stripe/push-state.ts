import type { InstantMs } from '../clock.ts';
import type { PushAnswer } from './stripe-client.ts';

/**
 * The states of an intent and their changes (R18); test/stripe/push-state.test.ts plays every row.
 *
 * | event   | state     | what happens                              | becomes   | next                                |
 * |---------|-----------|-------------------------------------------|-----------|-------------------------------------|
 * | attempt | pending   | the first request is about to go out      | sent      | the body as stored                  |
 * | attempt | sent      | another is, within 23 h of the first      | sent      | the same body                       |
 * | answer  | sent      | delivered (200, or 400 "already exists")  | confirmed | nothing                             |
 * | answer  | sent      | none, or 409, 429, 5xx                    | sent      | the same body, or at 23 h: compare  |
 * | answer  | sent      | 401, 403, no active meter                 | sent      | nothing for anybody in this run     |
 * | answer  | sent      | refused for good (another 400)            | parked    | a person decides                    |
 * | summary | sent      | it is there                               | confirmed | nothing: presence is proof at once  |
 * | summary | sent      | at 23 h it is absent                      | ambiguous | compare: absence proves nothing yet |
 * | summary | sent      | at 23 h neither                           | parked    | a person decides                    |
 * | summary | sent      | at 23 h it lags behind what was confirmed | sent      | compare                             |
 * | summary | ambiguous | it is there                               | confirmed | nothing                             |
 * | summary | ambiguous | absent for less than 24 h                 | ambiguous | compare                             |
 * | summary | ambiguous | absent for 24 h                           | missing   | its value under the next sequence   |
 * | summary | ambiguous | neither                                   | parked    | a person decides                    |
 * | summary | ambiguous | it lags behind what was confirmed         | ambiguous | compare                             |
 * | report  | pending   | Stripe's error report names it            | parked    | a person decides                    |
 * | report  | sent      | the same                                  | parked    | a person decides                    |
 * | report  | ambiguous | the same                                  | parked    | a person decides                    |
 * | report  | confirmed | the same, and no summary has shown it     | parked    | a person decides                    |
 * | person  | parked    | the cause is mended, it is there          | confirmed | nothing                             |
 * | person  | parked    | the cause is mended, absent for 24 h      | missing   | its value under the next sequence   |
 *
 * "There" is a summary of exactly what is confirmed and this; "absent", of exactly what is confirmed.
 * In a state that has no row for it, an event changes nothing. `sent` is durable before the request goes out,
 * so a crash in between leaves `sent`, never `pending`. `missing` is the only way to a second identifier, and
 * is final. An intent that is confirmed is proven once the summary holds it; Stripe's 200 only means
 * that the event was received.
 */
export type PushState = 'pending' | 'sent' | 'confirmed' | 'ambiguous' | 'parked' | 'missing';

/** What changes an intent's state; `attempt` and `answer` of a request, `summary` and `report` of Stripe. */
export type PushEvent = 'attempt' | 'answer' | 'summary' | 'report' | 'person';

/** The states that each event may change. The store changes no other, whoever came first. */
export const CHANGED_BY: Readonly<Record<PushEvent, readonly PushState[]>> = {
  attempt: ['pending', 'sent'],
  answer: ['sent'],
  summary: ['sent', 'ambiguous'],
  report: ['pending', 'sent', 'ambiguous', 'confirmed'],
  person: ['parked'],
};

/**
 * Stripe remembers an identifier for at least 24 hours, and afterwards counts it again. An hour is
 * left for the clocks and for a request that hangs.
 */
export const RESEND_WITHIN_MS = 23 * 60 * 60 * 1000;

/** Summaries are eventually consistent: only an absence that lasts a day proves that nothing came. */
const ABSENT_FOR_MS = 24 * 60 * 60 * 1000;

/** Stripe takes no event older than 35 days; an hour is left for the clocks and for retries. */
export const OLDEST_EVENT_MS = 35 * 24 * 60 * 60 * 1000 - 60 * 60 * 1000;

/** Stripe counts in doubles, and refuses a value of more significant digits. */
export const LARGEST_VALUE_MICRO = 999_999_999_999_999n;

/** What to do with an intent before any request. */
export function nextStep(
  intent: { readonly state: PushState; readonly firstAttemptAt: InstantMs | null },
  now: InstantMs,
): 'send' | 'compare' | 'none' {
  switch (intent.state) {
    case 'pending':
      return 'send';
    case 'sent':
      return intent.firstAttemptAt !== null && now - intent.firstAttemptAt >= RESEND_WITHIN_MS
        ? 'compare'
        : 'send';
    case 'ambiguous':
      return 'compare';
    case 'confirmed':
    case 'parked':
    case 'missing':
      return 'none';
  }
}

/** The state after an answer; a systemic failure says nothing about this intent. */
export function stateAfter(answer: PushAnswer): PushState {
  switch (answer.kind) {
    case 'delivered':
      return 'confirmed';
    case 'unknown':
    case 'systemic':
      return 'sent';
    case 'refused':
      return 'parked';
  }
}

/**
 * Decides an intent that may not be sent again, by Stripe's own figure for the period: `confirmed` is what we
 * know to be delivered, `value` what this intent would add. Presence proves delivery at once. Absence
 * proves nothing until it has lasted a day; `absentForMs` is 0 when it is seen for the first time. Less
 * than what was confirmed is a summary that lags, as long as it never showed all of that, and decides
 * nothing: null.
 */
export function decideBySummary(figures: {
  readonly summary: bigint;
  readonly confirmed: bigint;
  readonly value: bigint;
  readonly absentForMs: number;
  /** Whether a summary was seen to hold all that is confirmed. */
  readonly isConfirmedProven: boolean;
}): PushState | null {
  const { summary, confirmed, value, absentForMs, isConfirmedProven } = figures;
  if (summary === confirmed + value) return 'confirmed';
  if (summary < confirmed && !isConfirmedProven) return null;
  if (summary !== confirmed) return 'parked';
  return absentForMs >= ABSENT_FOR_MS ? 'missing' : 'ambiguous';
}

/** Nothing more is to be done about it: it is told, or proven not to be. */
export function isSettled(state: PushState): boolean {
  return state === 'confirmed' || state === 'missing';
}
