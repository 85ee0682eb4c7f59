import { expect, it } from 'vitest';
import { minorUnitDecimals, SUPPORTED_CURRENCIES } from '../../src/currencies.ts';
import { freshDatabase } from '../support/database.ts';

it('the database writes totals with the minor units of the one table', async () => {
  const database = await freshDatabase({ connections: 1 });
  const { rows } = await database.pool.query<{ currency: string; unit: string }>(
    'select c as currency, minor_unit(c)::text as unit from unnest($1::text[]) c',
    [SUPPORTED_CURRENCIES],
  );
  const wrong = rows.filter(
    ({ currency, unit }) => Number(unit) !== 10 ** -minorUnitDecimals(currency),
  );
  expect(wrong).toEqual([]);
});

it.each([
  'periods',
  'closes',
  'entries',
  'push_intents',
  'quarantine',
  'tenants',
  'tenant_price_books',
  'push_alerts',
])('the database refuses to empty %s', async (table) => {
  const database = await freshDatabase({ connections: 1 });
  await expect(database.pool.query(`truncate ${table} cascade`)).rejects.toThrow(/refused/);
});
