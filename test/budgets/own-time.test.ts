import { readFile } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { exactPico } from '../../src/money.ts';
import { check, clockAt, putBudget } from '../support/budgets.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/** A budget counts calls in the time in which they occurred, whatever month bills them. */

const NOVEMBER = '2026-11-05T12:00:00Z';
const NOTE = { reason: 'a mistake', actor: 'ada' };

let database: TestDatabase;

/** October is closed with a call of 0.0042; November has one of the same price, and budgets of 0.02. */
beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'october', occurred_at: '2026-10-15T13:00:00Z' }),
  ]);
  await closePeriods(
    { database, clock: clockAt('2026-11-02T00:00:00Z') },
    { month: '2026-10', tenant_id: null },
  );
  await putBudget(database, { per: 'month' }, NOVEMBER);
  await putBudget(database, { per: 'day' }, NOVEMBER);
  await receiveEvents(
    database,
    [nativeEvent({ event_id: 'november', occurred_at: NOVEMBER })],
    NOVEMBER,
  );
  await foldAll(database, systemClock);
});

async function spent() {
  const { budgets } = await check(database, {}, NOVEMBER);
  return budgets.map((budget) => [budget.per, budget.spent]);
}

async function takeBack(eventId: string) {
  const [entry] = await textRows(
    database,
    `select entry_id from entries where event_id = '${eventId}' and revision = 0`,
  );
  const entryId = BigInt(entry?.['entry_id'] ?? '');
  await postCorrections(database, clockAt(NOVEMBER), [{ entryId, change: null, note: NOTE }]);
  await foldAll(database, systemClock);
}

const COUNTED = [
  ['month', '0.0042'],
  ['day', '0.0042'],
];

it('what is taken back of a month that is closed lets the next one spend no more', async () => {
  await takeBack('october');
  expect(await spent()).toEqual(COUNTED);
  await takeBack('november');
  expect(await spent()).toEqual([
    ['month', '0'],
    ['day', '0'],
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('late usage of a month that is closed takes nothing from the next one', async () => {
  const late = nativeEvent({ event_id: 'late', occurred_at: '2026-10-31T23:59:00Z' });
  await receiveEvents(database, [late], NOVEMBER);
  await foldAll(database, systemClock);
  expect(await spent()).toEqual(COUNTED);
  await putBudget(database, { per: 'month', tokens: 5000 }, NOVEMBER);
  expect(await spent()).toEqual([...COUNTED, ['month', '1100']]);
});

it.each(['-5', '5'])('an adjustment of %s is no call, and no budget counts it', async (amount) => {
  const adjustment = { tenant_id: 'acme', amount: exactPico(amount), id: null, ...NOTE };
  await adjustTenant({ database, clock: clockAt(NOVEMBER) }, adjustment);
  expect(await spent()).toEqual(COUNTED);
  expect(await brokenLaws(database)).toEqual([]);
});

it('the migration gives back what counters of before had counted otherwise', async () => {
  await takeBack('october');
  const adjustment = { tenant_id: 'acme', amount: exactPico('-5'), id: null, ...NOTE };
  await adjustTenant({ database, clock: clockAt(NOVEMBER) }, adjustment);
  await database.pool.query(`update budget_counters c set spent = c.spent - 5000000000000
    - case b.per when 'month' then 4200000000 else 0 end from budgets b where b.budget_id = c.budget_id and c.spent > 0`);
  await database.pool.query(
    await readFile('migrations/0085-budgets-of-their-own-time.sql', 'utf8'),
  );
  expect(await spent()).toEqual(COUNTED);
  expect(await brokenLaws(database)).toEqual([]);
});
