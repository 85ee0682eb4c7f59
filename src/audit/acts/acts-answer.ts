import { z } from 'zod';
import { countField, dayGiven, idField, instantField, listOf } from '../../fields.ts';
import { nextCursorField, pageFields } from '../../page.ts';

export const actsRequest = z.strictObject({
  /** Each of these is null for any. An act concerns a tenant whose row it changed, or whose entries it posted. */
  tenant_id: z.string().nullable(),
  who: z.string().nullable(),
  act: z.string().nullable(),
  /** UTC days on which it was done, half-open. */
  from: dayGiven.nullable(),
  to: dayGiven.nullable(),
  /** Also what the service does by itself, as it receives events and webhooks. */
  all: z.boolean(),
  ...pageFields,
});
export type ActsRequest = z.output<typeof actsRequest>;

/** One column of a row before and after; null where there was none, or it was empty. */
const changedField = z.strictObject({
  name: z.string(),
  was: z.string().nullable(),
  became: z.string().nullable(),
});

/** A row that an act made, changed or removed. A long text is shown as its digest. */
const changedRow = z.strictObject({
  table: z.string(),
  key: z.record(z.string(), z.string()),
  change: z.enum(['made', 'changed', 'removed']),
  fields: listOf(changedField),
});
export type ChangedRow = z.infer<typeof changedRow>;

const actAnswer = z.strictObject({
  act_id: idField,
  at: instantField,
  /** The act is in the words of the command that does it; the statement itself, where it came past our doors. */
  act: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  /** Rows that were changed, of which the first ones are told. */
  changes: countField,
  rows: listOf(changedRow),
  /** Entries that it posted. */
  entries: countField,
  /** Some of the tenants that it concerns. */
  tenant_ids: listOf(z.string()),
});
export type ActAnswer = z.infer<typeof actAnswer>;

/** The newest first. */
export const actsAnswer = z.strictObject({
  acts: listOf(actAnswer),
  next_cursor: nextCursorField,
});
export type ActsAnswer = z.infer<typeof actsAnswer>;
