import { z } from 'zod';
import {
  amountField,
  countField,
  dayField,
  hashField,
  instantField,
  listOf,
  monthField,
} from '../fields.ts';
import { issuerFields } from '../issuer/issuer-answer.ts';
import { METERS } from '../ledger/closes/manifest-lines.ts';

const statementKey = z.strictObject({ tenant_id: z.string(), month: monthField });
export type StatementKey = z.output<typeof statementKey>;

export const statementRequest = statementKey.extend({
  /** The open period so far, instead of a closed one. */
  preview: z.boolean(),
});
export type StatementRequest = z.output<typeof statementRequest>;

export const statementProofRequest = statementKey.extend({
  /** The one line that is meant, counted from 1; null for every line. */
  line: z.int().positive().nullable(),
  /** A page checks itself. */
  form: z.enum(['json', 'html']),
});
export type StatementProofRequest = z.output<typeof statementProofRequest>;

/** Whole numbers; for calls up to six decimals, and for seconds three. */
const quantityField = z.string().regex(/^-?\d+(\.\d{1,6})?$/);

const statementLine = z.strictObject({
  model: z.string(),
  service_tier: z.string(),
  meter: z.enum(METERS),
  /** Usage of an earlier, closed period (R12). */
  late: z.boolean(),
  quantity: quantityField,
  /** The rate is as a price book gives it: per million, a thousand, a second, an image or a call. */
  rate: amountField,
  exact: amountField,
  amount: amountField,
});

const statementLayers = z.strictObject({
  calls: z.int(),
  scaled_calls: z.int(),
  lines: listOf(
    z.strictObject({
      layer: z.enum(['prompt', 'tool', 'memory', 'response', 'other']),
      tokens: quantityField,
      exact: amountField,
    }),
  ),
});

/** What one model came to on one day of the customer's. */
const dailyUsage = z.strictObject({
  /** The day in the period's time zone on which the calls completed. */
  day: dayField,
  model: z.string(),
  /** Usage of an earlier, closed period (R12): its day is before this period. */
  late: z.boolean(),
  charge: amountField,
});
export type DailyUsage = z.infer<typeof dailyUsage>;

/** What corrections of one reason took back from one earlier month, or put right in this period. */
const statementCorrection = z.strictObject({
  /** The month in which the calls were made, in the period's time zone. */
  month: monthField,
  /** Whether their period was closed, so that they are corrected here (R12). */
  late: z.boolean(),
  reason: z.string(),
  /** Calls whose entries were taken back. */
  taken_back: countField,
  /** Calls that another entry stands for now. */
  replaced: countField,
  exact: amountField,
});
export type StatementCorrection = z.infer<typeof statementCorrection>;

/** What a pool of shared spend charges here. */
const statementAllocation = z.strictObject({
  pool: z.string(),
  reason: z.string(),
  exact: amountField,
});
export type StatementAllocation = z.infer<typeof statementAllocation>;

/** Usage under one name; the exact amounts of all names add up to that of the usage lines. */
const usageShare = z.strictObject({
  /** It is null for usage that names none. */
  name: z.string().nullable(),
  /** Calls as they stand after corrections. */
  calls: z.int(),
  exact: amountField,
});
export type UsageShare = z.infer<typeof usageShare>;

/** An invoice of Stripe's that bills this period. */
const statementInvoice = z.strictObject({
  id: z.string(),
  state: z.enum(['draft', 'final', 'void']),
  /** Stripe's page of it; null where it is not known. */
  url: z.string().nullable(),
});
export type StatementInvoice = z.infer<typeof statementInvoice>;

const monthBefore = z.strictObject({
  start: dayField,
  total: amountField,
  lines: listOf(z.strictObject({ model: z.string(), amount: amountField })),
});
export type MonthBefore = z.infer<typeof monthBefore>;

/** What is said of a period that is open still. */
const statementPreview = z.strictObject({
  as_of: instantField,
  /** The begin of an earlier period that is not closed either, so that nothing is carried in from it yet. */
  earlier_open: dayField.nullable(),
  /** The period's total at the pace so far; null on its first day and after its end. */
  projection: z.strictObject({ total: amountField, method: z.string() }).nullable(),
  /** Calls that wait for a price or a measure, and are in no sum yet. */
  waiting: countField,
  /** What was credited beyond the usage in another currency, which this period does not take in. */
  left_owed: listOf(z.strictObject({ amount: amountField, currency: z.string() })),
});

/** A period as a customer may read it: nothing of cost or margin, no other tenant. */
const statementDocument = z.strictObject({
  format: z.literal('spanledger-statement-1'),
  /** By it people name the statement; it follows from tenant and period. Null while the period is open. */
  number: z.string().nullable(),
  /** Who sends it, as that is set now. */
  issuer: z.strictObject({ ...issuerFields, name: z.string() }),
  tenant_id: z.string(),
  /** Whom it is for, as that is set now. */
  customer: z.strictObject({
    name: z.string().nullable(),
    address: z.string().nullable(),
    contact: z.string().nullable(),
  }),
  period: z.strictObject({
    start: dayField,
    starts_at: instantField,
    ends_at: instantField,
    time_zone: z.string(),
  }),
  currency: z.string(),
  /** The total is at the currency's precision, and the lines add up to it. */
  total: amountField,
  /** A tenant in shadow mode is metered, and nothing is due (R19). */
  mode: z.enum(['shadow', 'live']),
  /** The total, or nothing where the period is open, or was closed in shadow mode. */
  due: amountField,
  /** It is null once the period is closed. */
  preview: statementPreview.nullable(),
  lines: listOf(statementLine),
  /** Usage of earlier, closed periods that bills here (R12). */
  late_lines: listOf(statementLine),
  /** What is metered here and belongs to a period that was closed in shadow: it is in no sum (R19). */
  not_due: listOf(
    z.strictObject({
      currency: z.string(),
      exact: amountField,
      total: amountField,
      lines: listOf(statementLine),
    }),
  ),
  exact: z.strictObject({
    charge: amountField,
    carried_in: amountField,
    /** What of it is of months that were billed, and came while nothing was due; absent where that is nothing. */
    carried_in_due: amountField.optional(),
    billable: amountField,
    carried_out: amountField,
    /** What of it is due in the next period in live mode; absent where that is nothing. */
    carried_out_due: amountField.optional(),
  }),
  usage: z.strictObject({
    calls: countField,
    failed: countField,
    cancelled: countField,
    /** Calls that a gateway's cache answered, as they stand after corrections. */
    cached: countField,
    tokens: z.strictObject({
      input: quantityField,
      cache_read: quantityField,
      cache_write: quantityField,
      output: quantityField,
    }),
  }),
  /** Tokens and exact charge by token layer; null where no call gave any. */
  layers: statementLayers.nullable(),
  price_books: listOf(
    z.strictObject({
      book: z.string(),
      version: z.string(),
      caching: z.enum(['work_done', 'pass_through']),
    }),
  ),
  notes: listOf(z.string()),
  /** Both are null while the period is open. */
  manifest_hash: hashField.nullable(),
  closed_at: instantField.nullable(),
  /** What the lines hold of corrections, by month and reason. */
  corrections: listOf(statementCorrection),
  /** The reasons of shared spend. */
  allocations: listOf(statementAllocation),
  /** Usage by feature and by user, the one that comes to most first. */
  features: listOf(usageShare),
  users: listOf(usageShare),
  invoices: listOf(statementInvoice),
  /** The period before it; null for a first one, and where the two have no common currency. */
  month_before: monthBefore.nullable(),
  /** The days add up to the exact charge but for adjustments, which no day caused. */
  daily: listOf(dailyUsage),
});
export type StatementDocument = z.infer<typeof statementDocument>;

/** One document; a list of them where a change of anchor day began two periods in the month. */
export const statementAnswer = z.union([statementDocument, listOf(statementDocument)]);
export type StatementAnswer = z.infer<typeof statementAnswer>;

/** The path of what was written instead of printed. */
export const writtenStatementAnswer = z.strictObject({ written: z.string() });
export type WrittenStatementAnswer = z.infer<typeof writtenStatementAnswer>;

export const writtenProofAnswer = z.strictObject({
  written: z.string(),
  /** The number of entries that it proves. */
  entries: countField,
});
export type WrittenProofAnswer = z.infer<typeof writtenProofAnswer>;
