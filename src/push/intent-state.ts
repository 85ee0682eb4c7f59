import { CLOCKS_AGREE_WITHIN_MS, type InstantMs } from '../clock.ts';

/**
 * The states of an intent and their changes (R18); test/push/intent-state.test.ts plays every row. The
 * window is the time in which the destination surely remembers an identifier (`Memory`).
 *
 * | event   | state     | what happens                                     | becomes   | next                                  |
 * |---------|-----------|--------------------------------------------------|-----------|---------------------------------------|
 * | address | pending   | its tenant has another address, nothing was sent | pending   | a look, and the body as it is now     |
 * | attempt | pending   | the first request is about to go out             | sent      | the body as stored                    |
 * | attempt | sent      | another is, within the window of the first       | sent      | the same body                         |
 * | answer  | sent      | delivered, or known there already                | confirmed | nothing                               |
 * | answer  | sent      | none, or one that decides nothing                | sent      | the same body, or at its end: compare |
 * | answer  | sent      | one that would be everybody's, a replayed one    | sent      | nothing more in this run              |
 * | answer  | sent      | it is too early by the destination's clock       | sent      | nothing more in this run              |
 * | answer  | sent      | refused for good                                 | parked    | a person decides                      |
 * | count   | pending   | it is there before its first request             | confirmed | nothing: it was told before a restore |
 * | count   | sent      | it is there                                      | confirmed | nothing: presence is proof at once    |
 * | count   | sent      | after the window it is absent                    | ambiguous | compare: absence proves nothing yet   |
 * | count   | sent      | after the window neither                         | parked    | a person decides                      |
 * | count   | sent      | after the window it lags behind what is confirmed | sent      | compare                               |
 * | count   | ambiguous | it is there                                      | confirmed | nothing                               |
 * | count   | ambiguous | absent for too short a time                      | ambiguous | compare                               |
 * | count   | ambiguous | absent for long enough                           | missing   | its value under the next sequence     |
 * | count   | ambiguous | neither                                          | parked    | a person decides                      |
 * | count   | ambiguous | it lags behind what was confirmed                | ambiguous | compare                               |
 * | report  | pending   | the destination reports it as not counted        | parked    | a person decides                      |
 * | report  | sent      | the same                                         | parked    | a person decides                      |
 * | report  | ambiguous | the same                                         | parked    | a person decides                      |
 * | report  | confirmed | the same, and no count has shown it              | parked    | a person decides                      |
 * | person  | pending   | it is billed elsewhere, and nothing was sent     | missing   | nothing: what was billed is settled   |
 * | person  | confirmed | no count holds it any more, absent for a day     | missing   | its value under the next sequence     |
 * | person  | parked    | the cause is mended, it is there                 | confirmed | nothing                               |
 * | person  | parked    | the cause is mended, absent for a day            | missing   | its value under the next sequence     |
 *
 * "There" is a count of exactly what is confirmed and this; "absent", of exactly what is confirmed.
 * In a state that has no row for it, an event changes nothing. `sent` is durable before the request goes out,
 * so a crash in between leaves `sent`, never `pending`. `missing` is the only way to a second identifier, and
 * is final. An intent that is confirmed is proven once the count holds it; an answer only means
 * that it was received.
 */
export type PushState = 'pending' | 'sent' | 'confirmed' | 'ambiguous' | 'parked' | 'missing';

/** What changes an intent: a new `address`, `attempt` and `answer` of a request, `count` and `report` of the destination. */
export type PushEvent = 'address' | 'attempt' | 'answer' | 'count' | 'report' | 'person';

/** The states that each event may change. The store changes no other, whoever came first. */
export const CHANGED_BY: Readonly<Record<PushEvent, readonly PushState[]>> = {
  address: ['pending'],
  attempt: ['pending', 'sent'],
  answer: ['sent'],
  count: ['pending', 'sent', 'ambiguous'],
  report: ['pending', 'sent', 'ambiguous', 'confirmed'],
  person: ['pending', 'confirmed', 'parked'],
};

/**
 * The memory of a destination: how long it knows what it was told, and how long its count may lag.
 */
export interface Memory {
  /**
   * The same body may be sent again for so long from the first attempt on, and never afterwards.
   */
  readonly resendWithinMs: number;
  /** Counts are eventually consistent: an absence proves that nothing came only after so long. */
  readonly absenceProvesAfterMs: number;
  /** A count that lacks what was told more recently than this only lags. */
  readonly countsWithinMs: number;
}

/** Returns what to do with an intent before any request. */
export function nextStep(
  intent: { readonly state: PushState; readonly firstAttemptAt: InstantMs | null },
  now: InstantMs,
  { resendWithinMs }: Pick<Memory, 'resendWithinMs'>,
): 'send' | 'compare' | 'none' {
  switch (intent.state) {
    case 'pending':
      return 'send';
    case 'sent':
      return intent.firstAttemptAt === null || isWithin(intent.firstAttemptAt, now, resendWithinMs)
        ? 'send'
        : 'compare';
    case 'ambiguous':
      return 'compare';
    case 'confirmed':
    case 'parked':
    case 'missing':
      return 'none';
  }
}

/**
 * Tells whether a first attempt was so short a time ago. One that is in the future was made by a
 * clock that ran ahead and was set back since: how long ago it was nobody knows, so that nothing is
 * sent again.
 */
function isWithin(firstAttemptAt: InstantMs, now: InstantMs, resendWithinMs: number): boolean {
  return now - firstAttemptAt < resendWithinMs && firstAttemptAt - now <= CLOCKS_AGREE_WITHIN_MS;
}

/**
 * Returns the state after an answer; a failure that is everybody's says nothing about this intent.
 */
export function stateAfter(
  kind: 'delivered' | 'unknown' | 'systemic' | 'replayed' | 'early' | 'refused',
): PushState {
  switch (kind) {
    case 'delivered':
      return 'confirmed';
    case 'unknown':
    case 'systemic':
    case 'replayed':
    case 'early':
      return 'sent';
    case 'refused':
      return 'parked';
  }
}

/**
 * Decides an intent that may not be sent again, by the destination's own count for the period: `confirmed` is
 * what we know to be delivered, `value` what this intent would add. Presence proves delivery at once. Absence
 * proves nothing until it has lasted; `absentForMs` is 0 when it is seen for the first time. Less
 * than what was confirmed is a count that lags, as long as it never showed all of that, and decides
 * nothing: null.
 */
export function decideByCount(
  figures: {
    readonly counted: bigint;
    readonly confirmed: bigint;
    readonly value: bigint;
    readonly absentForMs: number;
    /** Whether a count was seen to hold all that is confirmed. */
    readonly isConfirmedProven: boolean;
  },
  { absenceProvesAfterMs }: Pick<Memory, 'absenceProvesAfterMs'>,
): PushState | null {
  const { counted, confirmed, value, absentForMs, isConfirmedProven } = figures;
  if (counted === confirmed + value) return 'confirmed';
  if (counted < confirmed && !isConfirmedProven) return null;
  if (counted !== confirmed) return 'parked';
  return absentForMs >= absenceProvesAfterMs ? 'missing' : 'ambiguous';
}

/** Nothing more is to be done about it: it is told, or proven not to be. */
export function isSettled(state: PushState): boolean {
  return state === 'confirmed' || state === 'missing';
}
