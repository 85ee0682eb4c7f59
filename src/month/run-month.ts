import type { LawReport } from '../audit/laws/law.ts';
import type { Database } from '../database/database.ts';
import { closePeriods } from '../ledger/closes/close-periods.ts';
import { readOpenAlerts } from '../push/alert-store.ts';
import { Refusal } from '../refusal.ts';
import type { Remedy } from '../remedy.ts';
import { readLiveTenants } from '../stripe/customers/customer-store.ts';
import { releaseInvoices, verifyReleased } from '../stripe/invoices/invoice.ts';
import { readInvoices } from '../stripe/invoices/invoice-store.ts';
import { findMissedInvoices } from '../stripe/invoices/missed-invoices.ts';
import { readMeters } from '../stripe/meters/meter-store.ts';
import type { PushOptions } from '../stripe/push.ts';
import { pushMonth } from '../stripe/push.ts';
import { reconcileMonth } from '../stripe/reconcile.ts';
import type { StepRow } from './month-run-store.ts';
import { beginStep, finishStep, readSteps } from './month-run-store.ts';

/** In this order: each builds on those before it. */
const STEPS = [
  'check',
  'seal',
  'close',
  'push',
  'confirm',
  'release',
  'verify',
  'statements',
] as const;

type Step = (typeof STEPS)[number];

/**
 * - `done`: nothing is left to do.
 * - `unfinished`: time must pass (a period has not ended, a summary lags, a request is unanswered);
 *   the next run goes on there.
 * - `wrong`: a person must do something, for the tenants that are named.
 */
export interface StepResult {
  readonly step: Step;
  readonly state: 'done' | 'unfinished' | 'wrong';
  readonly detail: string;
  /** What to do about a step that was refused; null for every other. */
  readonly remedy: Remedy | null;
}

export interface MonthRunOptions extends PushOptions {
  /** Seals what the ledger holds, so that later tampering shows. Says what it sealed. */
  readonly seal: () => Promise<string>;
  readonly verify: () => Promise<readonly LawReport[]>;
  /** Writes the statements of a month's closed periods; says where. */
  readonly writeStatements: (month: string) => Promise<string>;
  readonly onStep?: (result: StepResult) => void;
}

interface Outcome extends Pick<StepResult, 'state' | 'detail'> {
  readonly remedy?: Remedy;
  /** Said after the detail, and not kept: what is so now and need not be at the next run. */
  readonly forNow?: string;
}

/**
 * The whole monthly job, for a scheduler to call until it is done. Every step may be repeated: what is
 * closed stays closed, what is confirmed is not sent again. So the state kept of a step only saves work: a
 * step that was done is passed over, unless one before it had something left to do this time, or an
 * invoice has become final since. What stands against one tenant never keeps the others from going on.
 */
export async function runMonth(
  options: MonthRunOptions,
  month: string,
): Promise<readonly StepResult[]> {
  const { database, clock } = options;
  const before = new Map((await readSteps(database, month)).map((row) => [row.step, row]));
  const results: StepResult[] = [];
  let isRepeating = false;
  for (const step of STEPS) {
    const known = before.get(step);
    const isDone: boolean = !isRepeating && known?.state === 'done';
    isRepeating = !isDone;
    if (isDone && !(step === 'verify' && (await isMoreToVerify(database, month)))) {
      results.push({ step, state: 'done', detail: known?.detail ?? '', remedy: null });
      continue;
    }
    await beginStep(database, { month, step }, clock());
    const { state, detail, remedy = null, forNow = '' } = await perform(options, step, month);
    const row: StepRow & { readonly month: string } = { month, step, state, detail };
    await finishStep(database, row, clock());
    const result = { step, state, detail: `${detail}${forNow}`, remedy };
    options.onStep?.(result);
    results.push(result);
  }
  return results;
}

/** Invoices become final, and are found to differ, after a run that was done. */
async function isMoreToVerify(database: Database, month: string): Promise<boolean> {
  const invoices = await readInvoices(database, { month, tenantId: null });
  if (invoices.some((invoice) => invoice.state === 'released')) return true;
  return (await readOpenAlerts(database, month)).length > 0;
}

/** A refusal ends the step and not the run; a fault ends the run, and the next one goes on here. */
async function perform(options: MonthRunOptions, step: Step, month: string): Promise<Outcome> {
  try {
    return await WORK[step](options, month);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const state = error.kind === 'unavailable' ? 'unfinished' : 'wrong';
    return { state, detail: error.message, remedy: error.remedy };
  }
}

const WORK: Readonly<Record<Step, (options: MonthRunOptions, month: string) => Promise<Outcome>>> =
  {
    check,
    seal: async (options) => ({ state: 'done', detail: await options.seal() }),
    close,
    push,
    confirm,
    release,
    verify,
    statements: async (options, month) => ({
      state: 'done',
      detail: await options.writeStatements(month),
    }),
  };

/** What would surely go wrong later, found before anything is closed. */
async function check(options: MonthRunOptions): Promise<Outcome> {
  const tenants = await readLiveTenants(options.database);
  const unlinked = tenants.filter((tenant) => tenant.stripeCustomer === null);
  const meters = await readMeters(options.database, options.livemode);
  const faults = [
    ...(tenants.length > 0 && meters.size === 0 ? ['run "spanledger stripe setup" first'] : []),
    ...unlinked.map((tenant) => `live tenant "${tenant.tenantId}" has no Stripe customer`),
  ];
  const well = `${tenants.length} live tenants, meters for ${[...meters.keys()].join(' ')}`;
  return faults.length === 0
    ? { state: 'done', detail: well }
    : { state: 'wrong', detail: named(faults) };
}

async function close(options: MonthRunOptions, month: string): Promise<Outcome> {
  const answers = await closePeriods(options, { month, tenant_id: null });
  const refused = answers.filter((answer) => answer.state === 'refused');
  const early = answers.filter((answer) => answer.state === 'not_ended');
  const closed = answers.length - refused.length - early.length;
  return outcomeOf(`${closed} of ${answers.length} periods closed`, {
    wrong: refused.map((answer) => `tenant "${answer.tenant_id}": ${answer.detail ?? ''}`),
    unfinished: early.map((answer) => `tenant "${answer.tenant_id}" ${answer.detail ?? ''}`),
  });
}

async function push(options: MonthRunOptions, month: string): Promise<Outcome> {
  const results = await pushMonth(options, month);
  const those = (states: readonly string[]) =>
    results
      .filter((result) => states.includes(result.state))
      .map((result) => `tenant "${result.tenant_id}" ${result.state}: ${result.detail ?? ''}`);
  const confirmed = results.filter((result) => result.state === 'confirmed').length;
  return outcomeOf(`${confirmed} of ${results.length} periods told to Stripe`, {
    wrong: those(['refused', 'parked']),
    unfinished: those(['sent', 'ambiguous', 'busy', 'skipped']),
  });
}

async function confirm(options: MonthRunOptions, month: string): Promise<Outcome> {
  const rows = await reconcileMonth(options, month);
  const describe = (row: (typeof rows)[number]) =>
    `tenant "${row.tenant_id}" ${row.difference}: ledger ${row.ledger}, confirmed ${row.confirmed}, Stripe ${row.stripe ?? 'nothing'}${row.remedy === null ? '' : `; ${row.remedy}`}`;
  const waiting = rows.filter((row) => ['lag', 'in_flight'].includes(row.difference));
  return outcomeOf(`${rows.length} periods compared with Stripe`, {
    wrong: rows.filter((row) => !row.explained).map(describe),
    unfinished: waiting.map(describe),
  });
}

async function release(options: MonthRunOptions, month: string): Promise<Outcome> {
  const unbilled = await findMissedInvoices(options, month);
  const invoices = await releaseInvoices(options, month);
  const held = invoices.filter((invoice) => invoice.state === 'held');
  const summary = `${invoices.length - held.length} of ${invoices.length} invoices let go`;
  // Not every tenant is billed by a subscription, so that this may be as it should.
  const without = `no invoice of Stripe's bills the usage of ${named(unbilled)} yet`;
  return outcomeOf(unbilled.length === 0 ? summary : `${summary}; ${without}`, {
    wrong: [],
    unfinished: held.map((invoice) => `tenant "${invoice.tenant_id}" ${invoice.invoice} is held`),
  });
}

/** The laws, the final invoices, and what webhooks have found wrong about the month. */
async function verify(options: MonthRunOptions, month: string): Promise<Outcome> {
  const left = await verifyReleased(options, month);
  const laws = await options.verify();
  const alerts = await readOpenAlerts(options.database, month);
  const outcome = outcomeOf(`${laws.length} laws checked`, {
    wrong: [
      ...laws.flatMap((law) => law.violations.map((violation) => `law ${law.law}: ${violation}`)),
      ...alerts.map(
        (alert) => `${alert.kind} ${alert.subject}: ${alert.detail} (alert ${alert.alertId})`,
      ),
    ],
    unfinished: [],
  });
  const forNow = `; ${left} invoices are not final yet, and compared by a later run or by "spanledger serve"`;
  return left === 0 ? outcome : { ...outcome, forNow };
}

function outcomeOf(
  summary: string,
  of: { readonly wrong: readonly string[]; readonly unfinished: readonly string[] },
): Outcome {
  const all = [...of.wrong, ...of.unfinished];
  const detail = all.length === 0 ? summary : `${summary}; ${named(all)}`;
  if (of.wrong.length > 0) return { state: 'wrong', detail };
  return { state: of.unfinished.length > 0 ? 'unfinished' : 'done', detail };
}

/** A message names a few; the step's own command lists them all. */
const MOST_NAMED = 10;

function named(faults: readonly string[]): string {
  const rest = faults.length - MOST_NAMED;
  const shown = faults.slice(0, MOST_NAMED).join('; ');
  return rest > 0 ? `${shown}; and ${rest} more` : shown;
}
