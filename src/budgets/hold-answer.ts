import { z } from 'zod';
import { instantField } from '../fields.ts';
import { callFields, checkAnswer, holdAnswer } from './budget-answer.ts';

const LONGEST_SECONDS = 86_400;

export const reserveRequest = z.strictObject({
  ...callFields,
  /** The caller's own id, under which asking again holds nothing twice, as long as the call's event may name it; null has one made. */
  hold_id: z.string().min(1).max(200).nullable(),
  /** The timeout of the call, after which its hold is unsettled; null is ten minutes. */
  expires_in_seconds: z.int().min(1).max(LONGEST_SECONDS).nullable(),
});
export type ReserveRequest = z.output<typeof reserveRequest>;

export const reserveAnswer = checkAnswer.extend({
  /** What the event of the call is to carry; null where the call is denied, or no budget concerns it. */
  hold_id: z.string().nullable(),
  expires_at: instantField.nullable(),
});
export type ReserveAnswer = z.infer<typeof reserveAnswer>;

export const releaseHoldRequest = z.strictObject({
  hold_id: z.string(),
  /** The tenant whose hold it is, where the caller may speak for some tenants only; null for any. */
  tenant_id: z.string().nullable(),
  actor: z.string(),
});
export type ReleaseHoldRequest = z.output<typeof releaseHoldRequest>;

/** The hold as it stands now: one that its event settled first stays settled. */
export const releaseHoldAnswer = holdAnswer;
export type ReleaseHoldAnswer = z.infer<typeof releaseHoldAnswer>;
