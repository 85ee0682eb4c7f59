import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { ENTRIES_OF_BATCH } from '../ledger/posting/posting-store.ts';
import type { Pico } from '../money.ts';
import { present } from '../present.ts';
import type { Budget } from './budget.ts';

/** The budgets of a tenant, or of all. */
export async function readBudgets(
  database: Database,
  tenantId: string | null,
): Promise<readonly Budget[]> {
  let query = database.kysely.selectFrom('budgets').selectAll();
  if (tenantId !== null) query = query.where('tenant_id', '=', tenantId);
  const rows = await query
    .orderBy('tenant_id')
    .orderBy('per')
    .orderBy('feature')
    .orderBy('user_id')
    .execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    per: row.per,
    feature: row.feature || null,
    userId: row.user_id || null,
    amount: row.amount,
    currency: row.currency,
    isHard: row.is_hard,
  }));
}

/** Sets a budget, or changes the one that is there. */
export async function saveBudget(
  database: Database,
  budget: Budget,
  by: { readonly actor: string; readonly at: InstantMs },
): Promise<void> {
  const set = {
    amount: budget.amount,
    currency: budget.currency,
    is_hard: budget.isHard,
    set_at: formatInstant(by.at),
    set_by: by.actor,
  };
  await database.kysely
    .insertInto('budgets')
    .values({ ...keyOf(budget), ...set })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'per', 'feature', 'user_id']).doUpdateSet(set),
    )
    .execute();
}

export type BudgetKey = Pick<Budget, 'tenantId' | 'per' | 'feature' | 'userId'>;

/** Answers whether there was such a budget. */
export async function deleteBudget(database: Database, key: BudgetKey): Promise<boolean> {
  const of = keyOf(key);
  const deleted = await database.kysely
    .deleteFrom('budgets')
    .where('tenant_id', '=', of.tenant_id)
    .where('per', '=', of.per)
    .where('feature', '=', of.feature)
    .where('user_id', '=', of.user_id)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

function keyOf(key: BudgetKey) {
  return {
    tenant_id: key.tenantId,
    per: key.per,
    feature: key.feature ?? '',
    user_id: key.userId ?? '',
  };
}

/**
 * What was charged against a budget: rollups, and the few batches that are not folded into them yet, in
 * one snapshot. The finer rollup only where the budget is a user's.
 */
export async function readSpent(
  database: Database,
  budget: Budget,
  within: { readonly periodStart: string; readonly utcDay: string },
): Promise<Pico> {
  const table = budget.userId === null ? 'usage_rollups' : 'run_rollups';
  const time =
    budget.per === 'month'
      ? sql`period_start = ${within.periodStart}::date`
      : sql`day = ${within.utcDay}::date`;
  const narrower = sql`
    ${budget.feature === null ? sql`` : sql`and feature = ${budget.feature}`}
    ${budget.userId === null ? sql`` : sql`and user_id = ${budget.userId}`}`;
  const { rows } = await sql<{ spent: Pico }>`
    select coalesce(sum(charge), 0) as spent from (
      select charge from ${sql.table(table)}
      where tenant_id = ${budget.tenantId} and currency = ${budget.currency} and ${time} ${narrower}
      union all
      select charge from (
        select e.*, (e.occurred_at at time zone 'UTC')::date as day
        from fold_queue batch ${sql.raw(ENTRIES_OF_BATCH)}) unfolded
      where tenant_id = ${budget.tenantId} and currency = ${budget.currency} and ${time} ${narrower}
    ) charged`.execute(database.kysely);
  return present(rows[0], 'the sum of what was spent').spent;
}
