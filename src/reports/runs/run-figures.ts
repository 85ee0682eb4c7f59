import { divideHalfUp, type Pico } from '../../money.ts';
import type { AgentRun } from './agent-run.ts';
import type { CallStep } from './run-step.ts';
import type { Waste } from './run-waste.ts';
import type { RunGroup, RunOrder } from './runs-answer.ts';

/** The figures of the runs of one row. Amounts include all revisions, so rows sum to their entries. */
export interface RunFigures {
  /**
   * It is null by feature, where a row is of all tenants; and the name is null without a feature.
   */
  readonly tenantId: string | null;
  readonly name: string | null;
  readonly currency: string;
  /** Runs with a call in this row, and those of them that succeeded; calls that a month before counts are none here. */
  readonly runs: number;
  readonly succeeded: number;
  readonly calls: number;
  readonly failed: number;
  /** Calls that are a second or later attempt (R8). */
  readonly laterAttempts: number;
  readonly loops: number;
  readonly loopSteps: number;
  /** Calls that no cost is known of, so that the whole cost is unknown (R10); the amounts are what is known. */
  readonly uncosted: number;
  /** The calls among them that were spent before the answers. */
  readonly wastedUncosted: number;
  /** Calls that wait for a price or for their usage, and so are charged nothing as yet. */
  readonly uncharged: number;
  /** What is metered, and what of it is due to nobody. */
  readonly charge: Pico;
  readonly notDue: Pico;
  readonly cost: Pico;
  /** What of the cost is of runs, and the calls of runs that no cost is known of; the others have a part in no answer. */
  readonly runCost: Pico;
  readonly runUncosted: number;
  /** What of the cost and of the charge was spent before the answers. */
  readonly wastedCharge: Pico;
  readonly wastedCost: Pico;
  /** The same cost by its cause. */
  readonly costBefore: Readonly<Record<Waste, Pico>>;
}

/**
 * Returns what all runs cost for each one that succeeded; null where none did, or it is unknown.
 * Rounded half up.
 */
export function costPerSuccess(
  figures: Pick<RunFigures, 'runCost' | 'succeeded' | 'runUncosted'>,
): Pico | null {
  return figures.succeeded === 0 || figures.runUncosted > 0
    ? null
    : divideHalfUp(figures.runCost, BigInt(figures.succeeded));
}

/** Returns the comparison of an order; of equal ones the most wasted stand first, and then what cost more. */
export function comparisonOf(order: RunOrder): (a: RunFigures, b: RunFigures) => number {
  const first = COMPARISONS[order];
  return (a, b) =>
    first(a, b) ||
    descending(a.wastedCost, b.wastedCost) ||
    descending(a.cost, b.cost) ||
    compareTexts(a.name, b.name) ||
    compareTexts(a.tenantId, b.tenantId) ||
    compareTexts(a.currency, b.currency);
}

/** Compares as Postgres does by the collation C, since its order says which runs are compared at all. */
function compareTexts(a: string | null, b: string | null): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a ?? ''), Buffer.from(b ?? ''));
}

const COMPARISONS: Readonly<Record<RunOrder, (a: RunFigures, b: RunFigures) => number>> = {
  waste: (a, b) => descending(a.wastedCost, b.wastedCost),
  cost: (a, b) => descending(a.cost, b.cost),
  share: compareShares,
  loops: (a, b) => b.loops - a.loops || b.loopSteps - a.loopSteps,
};

/** A share of a cost that is unknown, or of none, stands last; the others are compared without a division. */
function compareShares(a: RunFigures, b: RunFigures): number {
  const hasShare = ({ uncosted, cost }: RunFigures) => uncosted === 0 && cost > 0n;
  if (!hasShare(a) || !hasShare(b)) return Number(hasShare(b)) - Number(hasShare(a));
  return descending(a.wastedCost * b.cost, b.wastedCost * a.cost);
}

function descending(a: Pico, b: Pico): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}

/** Returns the figures of one run: a row for each group in it, which by run or tenant is one. */
export function figuresOf(run: AgentRun, by: RunGroup): readonly RunFigures[] {
  const rows = Map.groupBy(run.calls, ({ facts }) =>
    JSON.stringify([by === 'feature' ? facts.feature : null, facts.currency]),
  );
  return [...rows.values()].map((calls) => figuresOfCalls(run, by, calls));
}

function figuresOfCalls(run: AgentRun, by: RunGroup, calls: readonly CallStep[]): RunFigures {
  const counted = calls.filter((call) => !call.beganBefore);
  const own = new Set(counted);
  const standing = counted.filter((call) => call.stands);
  const loops = run.waste.loops.filter((loop) => loop.steps.some((step) => own.has(step)));
  const wasted = calls.filter((call) => run.waste.causes.has(call));
  const uncosted = calls.reduce((total, call) => total + call.sum.uncosted, 0);
  const cost = sum(calls, costOf);
  const causedBy = (cause: Waste) =>
    sum(
      wasted.filter((call) => run.waste.causes.get(call) === cause),
      costOf,
    );
  const [first] = calls;
  return {
    tenantId: by === 'feature' ? null : run.tenantId,
    name:
      by === 'run' ? run.runId : by === 'tenant' ? run.tenantId : (first?.facts.feature ?? null),
    currency: first?.facts.currency ?? '',
    runs: counted.length > 0 ? 1 : 0,
    succeeded: counted.length > 0 && run.succeeded ? 1 : 0,
    calls: standing.length,
    failed: standing.filter(({ facts }) => facts.status !== 'ok').length,
    laterAttempts: standing.filter(({ facts }) => facts.attempt > 1).length,
    loops: loops.length,
    loopSteps: loops.reduce((steps, loop) => steps + loop.steps.length, 0),
    uncosted,
    wastedUncosted: wasted.reduce((total, call) => total + call.sum.uncosted, 0),
    uncharged: calls.reduce((total, call) => total + call.sum.uncharged, 0),
    charge: sum(calls, chargeOf),
    notDue: sum(calls, notDueOf),
    cost,
    runCost: cost,
    runUncosted: uncosted,
    wastedCharge: sum(wasted, chargeOf),
    wastedCost: sum(wasted, costOf),
    costBefore: {
      failed: causedBy('failed'),
      superseded: causedBy('superseded'),
      repeated: causedBy('repeated'),
    },
  };
}

const chargeOf = (call: CallStep) => call.sum.charge;
const notDueOf = (call: CallStep) => call.sum.notDue;
const costOf = (call: CallStep) => call.sum.cost;

function sum(calls: readonly CallStep[], of: (call: CallStep) => Pico): Pico {
  return calls.reduce((total, call) => total + of(call), 0n);
}

/** Adds two rows of one group into one. */
export function addFigures(a: RunFigures, b: RunFigures): RunFigures {
  return {
    ...a,
    runs: a.runs + b.runs,
    succeeded: a.succeeded + b.succeeded,
    calls: a.calls + b.calls,
    failed: a.failed + b.failed,
    laterAttempts: a.laterAttempts + b.laterAttempts,
    loops: a.loops + b.loops,
    loopSteps: a.loopSteps + b.loopSteps,
    uncosted: a.uncosted + b.uncosted,
    wastedUncosted: a.wastedUncosted + b.wastedUncosted,
    uncharged: a.uncharged + b.uncharged,
    charge: a.charge + b.charge,
    notDue: a.notDue + b.notDue,
    cost: a.cost + b.cost,
    runCost: a.runCost + b.runCost,
    runUncosted: a.runUncosted + b.runUncosted,
    wastedCharge: a.wastedCharge + b.wastedCharge,
    wastedCost: a.wastedCost + b.wastedCost,
    costBefore: {
      failed: a.costBefore.failed + b.costBefore.failed,
      superseded: a.costBefore.superseded + b.costBefore.superseded,
      repeated: a.costBefore.repeated + b.costBefore.repeated,
    },
  };
}
