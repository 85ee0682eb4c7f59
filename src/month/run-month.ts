import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { readOpenAlerts } from '../push/alert-store.ts';
import { NoAnswer } from '../push/destination.ts';
import { Refusal } from '../refusal.ts';
import { readInvoices } from '../stripe/invoices/invoice-store.ts';
import type { MissingThing } from './completeness/missing-answer.ts';
import { nameMissing } from './completeness/name-missing.ts';
import type { MonthAnswer, MonthRequest, StepAnswer } from './month-answer.ts';
import {
  beginStep,
  finishStep,
  readLastCloseOf,
  readSteps,
  type StepRow,
} from './month-run-store.ts';
import { keyOfRow, type MonthParts, type MonthStep, type StepOutcome } from './month-step.ts';
import { checkCoverage } from './steps/check-coverage.ts';
import { checkSetup } from './steps/check-setup.ts';
import { closeMonth } from './steps/close-month.ts';
import { confirmPushes } from './steps/confirm-pushes.ts';
import { pushPeriods } from './steps/push-periods.ts';
import { releaseHeld } from './steps/release-held.ts';
import { sealLedger } from './steps/seal-ledger.ts';
import { verifyMonth } from './steps/verify-month.ts';
import { writeMonth } from './steps/write-month.ts';

interface NamedStep {
  readonly step: StepAnswer['step'];
  readonly perform: MonthStep;
  /**
   * Whether it is performed on every run: it is cheap, and sees what came since it was done. Of the others
   * the state is kept, so that a run does not compare with Stripe what it compared before.
   */
  readonly always: boolean;
  /** Whether it asks Stripe, and is put off where nobody answers there. */
  readonly asksStripe?: boolean;
}

/** The steps run in this order: each builds on those before it. */
const STEPS: readonly NamedStep[] = [
  { step: 'check', perform: checkSetup, always: true },
  { step: 'seal', perform: sealLedger, always: true },
  { step: 'coverage', perform: checkCoverage, always: true },
  { step: 'close', perform: closeMonth, always: true },
  { step: 'push', perform: pushPeriods, always: true, asksStripe: true },
  { step: 'confirm', perform: confirmPushes, always: false, asksStripe: true },
  { step: 'release', perform: releaseHeld, always: false, asksStripe: true },
  { step: 'verify', perform: verifyMonth, always: false, asksStripe: true },
  { step: 'statements', perform: writeMonth, always: true },
];

/**
 * Runs the whole monthly job, for a scheduler to call until it is done. Every step may be repeated:
 * what is closed stays closed, what is confirmed is not sent again. A step that was done is passed
 * over where that saves work, unless one before it has something left to do, a period was closed
 * since, or an invoice has become final. What stands against one tenant never keeps the others from
 * going on; and when all is done, what the month still lacks is named, and it is not done while
 * that is anything. Only a bound on the coverage of tags holds everybody's month: whose the cost is
 * can be told before the close, and hardly after it.
 */
export async function runMonth(
  { onStep, ...given }: RunParts,
  request: MonthRequest,
): Promise<MonthAnswer> {
  const parts: MonthParts = { ...given, untold: new Set(), unlinked: new Set() };
  const { database, clock } = parts;
  const { month } = request;
  const before = new Map((await readSteps(database, month)).map((row) => [row.step, row]));
  const steps: StepAnswer[] = [];
  const refused = new Set<StepAnswer['step']>();
  let [isRepeating, isStripeAway] = [false, false];
  for (const { step, perform, always, asksStripe = false } of STEPS) {
    if (step === 'coverage' && request.coverage_min === undefined) continue;
    if (step === 'statements' && request.folder === null) continue;
    const known = before.get(step);
    isRepeating ||= known?.state !== 'done';
    if (!always && !isRepeating && known !== undefined && !(await isStale(parts, known, month))) {
      steps.push({
        step,
        state: 'done',
        at: formatInstant(known.startedAt),
        detail: known.detail ?? '',
      });
      continue;
    }
    const startedAt = clock();
    await beginStep(database, { month, step }, startedAt);
    const onProgress = (done: number, all: number) => onStep?.(step, done, all);
    const outcome =
      isStripeAway && asksStripe
        ? PUT_OFF
        : await orRefused(perform({ ...parts, onProgress }, request), parts);
    isStripeAway ||= outcome.isStripeAway === true;
    const { state, detail, forNow = '' } = outcome;
    if (outcome.isRefused === true) refused.add(step);
    await finishStep(database, { month, step, state, detail }, clock());
    isRepeating ||= state !== 'done';
    steps.push({ step, state, at: formatInstant(startedAt), detail: `${detail}${forNow}` });
    // Nothing is closed of a month that is held.
    if (step === 'coverage' && state !== 'done') break;
  }
  const missing = (await nameMissing(parts, { month, tenant_id: null })).filter(
    isUnsaid({ steps, refused, untold: parts.untold }),
  );
  const done = missing.length === 0 && steps.every(({ state }) => state === 'done');
  return { month, done, steps, missing };
}

/** The parts that the door gives; the steps themselves add what they have already reported. */
export interface RunParts extends Omit<MonthParts, 'untold' | 'unlinked' | 'onProgress'> {
  /** The function is called with how far a step is. */
  readonly onStep?: (step: StepAnswer['step'], done: number, all: number) => void;
}

interface Said extends Pick<MonthParts, 'untold'> {
  readonly steps: readonly StepAnswer[];
  /** The steps that were refused as a whole. */
  readonly refused: ReadonlySet<StepAnswer['step']>;
}

/** Leaves out what a step of this run has already reported for the same period. */
function isUnsaid({ steps, refused, untold }: Said): (thing: MissingThing) => boolean {
  const verified = refused.has('verify') ? undefined : steps.find(({ step }) => step === 'verify');
  const isSaid = (thing: MissingThing) => {
    switch (thing.kind) {
      case 'unrated':
      case 'unmeasured':
        return untold.has(keyOfRow(thing));
      case 'untold':
        return refused.has('push') || untold.has(keyOfRow(thing));
      case 'alert':
      case 'on_two_invoices':
      case 'on_voided_invoice':
        // An alert that is left where nothing was wrong is about a period that was named before.
        return verified !== undefined && (verified.state !== 'done' || untold.has(keyOfRow(thing)));
      default:
        return false;
    }
  };
  return (thing) => !isSaid(thing);
}

/** Whether what a step found done may be so no more. */
async function isStale(
  { database, clock }: MonthParts,
  { step, startedAt }: StepRow,
  month: string,
): Promise<boolean> {
  const closedAt = await readLastCloseOf(database, month);
  if (closedAt !== null && closedAt > startedAt) return true;
  if (step !== 'verify') return false;
  return clock() - startedAt >= VERIFIED_FOR_MS || (await isMoreToVerify(database, month));
}

/** An invoice may be voided or credited at any time, and no event need tell of it. */
const VERIFIED_FOR_MS = 24 * 60 * 60 * 1000;

/** Invoices become final, and are found to differ, after a run that was done. */
async function isMoreToVerify(database: Database, month: string): Promise<boolean> {
  const invoices = await readInvoices(database, { month, tenantId: null });
  if (invoices.some((invoice) => invoice.state === 'released')) return true;
  return (await readOpenAlerts(database, month)).length > 0;
}

/** Each further step would wait for minutes, and come to nothing. */
const PUT_OFF: StepOutcome = {
  state: 'unfinished',
  detail: 'not begun, since Stripe did not answer; the next run does it',
  isRefused: true,
};

/** A refusal ends the step and not the run; a fault ends the run, and the next one goes on here. */
async function orRefused(
  outcome: Promise<StepOutcome>,
  { phrase }: MonthParts,
): Promise<StepOutcome> {
  try {
    return await outcome;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const state = error.kind === 'unavailable' ? 'unfinished' : 'wrong';
    // A fault that Stripe names may be about the one that it was asked of.
    const isStripeAway = error instanceof NoAnswer && error.isSilent;
    const forNow = `; ${phrase(error.remedy)}`;
    return { state, detail: error.message, forNow, isRefused: true, isStripeAway };
  }
}
