import { checkPushes } from '../../src/audit/laws/laws-store.ts';
import { openScope } from '../../src/audit/laws/scope-store.ts';
import { parseInstant } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import type { StepAnswer } from '../../src/month/month-answer.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import type { FaultSpec } from '../../src/stripe-double/fault.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import type { BillingScene, SceneTenant } from './billing-scene.ts';
import { ACME, MONTH, openBillingScene, runSteps, startDouble } from './billing-scene.ts';
import type { CrashPlan } from './crash-point.ts';
import { Crash, crashing } from './crash-point.ts';
import type { StatesOfRun, World } from './fault-states.ts';
import { digestOf, watchStates } from './fault-states.ts';

/** One way for a month to go wrong: a crash, a fault of Stripe, or both; and when it is run again. */
export interface FaultCase {
  readonly crash: CrashPlan | null;
  readonly fault: FaultSpec | null;
  readonly rerunAfterHours: number;
  /** What its death leaves, where it stands for all that leave the same. */
  readonly leaves?: string;
}

const RERUN_HOURS = [1, 25, 73] as const;

/** Every fault of the double but `hold`, which is no fault. */
export const FAULTS: readonly FaultSpec[] = [
  { kind: 'reset_before_apply' },
  { kind: 'apply_then_reset' },
  { kind: 'cut_body' },
  { kind: 'rate_limit' },
  { kind: 'rate_limit', reason: 'global-rate' },
  { kind: 'lock_timeout' },
  { kind: 'stored_500' },
  { kind: 'stored_500', applied: true },
  { kind: 'html_503' },
  { kind: 'error', status: 401, message: 'Invalid API Key provided.' },
];

export interface FaultBench {
  /** Awaits of database and Stripe in a run that meets no fault. */
  readonly awaits: number;
  /** Requests to Stripe in that run. */
  readonly requests: number;
  /** What is wrong at the end of the case; empty when the invoice is right and the laws hold. */
  play(given: FaultCase): Promise<readonly string[]>;
  /** What a death at each await would leave of a run with this fault. */
  statesWith(fault: FaultSpec | null): Promise<StatesOfRun>;
  close(): Promise<void>;
}

const TENANTS: readonly SceneTenant[] = [ACME];

/** Counts a run without faults, and then plays cases on copies of the same month. */
export async function openFaultBench(): Promise<FaultBench> {
  const double = await startDouble();
  const first = await openBillingScene({ tenants: TENANTS, double });
  await endMonth(first);
  const before = double.control.requests().length;
  const { parts, awaits } = crashing(first.parts, double, null);
  await runSteps(parts, MONTH);
  const requests = double.control.requests().length - before;
  let scene = first;
  const aside = openDatabase({
    url: first.database.url,
    connections: 1,
    onConnectionLost: () => {},
  });
  return {
    awaits: awaits(),
    requests,
    play: async (given) => {
      scene = await anew(scene);
      return play(scene, { database: aside, double }, given);
    },
    statesWith: async (fault) => {
      scene = await anew(scene);
      await endMonth(scene);
      if (fault !== null) double.control.injectFault(fault);
      const { watcher, states } = watchStates({ database: aside, double });
      await runSteps(crashing(scene.parts, double, watcher).parts, MONTH);
      double.control.clearFaults();
      return states;
    },
    close: async () => {
      await closeDatabase(aside);
      await scene.close();
      await double.close();
    },
  };
}

async function anew(scene: BillingScene): Promise<BillingScene> {
  await scene.stopWebhooks();
  return openBillingScene({ tenants: TENANTS, double: scene.double, after: scene });
}

async function endMonth(scene: BillingScene): Promise<void> {
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
}

/** Time to wait, at the most, for what a day's absence must prove. */
const MOST_RERUNS = 5;
const HOUR_MS = 3_600_000;

async function play(
  scene: BillingScene,
  world: World,
  given: FaultCase,
): Promise<readonly string[]> {
  const { double } = world;
  await endMonth(scene);
  if (given.fault !== null) double.control.injectFault(given.fault);
  await runAndMaybeDie(scene, double, given.crash);
  // The webhooks of another process arrive whether this one died or not.
  await double.control.settle();
  if (given.leaves !== undefined && (await digestOf(world)) !== given.leaves) {
    return ['it leaves something else than what was seen at that place'];
  }
  double.control.clearFaults();
  await double.control.advanceClock(given.rerunAfterHours * HOUR_MS);
  let results = await runSteps(scene.parts, MONTH);
  for (let run = 1; run < MOST_RERUNS && !isDone(results); run += 1) {
    await double.control.advanceClock(25 * HOUR_MS);
    results = await runSteps(scene.parts, MONTH);
  }
  await double.control.advanceClock(80 * HOUR_MS);
  return wrongs(scene, results);
}

async function runAndMaybeDie(
  scene: BillingScene,
  double: StripeDouble,
  plan: CrashPlan | null,
): Promise<void> {
  const { parts } = crashing(scene.parts, double, plan);
  try {
    await runSteps(parts, MONTH);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

function isDone(results: readonly StepAnswer[]): boolean {
  return results.every((result) => result.state === 'done');
}

/** The steps that are not done, the laws that do not hold, and invoices that are not the statements. */
export async function wrongs(
  scene: BillingScene,
  results: readonly StepAnswer[],
  months: readonly string[] = [MONTH],
): Promise<readonly string[]> {
  const scope = await openScope(scene.database, 'full');
  const laws = [await checkPushes(scene.database, scope), await checkSummaries(scene.parts)];
  return [
    ...results
      .filter((result) => result.state !== 'done')
      .map((result) => `${result.step} ${result.state}: ${result.detail}`),
    ...laws.flatMap((law) => law.violations.map((violation) => `law ${law.law}: ${violation}`)),
    ...(await Promise.all(months.map(scene.differences))).flat(),
  ];
}

/** Which of many cases a run plays: `count` from the `from`-th on, or a sample of so many. */
export function wantedOf<Item>(
  items: readonly Item[],
  { count, from }: { readonly count: number; readonly from: number | null },
): readonly Item[] {
  return from === null ? sample(items, count) : items.slice(from - 1, from - 1 + count);
}

/** Evenly spread, always the same. */
function sample<Item>(items: readonly Item[], count: number): readonly Item[] {
  const distance = items.length / Math.min(count, items.length);
  return Array.from({ length: Math.min(count, items.length) }, (_, index) => {
    const item = items[Math.floor(index * distance)];
    if (item === undefined) throw new Error('a sample beyond the end');
    return item;
  });
}

/** A death before and after each await, run again after each delay. */
export function crashCases(awaits: number): readonly FaultCase[] {
  const cases: FaultCase[] = [];
  for (let at = 1; at <= awaits; at += 1) {
    for (const when of ['before', 'after'] as const) {
      for (const rerunAfterHours of RERUN_HOURS) {
        cases.push({ crash: { at, when }, fault: null, rerunAfterHours });
      }
    }
  }
  return cases;
}

/** Each fault at each request, once and for the rest of the run, run again after each delay. */
export function stripeCases(requests: number): readonly FaultCase[] {
  const cases: FaultCase[] = [];
  for (let after = 0; after < requests; after += 1) {
    for (const fault of FAULTS) {
      for (const times of [fault.times ?? 1, 40]) {
        for (const rerunAfterHours of RERUN_HOURS) {
          cases.push({ crash: null, fault: { ...fault, after, times }, rerunAfterHours });
        }
      }
    }
  }
  return cases;
}

/** Each fault on the meter event, with a death at each await besides. */
export function bothCases(awaits: number): readonly FaultCase[] {
  return METER_FAULTS.flatMap((fault) => crashCases(awaits).map((given) => ({ ...given, fault })));
}

export const METER_FAULTS: readonly FaultSpec[] = FAULTS.map((fault) => ({
  ...fault,
  match: { method: 'POST', path: '/v1/billing/meter_events' },
}));

/** Meter events fail for the whole run, done or not done, and the next run comes a day or three later. */
export function hardCases(): readonly FaultCase[] {
  const match = { method: 'POST', path: '/v1/billing/meter_events' };
  const lost = ['apply_then_reset', 'reset_before_apply', 'stored_500'];
  return FAULTS.filter((fault) => lost.includes(fault.kind)).flatMap((fault) =>
    [25, 73].map((rerunAfterHours) => ({
      crash: null,
      fault: { ...fault, match, times: 40 },
      rerunAfterHours,
    })),
  );
}

export function describeCase({ crash, fault, rerunAfterHours }: FaultCase): string {
  const death = crash === null ? 'no crash' : `crash ${crash.when} await ${crash.at}`;
  const fails = fault === null ? 'no fault' : JSON.stringify(fault);
  return `${death}, ${fails}, again after ${rerunAfterHours} h`;
}
