import { z } from 'zod';
import { amountField, dayField, entryIdField, hashField, instantField, listOf } from '../fields.ts';

const of = {
  tenant_id: z.string(),
  /** The month in which the period begins, YYYY-MM, or that day. */
  period: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])(-\d\d)?$/, 'write it as YYYY-MM'),
};

export const linesRequest = z.strictObject(of);
export type LinesRequest = z.output<typeof linesRequest>;

export const lineRequest = z.strictObject({
  ...of,
  /** The number by which the list of the lines has it. */
  line: z.int().positive(),
  /** Entries listed at the most; all are summed. */
  limit: z.int().positive(),
});
export type LineRequest = z.output<typeof lineRequest>;

const statementLine = z.strictObject({
  number: z.int(),
  model: z.string(),
  service_tier: z.string(),
  meter: z.string(),
  /** Usage of an earlier, closed period (R12). */
  late: z.boolean(),
  quantity: z.string(),
  rate: z.string(),
  exact: amountField,
  amount: amountField,
});
export type StatementLine = z.infer<typeof statementLine>;

/** The lines of a closed period, each with the number by which it is asked for. */
export const linesAnswer = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  lines: listOf(statementLine),
});
export type LinesAnswer = z.infer<typeof linesAnswer>;

const lineEntry = z.strictObject({
  entry_id: entryIdField,
  source: z.string(),
  event_id: z.string(),
  member_id: z.string().nullable(),
  occurred_at: instantField,
  kind: z.string(),
  quantity: z.string(),
  exact: amountField,
  price_book: z.string().nullable(),
  price_version: instantField.nullable(),
});
export type LineEntry = z.infer<typeof lineEntry>;

/** A statement's line with the entries behind it. */
export const lineAnswer = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  manifest_hash: hashField,
  currency: z.string(),
  line: statementLine,
  /** The rule by which the line is what it is. */
  rule: z.string(),
  /** The number of entries in the line, whose parts sum to the line's exact amount. */
  entries: z.int(),
  exact_sum: amountField,
  /** The first of them, as many as were asked for. */
  listed: listOf(lineEntry),
});
export type LineAnswer = z.infer<typeof lineAnswer>;
