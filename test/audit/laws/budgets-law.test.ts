import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkBudgetCounts } from '../../../src/audit/laws/budgets-law-store.ts';
import { checkLaws } from '../../../src/audit/laws/check-laws.ts';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { putBudget, reserve } from '../../support/budgets.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { undone } from '../../support/undone.ts';

/** Two budgets, a settled hold, an open one and a released budget's rest; one call is not folded yet. */
async function fillSoundly(database: Database): Promise<void> {
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await receiveEvents(database, [nativeEvent({ event_id: 'before' })]);
  await foldAll(database, systemClock);
  await putBudget(database, { amount: '1' });
  await putBudget(database, { per: 'day', tokens: 1_000_000 });
  await reserve(database, { hold_id: 'settled' });
  await reserve(database, { hold_id: 'open' });
  await receiveEvents(database, [nativeEvent({ event_id: 'held', hold_id: 'settled' })]);
  await foldAll(database, systemClock);
  await receiveEvents(database, [nativeEvent({ event_id: 'after' })]);
}

let ledger: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
beforeAll(async () => {
  ledger = await createDatabase();
  await fillSoundly(ledger.database);
});
afterAll(() => ledger.drop());

async function law10(database: Database, scope: 'full' | 'incremental' = 'full') {
  const request = { scope, published: [] };
  const reports = await checkLaws({ database, clock: systemClock, checkStripe: null }, request);
  const report = reports.find(({ law }) => law === 10);
  if (report === undefined) throw new Error('nobody checks law 10');
  return report;
}

it('law 10 holds where budgets were set between folds', async () => {
  expect(await law10(ledger.database)).toMatchObject({ checked: 3, violations: [] });
});

it.each([
  [
    'a counter spent a picodollar more',
    `update budget_counters set spent = spent + 1 where time_key = '2026-10-01'`,
    /^budget 1 of tenant "acme" in 2026-10-01: spent 12600000001, .* come to 12600000000,/,
  ],
  [
    'a counter holds less',
    `update budget_counters set held = held - 1 where time_key = '2026-10-15'`,
    /^budget 2 .*, held 1199; .* its open holds to 1200$/,
  ],
  [
    'a counter is gone',
    `delete from budget_counters where time_key = '2026-10-01'`,
    /^budget 1 .*: spent 0, held 0; its entries come to 12600000000, its open holds to 5400000000$/,
  ],
  [
    'an open hold is gone',
    `delete from budget_holds where hold_id = 'open'`,
    /^budget 1 .*, held 5400000000; .* its open holds to 0$/,
  ],
  [
    'a hold was closed past our code',
    `update budget_holds set state = 'released', released_by = 'x', ended_at = now() where hold_id = 'open'`,
    /^budget 1 .*, held 5400000000; .* its open holds to 0$/,
  ],
  [
    'a hold is settled by an event that is in no entry',
    `update budget_holds set settled_event_id = 'nobody' where hold_id = 'settled'`,
    /^hold "settled" of tenant "acme" is settled by event "nobody" of source "default", which has no entry$/,
  ],
])('law 10 names the row when %s', async (_, statement, named) => {
  const { violations } = await undone(ledger.database, async (inside) => {
    await foldAll(inside, systemClock);
    await inside.pool.query(statement);
    return checkBudgetCounts(inside, await openScope(inside, 'full'));
  });
  expect(violations[0]).toMatch(named);
});

it('an incremental run finds what holds do not come to, and leaves what was spent to a full one', async () => {
  const { database } = ledger;
  await law10(database);
  await database.pool.query('update budget_counters set held = held + 1, spent = spent + 1');
  const report = await law10(database, 'incremental');
  expect(report.violations).toHaveLength(2);
  expect(report.range).toBe('holds checked');
});
