import { expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { exactPico } from '../../src/money.ts';
import { startConsole } from '../support/console.ts';
import { freshDatabase } from '../support/database.ts';
import { importBook, importBooks, makeTenant } from '../support/ledger.ts';

it('a credit left in a former currency is named on the overview and on the page of the month', async () => {
  // given
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await importBook(database, {
    ...{ book: 'euro', kind: 'charge', currency: 'EUR', effective_from: '2026-01-01T00:00:00Z' },
    models: [{ model: 'gpt-4o', per_million: { input: '3.00', output: '12.00' } }],
  });
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  const of = { tenant_id: 'acme', amount: exactPico('-12.5'), id: null };
  const note = { reason: 'goodwill', actor: 'ann' };
  const at = (text: string) => ({ database, clock: () => parseInstant(text) });
  await adjustTenant(at('2026-10-10T00:00:00Z'), { ...of, ...note });
  await closePeriods(at('2026-11-01T00:00:00Z'), { month: '2026-10', tenant_id: 'acme' });
  const from = { priceBookFrom: parseInstant('2026-11-01T00:00:00Z') };
  await makeTenant(database, 'acme', {
    ...{ priceBook: 'euro', ...from, created: '2026-11-02T00:00:00Z' },
  });
  const { clock } = at('2026-11-10T00:00:00Z');
  const running = await startConsole(database, { clock });

  // when
  const reader = await running.visit(await running.key('reader'));

  // then
  for (const path of ['/console', '/console/month?month=2026-10']) {
    expect((await reader.get(path)).text).toContain('12.5 USD more was credited to it');
  }
  await running.close();
});
