import { formatInstantOrNull, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { foldAll } from '../ledger/rollups/fold-batches.ts';
import type { Parts } from '../parts.ts';
import { placeUsage } from '../periods/placement.ts';
import { readTenants } from '../tenants/tenant-store.ts';
import { formatMeasure } from './budget.ts';
import type { BudgetsAnswer, HoldAnswer } from './budget-answer.ts';
import type { StandingRow } from './budget-store.ts';
import { budgetOf, readBudgetedTenants, readStandings } from './budget-store.ts';
import { countOpenHolds, readUnsettledHolds } from './hold-store.ts';
import { tellHold } from './release-hold.ts';
import { tellBudget } from './set-budget.ts';

/**
 * Lists all budgets that whoever asks may see, how they stand in the time that runs, and the holds
 * of each whose event did not come.
 */
export async function listBudgets({
  database,
  clock,
  view = database,
}: Pick<Parts, 'database' | 'clock' | 'view'>): Promise<BudgetsAnswer> {
  await foldAll(database, clock);
  const now = clock();
  const tenants = await readTenants(database.kysely, await readBudgetedTenants(view));
  const placed = tenants.map((tenant) => ({
    tenantId: tenant.tenantId,
    period: placeUsage(tenant, now).period,
  }));
  const rows = await readStandings(database, { now, tenants: placed });
  const unsettled = await readUnsettledHolds(database, now);
  const byBudget = Map.groupBy(rows, ({ budget_id }) => budget_id);
  return [...byBudget.values()].flatMap((standings) => {
    const [first] = standings;
    if (first === undefined) return [];
    const id = first.budget_id.toString();
    const holds = unsettled.filter(({ budget_ids }) => budget_ids.includes(id));
    return [
      {
        ...tellBudget(budgetOf(first)),
        times: standings.filter(({ time_key }) => time_key !== null).map(tellStanding),
        unsettled_holds: holds.map((hold) => tellHold(hold, now)),
      },
    ];
  });
}

const UNSETTLED_SHOWN = 100;

/** Tells how many holds wait for their events, and those whose event did not come in time. */
export async function tellOpenHolds(
  database: Database,
  now: InstantMs,
): Promise<{ readonly open: number; readonly unsettled: readonly HoldAnswer[] }> {
  const unsettled = await readUnsettledHolds(database, now);
  return {
    open: await countOpenHolds(database),
    unsettled: unsettled.slice(0, UNSETTLED_SHOWN).map((hold) => tellHold(hold, now)),
  };
}

function tellStanding(row: StandingRow): BudgetsAnswer[number]['times'][number] {
  const { measure, spent, held, amount } = row;
  return {
    time: row.time_key,
    spent: formatMeasure(measure, spent),
    held: formatMeasure(measure, held),
    left: formatMeasure(measure, amount - spent - held),
    resets_at: formatInstantOrNull(row.resets_at),
  };
}
