import type { InstantMs } from '../clock.ts';
import { utcDay } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { placeUsage } from '../periods/placement.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { ratePart } from '../rating/rate-event.ts';
import { WHOLE_CALL } from '../rating/split.ts';
import { Refusal } from '../refusal.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { assignedBook } from '../tenants/tenant.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import type { Budget, BudgetDecision } from './budget.ts';
import { concerns, decide, strictest } from './budget.ts';
import type { BudgetDecisionAnswer, CheckAnswer, CheckRequest } from './budget-answer.ts';
import { readBudgets, readSpent } from './budget-store.ts';
import { tellBudget } from './set-budget.ts';

/**
 * Asks every budget that concerns a call before it is made. The estimate is the charge at the tenant's
 * own rates with nothing cached and all the output that is allowed. Calls that are under way elsewhere
 * are not in the ledger yet and are not counted: many at once may pass a limit by what they come to.
 * Refuses a model without a price, since no price is not a price of zero (R10).
 */
export async function checkBudgets(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  call: CheckRequest,
): Promise<CheckAnswer> {
  const now = clock();
  const tenant = await readTenant(database.kysely, call.tenant_id);
  const { estimate, currency } = await estimateCharge(database, { tenant, call, now });
  const { period } = placeUsage(tenant, now);
  const within = { periodStart: period.startDate, utcDay: utcDay(now) };
  const budgets = await readBudgets(database, call.tenant_id);
  const about = { feature: call.feature, userId: call.user_id };
  const decisions: BudgetDecision[] = [];
  for (const budget of budgets.filter((each) => concerns(each, about))) {
    if (budget.currency !== currency) refuseOtherCurrency(budget, currency);
    decisions.push(decide(budget, await readSpent(database, budget, within), estimate));
  }
  const verdict = strictest(decisions.map((decision) => decision.verdict));
  return { verdict, estimate: formatPico(estimate), currency, budgets: decisions.map(toDecision) };
}

function toDecision({ budget, spent, left, verdict }: BudgetDecision): BudgetDecisionAnswer {
  return { ...tellBudget(budget), spent: formatPico(spent), left: formatPico(left), verdict };
}

async function estimateCharge(
  database: Database,
  of: { readonly tenant: Tenant; readonly call: CheckRequest; readonly now: InstantMs },
): Promise<{ readonly estimate: Pico; readonly currency: string }> {
  const { tenant, call, now } = of;
  const catalog = await loadPriceCatalog(database.kysely);
  const { provider, model, service_tier: serviceTier, feature, user_id: userId } = call;
  const { input_tokens: inputTokens, max_output_tokens: maxOutputTokens } = call;
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
      callUsage: null,
      measured: true,
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
