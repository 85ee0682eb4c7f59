import { formatInstant, formatInstantOrNull, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { foldBeforeReading } from '../ledger/rollups/reading-folds.ts';
import type { Parts } from '../parts.ts';
import { periodContaining } from '../periods/calendar.ts';
import { placeUsage } from '../periods/placement.ts';
import { Refusal } from '../refusal.ts';
import { refuseUnknownTenant } from '../tenants/asked-tenant.ts';
import { readTenants } from '../tenants/tenant-store.ts';
import { formatMeasure } from './budget.ts';
import type { BudgetsAnswer, BudgetsRequest, HoldAnswer } from './budget-answer.ts';
import type { StandingRow } from './budget-store.ts';
import { budgetOf, readBudgetedTenants, readStandings } from './budget-store.ts';
import { countOpenHolds, readHoldsKeptSince, readUnsettledHolds } from './hold-store.ts';
import { tellHold } from './release-hold.ts';
import { tellBudget } from './set-budget.ts';

/**
 * Lists all budgets that whoever asks may see, how they stand in the time that runs, or ran at an
 * instant, and the holds of each whose event did not come.
 */
export async function listBudgets(
  parts: Pick<Parts, 'database' | 'clock' | 'view' | 'folds'>,
  { tenant_id: tenantId, as_of: asOf }: BudgetsRequest,
): Promise<BudgetsAnswer> {
  const { database, clock, view = database } = parts;
  await refuseUnknownTenant(parts, tenantId);
  if (asOf === null) await foldBeforeReading(parts);
  else await refuseBeforeKeptHolds(database, asOf);
  const now = asOf ?? clock();
  const isAsOf = asOf !== null;
  const seen = await readBudgetedTenants(view, { tenantId, now: !isAsOf });
  const tenants = await readTenants(database.kysely, seen);
  const placed = tenants.map((tenant) => ({
    tenantId: tenant.tenantId,
    // A period that was closed since ran at that instant.
    period: isAsOf ? periodContaining(tenant.calendar, now) : placeUsage(tenant, now).period,
  }));
  const rows = await readStandings(database, { now, isAsOf, tenants: placed });
  const unsettled = await readUnsettledHolds(database, now, isAsOf);
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

/** What was held at an instant is the sum of the holds that were open then, and some days after they end they leave. */
async function refuseBeforeKeptHolds(database: Database, asOf: InstantMs): Promise<void> {
  const since = await readHoldsKeptSince(database);
  if (since === null || asOf >= since) return;
  throw new Refusal(
    'incomplete',
    `what was held at ${formatInstant(asOf)} cannot be told: holds that ended by ${formatInstant(since)} are no longer kept`,
    'ask for a later instant; what was spent stands in the reports of usage',
  );
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
