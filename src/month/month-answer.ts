import { z } from 'zod';
import { instantField, listOf, monthField } from '../fields.ts';
import { closeAnswer } from '../ledger/closes/close-answer.ts';
import { pushAnswer } from '../push/push-answer.ts';
import { ATTRIBUTION_TAGS } from '../reports/tag-coverage-answer.ts';
import { missingThing } from './completeness/missing-answer.ts';

/** Percent of the known cost, for each tag that is bounded. */
const coverageBounds = z.partialRecord(z.enum(ATTRIBUTION_TAGS), z.int().min(0).max(100));
export type CoverageBounds = z.infer<typeof coverageBounds>;

const monthRequest = z.strictObject({
  /** The month in which the periods begin. */
  month: monthField,
  /** The folder where the statements go; null writes none. */
  folder: z.string().nullable(),
  /** The issuer that stands on HTML and PDF; null is the one that is set. */
  issuer: z.string().nullable(),
  /** How much of the cost has to carry which tag before anything is closed; absent for no bound. */
  coverage_min: coverageBounds.optional(),
});
export type MonthRequest = z.output<typeof monthRequest>;

/** What is asked of a command that a schedule may call. */
export const monthsRequest = monthRequest.extend({
  /** `last` is the month before this, in UTC, and the one before it while something of that is open. */
  month: z.union([monthField, z.literal('last')]),
});
export type MonthsRequest = z.output<typeof monthsRequest>;

const stepAnswer = z.strictObject({
  step: z.enum([
    'check',
    'seal',
    'coverage',
    'close',
    'push',
    'confirm',
    'release',
    'verify',
    'statements',
  ]),
  /**
   * - `done`: nothing is left to do.
   * - `unfinished`: time must pass (the month is not over, a summary lags, a request is unanswered);
   *   the next run goes on there.
   * - `wrong`: a person must do something, for the tenants that are named.
   */
  state: z.enum(['done', 'unfinished', 'wrong']),
  /** The instant at which it was last performed: now, or where it was done before, then. */
  at: instantField,
  detail: z.string(),
});
/** The end of one step. */
export type StepAnswer = z.infer<typeof stepAnswer>;

const monthAnswer = z.strictObject({
  month: monthField,
  /** Whether every step is done, and the month lacks nothing. */
  done: z.boolean(),
  /** The steps stand in their order. */
  steps: listOf(stepAnswer),
  /** What keeps the month from being whole, and no step has named. */
  missing: listOf(missingThing),
});
export type MonthAnswer = z.infer<typeof monthAnswer>;

/** It is done where the earlier months are, too. */
export const monthsAnswer = monthAnswer.extend({
  /** The months before it that were run first, since something of them was open. */
  earlier: listOf(monthAnswer),
});
export type MonthsAnswer = z.infer<typeof monthsAnswer>;

const monthPlanAnswer = z.strictObject({
  month: monthField,
  /** What a run would look at first, as far as it changes nothing. */
  steps: listOf(stepAnswer),
  closes: closeAnswer,
  /** What would be told of the periods that are closed, and of those that would be. */
  pushes: pushAnswer,
  /** What would keep the month from being whole, and no other part of the answer names. */
  missing: listOf(missingThing),
});
/** The plan of a run of the month. */
export type MonthPlanAnswer = z.infer<typeof monthPlanAnswer>;

export const monthsPlanAnswer = monthPlanAnswer.extend({
  /** The plans of the months before it that would be run first. */
  earlier: listOf(monthPlanAnswer),
});
export type MonthsPlanAnswer = z.infer<typeof monthsPlanAnswer>;

export const startRequest = z.strictObject({
  /** The month in which the periods begin. */
  month: monthField,
  /** Says what a run would do, and starts none. */
  dry_run: z.boolean(),
});
export type StartRequest = z.output<typeof startRequest>;

export const startAnswer = z.strictObject({
  month: monthField,
  /** `started`: it goes on by itself, and its steps are kept as they end. */
  state: z.enum(['started', 'dry_run']),
  /** What a run would do; null where one was started. */
  plan: monthPlanAnswer.nullable(),
});
export type StartAnswer = z.infer<typeof startAnswer>;
