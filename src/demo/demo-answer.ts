import { z } from 'zod';
import { verificationAnswer } from '../audit/laws/verification-answer.ts';
import { amountField, countField, listOf, monthField, wholeField } from '../fields.ts';
import { workerAnswer } from '../ingest/worker/worker-answer.ts';

export const demoRequest = z.strictObject({
  /** The path of a trace to replay; null for a generated one. */
  trace: z.string().nullable(),
  /** Requests of the generated trace. */
  calls: z.int().positive(),
  /** The same seed gives the same amounts. */
  seed: z.int().positive(),
  /** The folder where the statements go. */
  folder: z.string(),
  /** Whether everything goes on running afterwards. */
  keep: z.boolean(),
});
export type DemoRequest = z.output<typeof demoRequest>;

/** One tenant's month as finance reads it. */
const demoRow = z.strictObject({
  tenant_id: z.string(),
  mode: z.enum(['live', 'shadow']),
  calls: countField,
  failed: countField,
  tokens: wholeField,
  charge: amountField,
  cost: amountField,
  margin: amountField,
  /** Micro-dollars confirmed as pushed, and what Stripe's summary says; null where nothing was asked. */
  pushed: wholeField,
  stripe: wholeField.nullable(),
});
export type DemoRow = z.infer<typeof demoRow>;

/** All tenants together: exact amounts are summed and rounded once, so that rounded rows may add up to another cent. */
const demoTotal = demoRow.omit({ tenant_id: true, mode: true });
export type DemoTotal = z.infer<typeof demoTotal>;

export const demoAnswer = z.strictObject({
  month: monthField,
  /** What was sent. */
  traffic: z.strictObject({
    calls: countField,
    failed: countField,
    fallbacks: countField,
    loops: countField,
    batches: countField,
    duplicates: countField,
    conflicts: countField,
    untagged: countField,
  }),
  worker: workerAnswer,
  tenants: listOf(demoRow),
  total: demoTotal,
  laws: verificationAnswer.shape.laws,
  /** The paths of the statements, each period in every form. */
  statements: listOf(z.string()),
  /** Environment variables that reach what goes on running; null where nothing does. */
  connection: z.record(z.string(), z.string()).nullable(),
  /** Where to look at it, and with which keys; null where nothing goes on. */
  console: z
    .strictObject({
      url: z.string(),
      admin_key: z.string(),
      reader_key: z.string(),
      customer_link: z.string(),
    })
    .nullable(),
});
export type DemoAnswer = z.infer<typeof demoAnswer>;
