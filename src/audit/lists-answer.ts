import { z } from 'zod';
import { dayGiven, instantGiven, listOf, monthField } from '../fields.ts';
import { batchesBehindField } from '../ledger/rollups/batches-behind.ts';
import { nextCursorField, pageFields } from '../page.ts';
import { OUTCOMES } from '../rating/rate-event.ts';
import { storyEntry, storyPeriod, storyPush } from './story-answer.ts';

export const entriesRequest = z.strictObject({
  /** Each of these is null for any. */
  tenant_id: z.string().nullable(),
  source: z.string().nullable(),
  event_id: z.string().nullable(),
  user_id: z.string().nullable(),
  feature: z.string().nullable(),
  agent_run_id: z.string().nullable(),
  trace_id: z.string().nullable(),
  outcome: z.enum(OUTCOMES).nullable(),
  /** The month in which the periods begin. */
  month: monthField.nullable(),
  /** UTC days on which the calls completed, half-open. */
  from: dayGiven.nullable(),
  to: dayGiven.nullable(),
  /** What was known at this instant; null for now. */
  as_of: instantGiven.nullable(),
  ...pageFields,
});
export type EntriesRequest = z.output<typeof entriesRequest>;

/** The newest first. */
export const entriesAnswer = z.strictObject({
  entries: listOf(storyEntry),
  next_cursor: nextCursorField,
});
export type EntriesAnswer = z.infer<typeof entriesAnswer>;

export const periodsRequest = z.strictObject({
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** The month in which they begin; null for any. */
  month: monthField.nullable(),
  state: z.enum(['open', 'closed']).nullable(),
  /** What was known at this instant; null for now. */
  as_of: instantGiven.nullable(),
  ...pageFields,
});
export type PeriodsRequest = z.output<typeof periodsRequest>;

/** They stand by tenant, the newest first. */
export const periodsAnswer = z.strictObject({
  periods: listOf(storyPeriod),
  next_cursor: nextCursorField,
  batches_behind: batchesBehindField,
});
export type PeriodsAnswer = z.infer<typeof periodsAnswer>;

export const pushesRequest = z.strictObject({
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** The month in which the periods begin; null for any. */
  month: monthField.nullable(),
  /** The state is as audit.pushes says it; null for any. */
  state: z.enum(['pending', 'sent', 'confirmed', 'ambiguous', 'parked']).nullable(),
  ...pageFields,
});
export type PushesRequest = z.output<typeof pushesRequest>;

/** They stand by tenant, the newest first. */
export const pushesAnswer = z.strictObject({
  pushes: listOf(storyPush),
  next_cursor: nextCursorField,
});
export type PushesAnswer = z.infer<typeof pushesAnswer>;
