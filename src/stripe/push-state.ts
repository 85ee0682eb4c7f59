import type { InstantMs } from '../clock.ts';
import type { PushAnswer } from './stripe-client.ts';

/**
 * The states of an intent and their changes (R18).
 *
 * | state     | event                                   | becomes   | next request                       |
 * |-----------|-----------------------------------------|-----------|------------------------------------|
 * | pending   | first request is about to go out        | sent      | the body as stored                 |
 * | sent      | delivered (200, or 400 "already exists")| confirmed | none                               |
 * | sent      | no answer, 409, 429, 5xx                | sent      | unchanged, within 23 h of the first|
 * | sent      | 23 h since the first request            | ambiguous | none: Stripe's summary decides     |
 * | sent      | refused for good (400)                  | parked    | none: a person decides             |
 * | ambiguous | summary = confirmed + this              | confirmed | none                               |
 * | ambiguous | summary = confirmed                     | ambiguous | none; after 24 h more, a person    |
 * | any other answer of the summary                     | parked    | none: a person decides             |
 *
 * `sent` is durable before the request goes out, so a crash in between leaves `sent`, never `pending`.
 */
export type PushState = 'pending' | 'sent' | 'confirmed' | 'ambiguous' | 'parked';

/**
 * Stripe remembers an identifier for at least 24 hours, and afterwards counts it again. An hour is
 * left for the clocks and for a request that hangs.
 */
export const RESEND_WITHIN_MS = 23 * 60 * 60 * 1000;

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
 * be there, `value` what this intent would add. Presence proves delivery at once; absence proves
 * nothing yet, since summaries lag.
 */
export function decideAmbiguous(figures: {
  readonly summary: bigint;
  readonly confirmed: bigint;
  readonly value: bigint;
}): PushState {
  if (figures.summary === figures.confirmed + figures.value) return 'confirmed';
  return figures.summary === figures.confirmed ? 'ambiguous' : 'parked';
}
