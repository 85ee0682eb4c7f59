import { inTransaction, type Transaction } from '../database/database.ts';
import { lockAgainstCounting } from '../ledger/rollups/budget-count-store.ts';
import type { Parts } from '../parts.ts';
import { placeUsage } from '../periods/placement.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { DEFAULT_CURRENCY } from '../rating/rate-event.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { assignedBook } from '../tenants/tenant.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { counted } from '../text/counted.ts';
import type { Budget } from './budget.ts';
import { formatMeasure } from './budget.ts';
import type {
  BudgetAnswer,
  RemoveBudgetAnswer,
  RemoveBudgetRequest,
  SetBudgetRequest,
} from './budget-answer.ts';
import { deleteBudget, type NewBudget, readHoldsInTheWay, saveBudget } from './budget-store.ts';
import { type NamingParts, nameAsKept } from './name-as-kept.ts';

/**
 * Sets a budget of money, in the currency in which the tenant is charged, or of tokens; the answer is the budget. It
 * counts the day or the period that runs from its beginning, and runs and all the rest from now on.
 */
export async function setBudget(
  parts: Pick<Parts, 'database' | 'clock'> & NamingParts,
  given: SetBudgetRequest,
): Promise<BudgetAnswer> {
  const { database, clock } = parts;
  const request = nameAsKept(parts, given);
  const { tenant_id: tenantId, per, tags, actor } = request;
  const { measure, limit } = budgetLimit(request);
  const at = clock();
  const tenant = await readTenant(database.kysely, tenantId);
  const catalog = await loadPriceCatalog(database.kysely);
  const currency = assignedBook(tenant, catalog, at)?.currency ?? DEFAULT_CURRENCY;
  const budget = {
    tenantId,
    measure,
    per,
    tags: tags ?? {},
    limit,
    feature: request.feature,
    userId: request.user_id,
    agentRunId: request.agent_run_id,
    currency: measure === 'money' ? currency : null,
    ...budgetPolicy(request),
  };
  const { timeZone, startDate: periodStart } = placeUsage(tenant, at).period;
  const saved = await inTransaction(database, async (transaction) => {
    await lockAgainstCounting(transaction);
    await refuseHoldsInTheWay(transaction, budget);
    return saveBudget(transaction, budget, { actor, at, timeZone, periodStart });
  });
  return tellBudget(saved);
}

/** What is held are numbers of the budget's currency: 1,000 yen that are promised must not stand there as 1,000 dollars. */
async function refuseHoldsInTheWay(transaction: Transaction, budget: NewBudget): Promise<void> {
  const held = await readHoldsInTheWay(transaction, budget);
  if (held === null) return;
  const named = held.names.map((name) => JSON.stringify(name)).join(', ');
  const others = held.count - held.names.length;
  throw new Refusal(
    'conflict',
    `tenant "${budget.tenantId}" is charged in ${budget.currency} now, and the budget has ${counted(held.count, 'open hold')} in ${held.currency}: ${named}${others === 0 ? '' : ` and ${counted(others, 'other')}`}`,
    'wait for the events of these calls or release the holds, and set it then; or remove the budget and set it anew, which begins without them',
  );
}

/** They are percents. */
const USUAL_THRESHOLDS = [80, 100];

/** An agent with tools asks its model some times with growing context, and that is its work. */
export const USUAL_LOOP_STEPS = 12;

/** Returns what a budget does about a call beside counting it, with what is usual where a request leaves it out. */
export function budgetPolicy({
  kind,
  on_unavailable: onUnavailable,
  priced_only: pricedOnly,
  thresholds,
  loop,
}: Pick<SetBudgetRequest, 'kind' | 'on_unavailable' | 'priced_only' | 'thresholds' | 'loop'>): Pick<
  Budget,
  'isHard' | 'onUnavailable' | 'pricedOnly' | 'thresholds' | 'loop'
> {
  return {
    isHard: kind === 'hard',
    onUnavailable: onUnavailable ?? 'deny',
    pricedOnly: pricedOnly ?? false,
    thresholds: [...new Set(thresholds ?? USUAL_THRESHOLDS)].sort((a, b) => a - b),
    loop,
  };
}

/** Returns what a budget limits, and to how much. Throws a `Refusal` where it is neither or both. */
export function budgetLimit({
  amount,
  tokens,
}: Pick<SetBudgetRequest, 'amount' | 'tokens'>): Pick<Budget, 'measure' | 'limit'> {
  if (amount !== null && amount < 0n) {
    throw new Refusal('bad_request', 'a budget is not below zero', 'give 0 to allow nothing');
  }
  if (amount !== null && tokens === null) return { measure: 'money', limit: amount };
  if (tokens !== null && amount === null) return { measure: 'tokens', limit: BigInt(tokens) };
  throw new Refusal(
    'bad_request',
    'a budget is a limit of money or of tokens',
    'give an amount or tokens; set two budgets for both',
  );
}

/** Takes a budget away with what it counted; throws a `Refusal` where there is none. */
export async function removeBudget(
  parts: Pick<Parts, 'database'> & NamingParts,
  given: RemoveBudgetRequest,
): Promise<RemoveBudgetAnswer> {
  const { database } = parts;
  const key = nameAsKept(parts, given);
  const { tenant_id: tenantId, per, feature, user_id: userId, agent_run_id: agentRunId } = key;
  const measure = key.measure ?? 'money';
  const tags = key.tags ?? {};
  const of = { tenantId, measure, per, feature, userId, agentRunId, tags };
  const budgetId = await inTransaction(database, async (transaction) => {
    await lockAgainstCounting(transaction);
    return deleteBudget(transaction, of);
  });
  if (budgetId !== null) return { removed: true, budget_id: budgetId.toString() };
  throw new Refusal(
    'not_found',
    `tenant "${tenantId}" has no such budget of ${measure} per ${per}`,
    advise`see ${{ operation: 'budget list' }}`,
  );
}

/** Returns a budget as answers show it. */
export function tellBudget(budget: Budget): BudgetAnswer {
  return {
    budget_id: budget.budgetId.toString(),
    tenant_id: budget.tenantId,
    measure: budget.measure,
    per: budget.per,
    feature: budget.feature,
    user_id: budget.userId,
    agent_run_id: budget.agentRunId,
    tags: budget.tags,
    limit: formatMeasure(budget.measure, budget.limit),
    currency: budget.currency,
    kind: budget.isHard ? 'hard' : 'soft',
    on_unavailable: budget.onUnavailable,
    priced_only: budget.pricedOnly,
    thresholds: [...budget.thresholds],
    loop: budget.loop,
  };
}
