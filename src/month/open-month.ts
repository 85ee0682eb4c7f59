import { monthAfter } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { readPeriodsOf } from '../ledger/closes/period-store.ts';
import { periodKey } from '../periods/period-key.ts';
import { readOpenAlerts } from '../push/alert-store.ts';
import { confirmedSum, settledSum } from '../push/intent.ts';
import { readInvoices } from '../stripe/invoices/invoice-store.ts';
import { readToldPeriods } from '../stripe/invoices/unbilled-usage.ts';
import { lastEndedMonth } from './last-ended-month.ts';
import { readSteps, type StepRow } from './month-run-store.ts';

/**
 * Tells whether something is left of a month that a run has begun: a step, a period that is not closed, is not told whole or
 * is on no final invoice, or an alert. None of its periods ends later than the month after it, so that only a run since then has
 * seen them all.
 */
export async function isMonthOpen(database: Database, month: string): Promise<boolean> {
  const steps = await readSteps(database, month);
  if (steps.length === 0) return false;
  const periods = await readPeriodsOf(database.kysely, month, null);
  // Before the first tenant came, a run had nothing to close, and found that wrong.
  if (periods.length === 0) return false;
  const isOpen = ({ step, state }: StepRow) => step !== 'coverage' && state !== 'done';
  const hasSeenAll = ({ step, startedAt }: StepRow) =>
    step === 'close' && lastEndedMonth({ clock: () => startedAt }).name >= monthAfter(month);
  if (steps.some(isOpen) || !steps.some(hasSeenAll)) return true;
  // Usage of somebody new may come late to a month that was whole.
  if (periods.some(({ state }) => state !== 'closed')) return true;
  if ((await readOpenAlerts(database, month)).length > 0) return true;
  return isAnyUnbilled(database, month);
}

async function isAnyUnbilled(database: Database, month: string): Promise<boolean> {
  const { targets, intents } = await readToldPeriods(database, { month, tenantId: null });
  const invoices = await readInvoices(database, { month, tenantId: null });
  if (invoices.some(({ state }) => state === 'held' || state === 'released')) return true;
  const invoiced = new Set(
    invoices.filter(({ state }) => state !== 'gone').map((invoice) => periodKey(invoice)),
  );
  return targets.some((target) => {
    const own = intents.get(periodKey(target)) ?? [];
    if (confirmedSum(own) !== target.billableMicro) return true;
    // What was taken back after a person had billed it is on no invoice of Stripe's.
    return confirmedSum(own) > settledSum(own) && !invoiced.has(periodKey(target));
  });
}
