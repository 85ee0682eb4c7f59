import type { Database } from '../database/database.ts';
import { readOpenAlerts } from '../push/alert-store.ts';
import { Refusal } from '../refusal.ts';
import { readInvoices } from '../stripe/invoices/invoice-store.ts';
import type { MonthAnswer, MonthRequest, StepAnswer } from './month-answer.ts';
import { beginStep, finishStep, readSteps, type StepRow } from './month-run-store.ts';
import type { MonthParts, MonthStep, StepOutcome } from './month-step.ts';
import { checkSetup } from './steps/check-setup.ts';
import { closeMonth } from './steps/close-month.ts';
import { confirmPushes } from './steps/confirm-pushes.ts';
import { pushPeriods } from './steps/push-periods.ts';
import { releaseHeld } from './steps/release-held.ts';
import { sealLedger } from './steps/seal-ledger.ts';
import { verifyMonth } from './steps/verify-month.ts';
import { writeMonth } from './steps/write-month.ts';

/** The steps run in this order: each builds on those before it. */
const STEPS: readonly { readonly step: StepAnswer['step']; readonly perform: MonthStep }[] = [
  { step: 'check', perform: checkSetup },
  { step: 'seal', perform: sealLedger },
  { step: 'close', perform: closeMonth },
  { step: 'push', perform: pushPeriods },
  { step: 'confirm', perform: confirmPushes },
  { step: 'release', perform: releaseHeld },
  { step: 'verify', perform: verifyMonth },
  { step: 'statements', perform: writeMonth },
];

/**
 * The whole monthly job, for a scheduler to call until it is done. Every step may be repeated: what is
 * closed stays closed, what is confirmed is not sent again. So the state kept of a step only saves work: a
 * step that was done is passed over, unless one before it had something left to do this time, or an
 * invoice has become final since. What stands against one tenant never keeps the others from going on.
 */
export async function runMonth(parts: MonthParts, request: MonthRequest): Promise<MonthAnswer> {
  const { database, clock } = parts;
  const { month } = request;
  const before = new Map((await readSteps(database, month)).map((row) => [row.step, row]));
  const steps: StepAnswer[] = [];
  let isRepeating = false;
  for (const { step, perform } of STEPS) {
    const known = before.get(step);
    const isDone: boolean = !isRepeating && known?.state === 'done';
    isRepeating = !isDone;
    if (isDone && !(step === 'verify' && (await isMoreToVerify(database, month)))) {
      steps.push({ step, state: 'done', detail: known?.detail ?? '' });
      continue;
    }
    await beginStep(database, { month, step }, clock());
    const { state, detail, forNow = '' } = await orRefused(perform(parts, request), parts);
    const row: StepRow & { readonly month: string } = { month, step, state, detail };
    await finishStep(database, row, clock());
    steps.push({ step, state, detail: `${detail}${forNow}` });
  }
  return { month, done: steps.every(({ state }) => state === 'done'), steps };
}

/** Invoices become final, and are found to differ, after a run that was done. */
async function isMoreToVerify(database: Database, month: string): Promise<boolean> {
  const invoices = await readInvoices(database, { month, tenantId: null });
  if (invoices.some((invoice) => invoice.state === 'released')) return true;
  return (await readOpenAlerts(database, month)).length > 0;
}

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
    return { state, detail: error.message, forNow: `; ${phrase(error.remedy)}` };
  }
}
