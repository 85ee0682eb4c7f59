import { z } from 'zod';
import { amountField, idField, instantField, lineGiven, listOf } from '../../fields.ts';

const MOST_CHARACTERS = 500;

/** Why somebody asks or answers, in a line that is kept. */
const reasonGiven = lineGiven(MOST_CHARACTERS).min(1, 'say why');

export const askRaiseRequest = z.strictObject({
  tenant_id: z.string(),
  /** The budget that denied the call, as its answer names it. */
  budget_id: idField,
  /** What the limit should be, in the currency of the budget or in tokens. */
  limit: amountField,
  reason: reasonGiven,
  actor: z.string(),
});
export type AskRaiseRequest = z.output<typeof askRaiseRequest>;

export const raisesRequest = z.strictObject({
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** With this, requests that were answered are listed, too. */
  all: z.boolean(),
});
export type RaisesRequest = z.output<typeof raisesRequest>;

export const approveRaiseRequest = z.strictObject({
  request_id: idField,
  /** What the limit is from now on; null is what was asked for. */
  limit: amountField.nullable(),
  reason: reasonGiven,
  actor: z.string(),
});
export type ApproveRaiseRequest = z.output<typeof approveRaiseRequest>;

export const refuseRaiseRequest = approveRaiseRequest.omit({ limit: true });
export type RefuseRaiseRequest = z.output<typeof refuseRaiseRequest>;

/** A request to raise the limit of a budget, and what an operator answered. */
export const raiseAnswer = z.strictObject({
  request_id: idField,
  tenant_id: z.string(),
  budget_id: idField,
  measure: z.enum(['money', 'tokens']),
  /** It is null for tokens. */
  currency: z.string().nullable(),
  state: z.enum(['open', 'approved', 'refused']),
  limit_then: amountField,
  limit_asked: amountField,
  /** It is null where the request is open or was refused. */
  limit_granted: amountField.nullable(),
  asked_at: instantField,
  asked_by: z.string(),
  asked_because: z.string(),
  answered_at: instantField.nullable(),
  answered_by: z.string().nullable(),
  answered_because: z.string().nullable(),
});
export type RaiseAnswer = z.infer<typeof raiseAnswer>;

/** Requests that wait stand first, the oldest before the others. */
export const raisesAnswer = listOf(raiseAnswer);
export type RaisesAnswer = z.infer<typeof raisesAnswer>;
