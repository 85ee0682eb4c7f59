import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { DEFAULT_CURRENCY } from '../rating/rate-event.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { assignedBook } from '../tenants/tenant.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import type { Budget } from './budget.ts';
import type {
  BudgetAnswer,
  BudgetsAnswer,
  RemoveBudgetAnswer,
  RemoveBudgetRequest,
  SetBudgetRequest,
} from './budget-answer.ts';
import { deleteBudget, readBudgets, saveBudget } from './budget-store.ts';

/** Sets a budget in the currency in which the tenant is charged; the answer is the budget. */
export async function setBudget(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { tenant_id: tenantId, per, feature, user_id: userId, amount, kind, actor }: SetBudgetRequest,
): Promise<BudgetAnswer> {
  if (amount < 0n) {
    throw new Refusal('bad_request', 'a budget is not below zero', 'give 0 to allow nothing');
  }
  const at = clock();
  const tenant = await readTenant(database.kysely, tenantId);
  const catalog = await loadPriceCatalog(database.kysely);
  const currency = assignedBook(tenant, catalog, at)?.currency ?? DEFAULT_CURRENCY;
  const budget = { tenantId, per, feature, userId, amount, currency, isHard: kind === 'hard' };
  await saveBudget(database, budget, { actor, at });
  return tellBudget(budget);
}

/** Takes a budget away; throws a `Refusal` where there is none. */
export async function removeBudget(
  { database }: Pick<Parts, 'database'>,
  key: RemoveBudgetRequest,
): Promise<RemoveBudgetAnswer> {
  const { tenant_id: tenantId, per, feature, user_id: userId } = key;
  if (await deleteBudget(database, { tenantId, per, feature, userId })) {
    return { removed: true, ...key };
  }
  throw new Refusal(
    'not_found',
    `tenant "${tenantId}" has no such budget per ${per}`,
    advise`see ${{ operation: 'budget list' }}`,
  );
}

/** All budgets. */
export async function listBudgets({
  database,
  view = database,
}: Pick<Parts, 'database' | 'view'>): Promise<BudgetsAnswer> {
  return (await readBudgets(view, null)).map(tellBudget);
}

/** A budget as answers show it. */
export function tellBudget(budget: Budget): BudgetAnswer {
  return {
    tenant_id: budget.tenantId,
    per: budget.per,
    feature: budget.feature,
    user_id: budget.userId,
    amount: formatPico(budget.amount),
    currency: budget.currency,
    kind: budget.isHard ? 'hard' : 'soft',
  };
}
