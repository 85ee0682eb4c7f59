import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { importExchangeRates } from '../../src/rating/exchange/import-exchange-rates.ts';
import { importBook, makeTenant } from './ledger.ts';

/** A tenant that pays in euros, where providers are paid in dollars: what gpt-4o costs is converted. */
export async function makeConvertedTenant(database: Database, tenantId: string): Promise<void> {
  const effective_from = '2026-01-01T00:00:00Z';
  const models = [{ model: 'gpt-4o', per_million: { input: '2', output: '2' } }];
  await importBook(database, {
    ...{ book: 'euro', kind: 'charge', currency: 'EUR', effective_from, models },
  });
  await makeTenant(database, tenantId, { priceBook: 'euro' });
  const rates = { base: 'EUR', effective_from, source: 'a bank', rates: { USD: '1.25' } };
  const clock = () => parseInstant('2026-11-03T00:00:00Z');
  await importExchangeRates({ database, clock }, { documents: [rates] });
}
