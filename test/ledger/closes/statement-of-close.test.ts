import { expect, it } from 'vitest';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { renderStatement } from '../../../src/statements/render-statement.ts';
import { readStatements } from '../../../src/statements/statement-store.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it("the days of a statement are the customer's own", async () => {
  const database = await ready();
  await makeTenant(database, 'acme', { timeZone: 'Asia/Tokyo' });
  await receiveEvents(
    database,
    [
      // In Tokyo it is 00:30 on the first of October, and 00:30 on the last.
      nativeEvent({ event_id: 'first', occurred_at: '2026-09-30T15:30:00Z' }),
      nativeEvent({ event_id: 'last', occurred_at: '2026-10-30T15:30:00Z' }),
    ],
    '2026-10-31T00:00:00Z',
  );
  await close(database, '2026-10', '2026-11-01T00:00:00Z');
  const statement = await statementOf(database, '2026-10');
  expect(statement.daily.map(({ day }) => day)).toEqual(['2026-10-01', '2026-10-31']);
  const { days } = viewStatement(statement, 'Us').daily;
  expect([days[0]?.day, days.at(-1)?.day, days.length]).toEqual(['2026-10-01', '2026-10-31', 31]);
});

it('what was corrected of a closed period is told as that, with its month and its reason', async () => {
  const database = await ready();
  await makeTenant(database, 'acme', { mode: 'live' });
  const september = { occurred_at: '2026-09-10T00:00:00Z' };
  await receiveEvents(
    database,
    [
      nativeEvent({ event_id: 'kept', ...september }),
      nativeEvent({ event_id: 'taken', ...september }),
    ],
    '2026-09-20T00:00:00Z',
  );
  await close(database, '2026-09', '2026-10-01T00:00:00Z');
  const [taken] = await textRows(database, "select entry_id from entries where event_id = 'taken'");
  const note = { reason: 'ticket 4711', actor: 'ada' };
  await postCorrections(database, () => Date.parse('2026-10-05T00:00:00Z'), [
    { entryId: BigInt(taken?.['entry_id'] ?? ''), change: null, note },
  ]);
  await close(database, '2026-10', '2026-11-01T00:00:00Z');

  const statement = await statementOf(database, '2026-10');
  const text = await renderStatement(statement, { format: 'text', issuer: 'Us' });
  expect(text).toContain('\n  Credit for 1 call of September 2026: ticket 4711 (−0.0042)\n');
  expect(text).not.toContain('Late usage');
  // The call is one of September, so that October has none less than none.
  expect(statement.usage.calls).toBe(0);
  const view = viewStatement(statement, 'Us');
  const section = view.sections.find(({ title }) => title === 'Corrections of earlier periods');
  // 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042
  expect(section?.remarks).toEqual([
    { label: 'Credit for 1 call of September 2026: ticket 4711', amount: '−0.0042' },
  ]);
  expect(view.totals.map(({ label }) => label)).not.toContain('Late usage of earlier periods');
});

async function ready(): Promise<TestDatabase> {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  return database;
}

function close(database: TestDatabase, month: string, at: string) {
  return closePeriods({ database, clock: () => Date.parse(at) }, { month, tenant_id: null });
}

async function statementOf(database: TestDatabase, month: string) {
  const [statement] = await readStatements(database, { month, tenantId: 'acme' });
  if (statement === undefined) throw new Error('the period is not closed');
  return statement;
}
