import { z } from 'zod';
import {
  amountField,
  countField,
  dayField,
  instantField,
  listOf,
  monthField,
} from '../../fields.ts';
import { leftOwed } from '../../tenants/tenant-answer.ts';

export const monthTableRequest = z.strictObject({
  /** The month in which the periods begin. */
  month: monthField,
});
export type MonthTableRequest = z.output<typeof monthTableRequest>;

/** How far one period is: closed, told, found at the destination, invoiced. */
const periodSteps = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  mode: z.enum(['shadow', 'live']),
  /** The total of a closed period; of an open one, what it came to so far. */
  charge: amountField,
  currency: z.string().nullable(),
  /** `ended`: over, and not closed. */
  close: z.enum(['open', 'ended', 'closed']),
  told: z.enum(['not_due', 'waits', 'untold', 'unanswered', 'told', 'settled']),
  /** Whether the destination's own figures have shown what was told; null where nothing was. */
  found: z.boolean().nullable(),
  invoice: z.enum(['held', 'released', 'finalized', 'gone', 'void']).nullable(),
  invoices: countField,
  invoice_id: z.string().nullable(),
});
export type PeriodSteps = z.infer<typeof periodSteps>;

const keptStep = z.strictObject({
  step: z.string(),
  /** `running`: it goes on, or the run died in it. */
  state: z.enum(['running', 'done', 'unfinished', 'wrong']),
  started_at: instantField,
  detail: z.string().nullable(),
});

/** A month by tenant and step, and how far its run is. */
export const monthTableAnswer = z.strictObject({
  month: monthField,
  at: instantField,
  /** What is behind stands first. */
  periods: listOf(periodSteps),
  /** What is owed to its tenants in a currency in which they pay no more, so that no period takes it in. */
  left_owed: listOf(leftOwed),
  /** Whether a run of it goes on now. */
  is_running: z.boolean(),
  /** The steps of its run, in the order in which they began; none where it was never run. */
  steps: listOf(keptStep),
});
export type MonthTableAnswer = z.infer<typeof monthTableAnswer>;
