import type { InstantMs } from '../clock.ts';
import type { PushAnswer } from './stripe-client.ts';

/**
 * The states of an intent and their changes (R18).
 *
 * | state     | event                                     | becomes   | next request                       |
 * |-----------|-------------------------------------------|-----------|------------------------------------|
 * | pending   | first request is about to go out          | sent      | the body as stored                 |
 * | sent      | delivered (200, or 400 "already exists")  | confirmed | none                               |
 * | sent      | summary = confirmed + this                | confirmed | none: presence is proof at once    |
 * | sent      | no answer, 409, 429, 5xx                  | sent      | unchanged, within 23 h of the first|
 * | sent      | 401, 403, no active meter                 | sent      | none for anybody in this run       |
 * | sent      | 23 h since the first request              | ambiguous | none: Stripe's summary decides     |
 * | sent      | refused for good (400)                    | parked    | none: a person decides             |
 * | ambiguous | summary = confirmed + this                | confirmed | none                               |
 * | ambiguous | summary = confirmed, absent less than 24 h| ambiguous | none                               |
 * | ambiguous | summary = confirmed, absent 24 h or more  | missing   | its value under the next sequence  |
 * | ambiguous | any other answer of the summary           | parked    | none: a person decides             |
 * | confirmed | Stripe's error report names it            | parked    | none: a person decides             |
 * | parked    | a person, and the summary lacks it        | missing   | its value under the next sequence  |
 *
 * `sent` is durable before the request goes out, so a crash in between leaves `sent`, never `pending`.
 * `missing` is the only way to a second identifier, and is final. An intent that is confirmed is
 * proven once the summary holds it; Stripe's 200 only means that the event was received.
 */
export type PushState = 'pending' | 'sent' | 'confirmed' | 'ambiguous' | 'parked' | 'missing';

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
 * Decides an ambiguous intent by Stripe's own figure for the period: `confirmed` is what we know to
 * be there, `value` what this intent would add. Presence proves delivery at once. Absence proves
 * nothing until it has lasted a day; `absentForMs` is 0 when it is seen for the first time.
 */
export function decideAmbiguous(figures: {
  readonly summary: bigint;
  readonly confirmed: bigint;
  readonly value: bigint;
  readonly absentForMs?: number;
}): PushState {
  const { summary, confirmed, value, absentForMs = 0 } = figures;
  if (summary === confirmed + value) return 'confirmed';
  if (summary !== confirmed) return 'parked';
  return absentForMs >= ABSENT_FOR_MS ? 'missing' : 'ambiguous';
}

/** Nothing more is to be done about it: it is told, or proven not to be. */
export function isSettled(state: PushState): boolean {
  return state === 'confirmed' || state === 'missing';
}
