import type { InstantMs } from '../clock.ts';
import { utcDay } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { ServiceTier } from '../events/event.ts';
import type { Pico } from '../money.ts';
import { placeUsage } from '../periods/placement.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { DEFAULT_CURRENCY, ratePart } from '../rating/rate-event.ts';
import { WHOLE_CALL } from '../rating/split.ts';
import { Refusal } from '../refusal.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { assignedBook } from '../tenants/tenant.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import type { Budget, BudgetDecision, Verdict } from './budget.ts';
import { concerns, decide, strictest } from './budget.ts';
import type { BudgetKey } from './budget-store.ts';
import { readBudgets, readSpent, saveBudget } from './budget-store.ts';

/** A call that somebody is about to make, at the most that it can use. */
export interface IntendedCall {
  readonly tenantId: string;
  readonly provider: string | null;
  readonly model: string;
  readonly serviceTier: ServiceTier;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  readonly feature: string | null;
  readonly userId: string | null;
}

export interface BudgetAnswer {
  readonly verdict: Verdict;
  /** What the call is charged if it uses all of its tokens. */
  readonly estimate: Pico;
  readonly currency: string;
  /** The decision for each budget that concerns the call. */
  readonly decisions: readonly BudgetDecision[];
}

/**
 * Asks every budget that concerns a call before it is made. The estimate is the charge at the tenant's
 * own rates with nothing cached and all the output that is allowed. Calls that are under way elsewhere
 * are not in the ledger yet and are not counted: many at once may pass a limit by what they come to.
 * Refuses a model without a price, since no price is not a price of zero (R10).
 */
export async function checkBudgets(
  database: Database,
  call: IntendedCall,
  now: InstantMs,
): Promise<BudgetAnswer> {
  const tenant = await readTenant(database.kysely, call.tenantId);
  const { estimate, currency } = await estimateCharge(database, { tenant, call, now });
  const { period } = placeUsage(tenant, now);
  const within = { periodStart: period.startDate, utcDay: utcDay(now) };
  const budgets = await readBudgets(database, call.tenantId);
  const decisions: BudgetDecision[] = [];
  for (const budget of budgets.filter((each) => concerns(each, call))) {
    if (budget.currency !== currency) refuseOtherCurrency(budget, currency);
    decisions.push(decide(budget, await readSpent(database, budget, within), estimate));
  }
  const verdict = strictest(decisions.map((decision) => decision.verdict));
  return { verdict, estimate, currency, decisions };
}

async function estimateCharge(
  database: Database,
  of: { readonly tenant: Tenant; readonly call: IntendedCall; readonly now: InstantMs },
): Promise<{ readonly estimate: Pico; readonly currency: string }> {
  const { tenant, call, now } = of;
  const catalog = await loadPriceCatalog(database.kysely);
  const { provider, model, serviceTier, feature, userId, inputTokens, maxOutputTokens } = call;
  const { charge, currency } = ratePart(
    {
      ...{ occurredAt: now, provider, requestedModel: model, executedModel: model, serviceTier },
      ...{ gatewayCache: 'none', layers: null },
    },
    {
      memberId: '',
      tags: { tenantId: tenant.tenantId, userId, feature, agentRunId: null, promptVersion: null },
      status: 'ok',
      usage: {
        ...{ uncachedInput: inputTokens, cacheRead: 0, cacheWrite: 0 },
        ...{ output: maxOutputTokens, reasoning: 0, units: null },
      },
      callShare: WHOLE_CALL,
      contextTokens: inputTokens,
    },
    { catalog, bookOf: (_, at) => assignedBook(tenant, catalog, at) },
  );
  if (charge !== null) return { estimate: charge, currency };
  throw new Refusal(
    'incomplete',
    `model ${model} has no price for tenant "${tenant.tenantId}", and no price is not a price of zero`,
    "import a price for the model into the tenant's book",
  );
}

function refuseOtherCurrency(budget: Budget, currency: string): never {
  throw new Refusal(
    'conflict',
    `tenant "${budget.tenantId}" is charged in ${currency} and has a budget in ${budget.currency}`,
    'set the budget anew, in the currency of its price book',
  );
}

/** Sets a budget in the currency in which the tenant is charged; the answer is the budget. */
export async function setBudget(
  database: Database,
  given: BudgetKey & Pick<Budget, 'amount' | 'isHard'>,
  by: { readonly actor: string; readonly at: InstantMs },
): Promise<Budget> {
  if (given.amount < 0n) {
    throw new Refusal('bad_request', 'a budget is not below zero', 'give 0 to allow nothing');
  }
  const tenant = await readTenant(database.kysely, given.tenantId);
  const catalog = await loadPriceCatalog(database.kysely);
  const currency = assignedBook(tenant, catalog, by.at)?.currency ?? DEFAULT_CURRENCY;
  const budget = { ...given, currency };
  await saveBudget(database, budget, by);
  return budget;
}
