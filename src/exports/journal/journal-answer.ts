import { z } from 'zod';
import { amountField, dayField, hashField, listOf } from '../../fields.ts';
import { exportFields, skippedField } from '../export-answer.ts';
import { JOURNAL_SIDES } from './journal-accounts.ts';

/** A pattern in which {tenant}, {model} and {currency} stand for those of a posting. */
const accountField = z.string().min(1).max(300).nullable();

export const journalRequest = z.strictObject({
  ...exportFields,
  /** The account of each kind of posting; null takes its usual one. */
  receivable: accountField,
  income: accountField,
  shared: accountField,
  adjustments: accountField,
  carried: accountField,
});
export type JournalRequest = z.output<typeof journalRequest>;

const posting = z.strictObject({
  kind: z.enum(JOURNAL_SIDES),
  account: z.string(),
  /** One of the two is zero, and none is negative. */
  debit: amountField,
  credit: amountField,
});
export type JournalPosting = z.infer<typeof posting>;

/** The double entry of one closed period; its debits and its credits come to the same amount. */
const closeEntry = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  /** The last day of the period, in the tenant's time zone. */
  date: dayField,
  currency: z.string(),
  /** The total of the statement. */
  total: amountField,
  manifest_hash: hashField,
  postings: listOf(posting),
});
export type JournalClose = z.infer<typeof closeEntry>;

export const journalAnswer = z.strictObject({
  closes: listOf(closeEntry),
  skipped: skippedField,
});
export type JournalAnswer = z.infer<typeof journalAnswer>;
