import { at, firstGiven } from './foreign-value.ts';

export type CallStatus = 'ok' | 'error' | 'cancelled';

/**
 * Returns how a call ended, as its answer says. An answer may tell of a call that failed, or that somebody stopped,
 * although its request was served; one that is not whole was given all the same.
 */
export function statusOfAnswer(answer: unknown): CallStatus {
  const status = at(answer, 'status');
  if (status === 'cancelled') return 'cancelled';
  return status === 'failed' || firstGiven(at(answer, 'error')) !== undefined ? 'error' : 'ok';
}
