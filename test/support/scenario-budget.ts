import { listBudgets } from '../../src/budgets/list-budgets.ts';
import type { NamingParts } from '../../src/budgets/name-as-kept.ts';
import { releaseHold } from '../../src/budgets/release-hold.ts';
import type { Clock } from '../../src/clock.ts';
import { formatInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { takeEndedHolds } from '../../src/ledger/rollups/ended-hold-store.ts';
import { check, putBudget, reserve } from './budgets.ts';

/** The steps of a scenario that ask budgets; test/scenarios/README.md describes them. */
export type BudgetStep =
  | { readonly set_budget: Parameters<typeof putBudget>[1]; readonly at?: string }
  | { readonly check: Parameters<typeof check>[1]; readonly at?: string }
  | { readonly reserve: Parameters<typeof reserve>[1]; readonly at?: string }
  | { readonly release: string; readonly at?: string }
  | { readonly take_ended_holds: 'all'; readonly at?: string }
  | { readonly budgets: 'all'; readonly at?: string };

export async function takeBudget(
  {
    database,
    clock,
    ...parts
  }: { readonly database: Database; readonly clock: Clock } & NamingParts,
  step: BudgetStep,
): Promise<unknown> {
  const at = formatInstant(clock());
  if ('set_budget' in step) return putBudget(database, step.set_budget, at);
  if ('check' in step) return check(database, step.check, at, parts.reading);
  if ('reserve' in step) return reserve(database, step.reserve, at, parts.reading);
  if ('release' in step) {
    const request = { hold_id: step.release, tenant_id: null, actor: 'ada' };
    return releaseHold({ database, clock }, request);
  }
  if ('take_ended_holds' in step) {
    await takeEndedHolds(database, clock());
    return 'taken';
  }
  return listBudgets({ database, clock }, { tenant_id: null, as_of: null });
}
