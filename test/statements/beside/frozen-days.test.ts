import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { renderStatement } from '../../../src/statements/render-statement.ts';
import { readStatements } from '../../../src/statements/statement-store.ts';
import { setTenant } from '../../../src/tenants/set-tenant.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it('a rewritten statement keeps its days and shows the new name', async () => {
  // given October, closed in two zones: one whose days are those of rollups, and one whose days are not
  const database = await freshDatabase({ connections: 4 });
  const at = (text: string) => ({ database, clock: () => parseInstant(text) });
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'utc');
  await makeTenant(database, 'tokyo', { timeZone: 'Asia/Tokyo' });
  for (const tenant_id of ['utc', 'tokyo']) {
    await setTenant(at('2026-09-16T00:00:00Z'), { tenant_id, name: 'Old name' });
  }
  const call = (tenant_id: string, occurred_at: string, feature: string) =>
    nativeEvent({ event_id: `${tenant_id} ${occurred_at}`, tenant_id, occurred_at, feature });
  const calls = ['utc', 'tokyo'].flatMap((tenant) =>
    ['2026-09-30T20:00:00Z', '2026-10-09T15:30:00Z', '2026-10-10T14:30:00Z'].map((at) =>
      call(tenant, at, 'search'),
    ),
  );
  await receiveEvents(database, calls, '2026-10-20T00:00:00Z');
  for (const month of ['2026-09', '2026-10']) {
    await closePeriods(at('2026-11-02T00:00:00Z'), { month, tenant_id: null });
  }
  const before = await written(database);
  expect(before.map(({ days }) => days)).toEqual([
    ['2026-10-01', '2026-10-10'],
    ['2026-10-09', '2026-10-10'],
  ]);

  // when everything that can be set is set anew, and what belongs to October comes late
  for (const tenant_id of ['utc', 'tokyo']) {
    await setTenant(at('2026-11-03T00:00:00Z'), {
      ...{ tenant_id, time_zone: 'America/Los_Angeles', anchor_day: 15, name: 'New name' },
    });
  }
  const late = ['utc', 'tokyo'].map((tenant) => call(tenant, '2026-10-12T00:00:00Z', 'chat'));
  await receiveEvents(database, late, '2026-11-04T00:00:00Z');
  const entries = await textRows(
    database,
    `select entry_id from entries where occurred_at = '2026-10-09T15:30:00Z'`,
  );
  const corrections = entries.map(({ entry_id: id }) => ({
    entryId: BigInt(id ?? -1),
    change: { feature: 'chat' },
    note: { reason: 'a test', actor: 'ada' },
  }));
  await postCorrections(database, () => parseInstant('2026-11-05T00:00:00Z'), corrections);
  await foldAll(database, () => parseInstant('2026-11-05T00:00:00Z'));

  // then the statements of October have the same bytes but for the name
  const after = await written(database);
  for (const [index, { forms, days }] of after.entries()) {
    expect(days).toEqual(before[index]?.days);
    expect(forms).not.toEqual(before[index]?.forms);
    const renamed = forms.map((form) => form.replaceAll('New name', 'Old name'));
    expect(renamed).toEqual(before[index]?.forms);
  }
});

/** The statements of October in every form that is text, and the days on which they charge. */
async function written(database: Database) {
  const statements = await readStatements(database, { month: '2026-10', tenantId: null });
  return Promise.all(
    statements.map(async (statement) => ({
      days: statement.daily.map(({ day }) => day),
      forms: await Promise.all(
        (['json', 'text', 'csv', 'html'] as const).map(async (format) =>
          String(await renderStatement(statement, { format, issuer: null })),
        ),
      ),
    })),
  );
}
