import type { InstantMs } from '../clock.ts';
import { formatInstantOrNull } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { formatPico } from '../money.ts';
import { nextPeriod, type Period } from '../periods/calendar.ts';
import { placeUsage } from '../periods/placement.ts';
import { Refusal } from '../refusal.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { AskedCall, JudgedRow } from './admission-store.ts';
import type { BudgetDecision, Standing } from './budget.ts';
import { decide, decisive, formatMeasure, withLoop } from './budget.ts';
import type { BudgetDecisionAnswer, CheckAnswer, CheckRequest } from './budget-answer.ts';
import { budgetOf } from './budget-store.ts';
import type { Estimate } from './estimate-call.ts';
import { estimateCall } from './estimate-call.ts';
import { readReferences, renewReferences } from './price-references.ts';
import { tellBudget } from './set-budget.ts';

/** A request with the times between which the call is made. */
export interface TimedRequest {
  readonly request: CheckRequest;
  readonly time: { readonly from: InstantMs; readonly until: InstantMs };
}

/**
 * Asks about a call with its estimate at the tenant's own rates, and once more where the database says that tenants or
 * prices have changed since those were read.
 */
export async function askAbout(
  database: Database,
  asked: TimedRequest,
  ask: (call: AskedCall) => Promise<readonly JudgedRow[]>,
): Promise<{ readonly call: AskedCall; readonly rows: readonly JudgedRow[] }> {
  for (;;) {
    const call = await readCall(database, asked);
    const rows = await ask(call);
    if (rows[0]?.is_stale !== true) return { call, rows };
    await renewReferences(database);
  }
}

async function readCall(database: Database, { request, time }: TimedRequest): Promise<AskedCall> {
  const { tenant, catalog, revisions } = await readReferences(database, request.tenant_id);
  return {
    tenantId: tenant.tenantId,
    model: request.model,
    feature: request.feature,
    userId: request.user_id,
    agentRunId: request.agent_run_id,
    tags: request.tags ?? {},
    ...time,
    periods: periodsBetween(tenant, time),
    estimate: estimateCall(request, { tenant, catalog, now: time.from }),
    revisions,
  };
}

function periodsBetween(
  tenant: Tenant,
  time: { readonly from: InstantMs; readonly until: InstantMs },
): readonly Period[] {
  const first = placeUsage(tenant, time.from).period;
  return first.endsAt > time.until ? [first] : [first, nextPeriod(tenant.calendar, first)];
}

/**
 * Returns what the budgets decide, in the order of their numbers. Throws a `Refusal` where a hard one
 * cannot be told what the call comes to: no price is not a price of zero (R10).
 */
export function decideAll(
  rows: readonly JudgedRow[],
  call: Pick<AskedCall, 'tenantId' | 'model' | 'from' | 'estimate'>,
): readonly BudgetDecision[] {
  const byBudget = new Map<bigint, [JudgedRow, ...JudgedRow[]]>();
  // Without any budget there is one row, with nothing of a budget in it.
  for (const row of rows.filter(({ budget_id }) => budget_id !== null)) {
    const others = byBudget.get(row.budget_id);
    if (others === undefined) byBudget.set(row.budget_id, [row]);
    else others.push(row);
  }
  const decisions = [...byBudget.values()].map(([first, ...rest]) =>
    decide(budgetOf(first), [standingOf(first), ...rest.map(standingOf)], call.from),
  );
  if (!decisions.some(({ standing }) => standing.isUnpriced)) refuseUntold(decisions, call);
  // A budget that guards runs denies a call of a loop, or warns of it.
  return decisions.map((decision) => withLoop(decision, Number(rows[0]?.steps ?? 1)));
}

function standingOf(row: JudgedRow): Standing {
  return {
    timeKey: row.time_key,
    resetsAt: row.resets_at,
    spent: row.spent,
    held: row.held,
    estimate: row.estimate,
    fits: row.fits === true,
    isUnpriced: row.is_unpriced,
  };
}

function refuseUntold(
  decisions: readonly BudgetDecision[],
  { tenantId, model, estimate }: Pick<AskedCall, 'tenantId' | 'model' | 'estimate'>,
): void {
  const untold = decisions.find(
    ({ budget, standing }) => budget.isHard && standing.estimate === null,
  );
  if (untold === undefined) return;
  const { measure, currency, budgetId } = untold.budget;
  if (measure === 'tokens') {
    throw new Refusal(
      'bad_request',
      `budget ${budgetId} of tenant "${tenantId}" counts tokens, and the call says nothing of them`,
      'give the tokens of the call, or its usage, beside the amount',
    );
  }
  if (currency !== estimate.currency) {
    throw new Refusal(
      'conflict',
      `tenant "${tenantId}" is charged in ${estimate.currency} and has a budget in ${currency}`,
      'set the budget again, in the currency of its price book',
    );
  }
  throw new Refusal(
    'incomplete',
    model === null
      ? `tenant "${tenantId}" has a budget of money, and a call without a model has no price`
      : `model ${model} has no price for tenant "${tenantId}", and no price is not a price of zero`,
    "import a price for the model into the tenant's book, or give the amount that the call may come to",
  );
}

/** Returns the answer about a call; `own` is what the call itself holds from now on. */
export function tellDecisions(
  decisions: readonly BudgetDecision[],
  estimate: Estimate,
  holds: boolean,
): CheckAnswer {
  const by = decisive(decisions);
  const verdict = by?.verdict ?? 'allow';
  const denying = decisions.filter((decision) => decision.verdict === 'deny');
  const waits = denying.map(({ retryAfter }) => retryAfter);
  return {
    verdict,
    decided_by: by === null ? null : by.budget.budgetId.toString(),
    retry_after: longest(waits),
    estimate: estimate.amount === null ? null : formatPico(estimate.amount),
    currency: estimate.currency,
    tokens: estimate.tokens === null ? null : estimate.tokens.toString(),
    on_unavailable: decisions.some(({ budget }) => budget.onUnavailable === 'deny')
      ? 'deny'
      : 'allow',
    budgets: decisions.map((decision) => tellDecision(decision, holds)),
  };
}

/** Answers the longest wait; null where one of them waits in vain. */
function longest(waits: readonly (number | null)[]): number | null {
  return waits.reduce<number | null>(
    (most, wait) => (most === null || wait === null ? null : Math.max(most, wait)),
    waits.length === 0 ? null : 0,
  );
}

function becauseOf(decision: BudgetDecision): BudgetDecisionAnswer['because'] {
  const { budget, standing, verdict, isLoop } = decision;
  if (verdict === 'allow') return null;
  if (isLoop) return 'loop';
  if (standing.isUnpriced) return 'unpriced';
  const isUnknown = standing.estimate === null && standing.spent + standing.held <= budget.limit;
  return isUnknown ? 'unknown' : 'limit';
}

function tellDecision(decision: BudgetDecision, holds: boolean): BudgetDecisionAnswer {
  const { budget, standing, verdict, retryAfter } = decision;
  const held = standing.held + (holds ? (standing.estimate ?? 0n) : 0n);
  const left = budget.limit - standing.spent - held;
  const { measure } = budget;
  return {
    ...tellBudget(budget),
    time: standing.timeKey,
    spent: formatMeasure(measure, standing.spent),
    held: formatMeasure(measure, held),
    left: formatMeasure(measure, left),
    resets_at: formatInstantOrNull(standing.resetsAt),
    verdict,
    because: becauseOf(decision),
    retry_after: retryAfter,
  };
}
