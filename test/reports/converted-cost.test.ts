import { expect, it } from 'vitest';
import { checkPrices } from '../../src/audit/laws/prices-law-store.ts';
import { readStory } from '../../src/audit/story-store.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { nameMissing } from '../../src/month/completeness/name-missing.ts';
import {
  importExchangeRates,
  listExchangeRates,
} from '../../src/rating/exchange/import-exchange-rates.ts';
import { reportCostDrift } from '../../src/reports/report-cost-drift.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBook, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

const clock = () => parseInstant('2026-10-20T12:00:00Z');
const FULL = {
  kind: 'full',
  after: { number: 0n, hash: Buffer.alloc(32) },
  through: 0n,
  changes: { after: 0n, through: 0n },
  closedSince: 0,
} as const;
const RATES = {
  base: 'EUR',
  effective_from: '2026-10-01T00:00:00Z',
  source: 'European Central Bank',
  rates: { USD: '1.25' },
};

it('a cost in dollars is converted for a tenant that pays in euros, and recomputes', async () => {
  const database = await freshDatabase({ connections: 4 });
  const parts = { database, clock };
  const per_million = { input: '2', output: '2' };
  const book = { effective_from: '2026-01-01T00:00:00Z', models: [{ model: 'm', per_million }] };
  await importBook(database, { book: 'euro', kind: 'charge', currency: 'EUR', ...book });
  await importBook(database, { book: 'cost', kind: 'cost', currency: 'USD', ...book });
  await makeTenant(database, 'eu', { priceBook: 'euro' });
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };
  const call = (event_id: string, tags = {}) =>
    nativeEvent({ event_id, tenant_id: 'eu', requested_model: 'm', usage, tags });

  // Before there are rates the cost is unknown, whatever a producer calls its tags.
  await receiveEvents(database, [call('early', { cost_exchange: '1' })]);
  const lacking = await nameMissing(parts, { month: '2026-10', tenant_id: 'eu' });
  expect(lacking.find(({ kind }) => kind === 'without_cost')?.remedy).toContainEqual({
    operation: 'fx import',
  });
  expect(await importExchangeRates(parts, { documents: [RATES] })).toMatchObject([
    { answer: 'imported', currencies: 1, source: 'European Central Bank' },
  ]);
  await receiveEvents(database, [call('late')]);
  const costs = () =>
    textRows(
      database,
      `select event_id, cost, further_tags ->> 'cost_exchange' as version from entries
       where not is_reversal and cost is not null or revision = 0 order by event_id, revision`,
    );
  // $2 / 1.25 = €1.60
  expect(await costs()).toEqual([
    { event_id: 'early', cost: null, version: null },
    { event_id: 'late', cost: '1600000000000', version: '1' },
  ]);

  await rerateMonth(parts, {
    ...{ month: '2026-10', tenant_id: null, dry_run: false },
    ...{ reason: 'rates', actor: 'ada' },
  });
  expect((await costs()).map(({ event_id, cost }) => [event_id, cost])).toContainEqual([
    'early',
    '1600000000000',
  ]);
  expect((await checkPrices(database, FULL)).violations).toEqual([]);

  const used = [{ source: 'European Central Bank', base: 'EUR', entries: 2 }];
  expect(await exchangeRates(database, '2026-10')).toMatchObject(used);
  // One tenant's are counted in another place, and those of an earlier instant in the entries themselves.
  const as_of = parseInstant('2026-12-01T00:00:00Z');
  for (const more of [{ tenant_id: 'eu' }, { as_of }, { tenant_id: 'eu', as_of }]) {
    expect(await exchangeRates(database, '2026-10', more)).toMatchObject(used);
  }
  expect(await exchangeRates(database, '2026-09')).toEqual([]);

  const { rules } = await readStory(database, { source: 'default', eventId: 'late', asOf: null });
  expect(rules.map(({ rule }) => rule)).toContainEqual(
    'its cost was converted by the rates of European Central Bank from 2026-10-01T00:00:00.000Z',
  );
});

it('what a producer reports in dollars is converted for a tenant that pays in euros, or is counted apart', async () => {
  const database = await freshDatabase({ connections: 4 });
  const parts = { database, clock };
  const per_million = { input: '2', output: '2' };
  const book = { effective_from: '2026-01-01T00:00:00Z', models: [{ model: 'm', per_million }] };
  await importBook(database, { book: 'euro', kind: 'charge', currency: 'EUR', ...book });
  await importBook(database, { book: 'cost', kind: 'cost', currency: 'EUR', ...book });
  await makeTenant(database, 'eu', { priceBook: 'euro' });
  await importExchangeRates(parts, { documents: [RATES] });
  const call = (event_id: string, amount: string, currency: string) => ({
    ...nativeEvent({ event_id, tenant_id: 'eu', requested_model: 'm', provider: 'openai' }),
    usage: { input_tokens: 1_000_000, output_tokens: 0 },
    reported_cost: { amount, currency, source: 'gateway' },
  });
  await receiveEvents(database, [
    call('same', '2', 'EUR'),
    call('dollars', '3', 'USD'),
    call('yen', '300', 'JPY'),
  ]);
  const ask = { by: ['provider'] as const, tenant_id: null, month: null, from: null, to: null };
  // $3 / 1.25 = €2.40, beside €2 reported as it is: €4.40 reported, €4.00 by our prices
  expect((await reportCostDrift(parts, ask)).rows).toMatchObject([
    { calls: 3, calls_with_both: 2, converted: 1, in_other_currency: 1 },
  ]);
  expect((await reportCostDrift(parts, ask)).rows).toMatchObject([
    { reported_cost: '4.4', our_cost: '4', drift: '0.4', drift_percent: '10.00' },
  ]);
});

it('rates with a slip are put right at the very instant of their begin, for costs and for what is reported', async () => {
  const database = await freshDatabase({ connections: 4 });
  const parts = { database, clock };
  const per_million = { input: '1', output: '1' };
  const book = { effective_from: '2026-01-01T00:00:00Z', models: [{ model: 'm', per_million }] };
  await importBook(database, { book: 'usd', kind: 'charge', currency: 'USD', ...book });
  await importBook(database, { book: 'cost', kind: 'cost', currency: 'EUR', ...book });
  const rated = (USD: string, effective_from: string) =>
    importExchangeRates(parts, { documents: [{ ...RATES, effective_from, rates: { USD } }] });
  await rated('10.834', '2026-10-01T00:00:00Z');
  const call = (event_id: string, occurred_at: string) => ({
    ...nativeEvent({ event_id, occurred_at, requested_model: 'm', provider: 'openai' }),
    usage: { input_tokens: 1_000_000, output_tokens: 0 },
    reported_cost: { amount: '2', currency: 'EUR', source: 'gateway' },
  });
  // A producer that stamps whole days sits on the very instant from which the rates hold.
  await receiveEvents(database, [
    call('day', '2026-10-01T00:00:00Z'),
    call('later', '2026-10-01T00:00:01Z'),
  ]);
  await expect(rated('1.0834', '2026-10-01T00:00:00Z')).rejects.toMatchObject({
    remedy: [expect.stringContaining('from 2026-10-01T00:00:00.001Z on they hold for all of that')],
  });
  await rated('1.0834', '2026-10-01T00:00:00.001Z');
  await rerateMonth(parts, {
    ...{ month: '2026-10', tenant_id: null, dry_run: false },
    ...{ reason: 'a slip', actor: 'ada' },
  });
  // €1 is $1.0834 for each of the two, and what is reported is €2 each.
  const ask = { by: ['provider'] as const, tenant_id: null, month: null, from: null, to: null };
  expect((await reportCostDrift(parts, ask)).rows).toMatchObject([
    { calls_with_both: 2, our_cost: '2.1668', reported_cost: '4.3336' },
  ]);
  expect((await checkPrices(database, FULL)).violations).toEqual([]);
});

async function exchangeRates(database: Database, month: string, more: object = {}) {
  const ask = {
    by: ['tenant'] as const,
    tenant_id: null,
    month,
    from: null,
    to: null,
    as_of: null,
    ...more,
  };
  return (await reportUsage({ database, clock }, ask)).exchange_rates;
}

it('the same rates again change nothing, and other rates of the same instant are refused', async () => {
  const database = await freshDatabase({ connections: 4 });
  const parts = { database, clock };
  await importExchangeRates(parts, { documents: [RATES] });
  const again = await importExchangeRates(parts, {
    documents: [{ ...RATES, rates: { USD: '1.250' } }],
  });
  expect(again).toMatchObject([{ answer: 'unchanged' }]);
  await expect(
    importExchangeRates(parts, { documents: [{ ...RATES, rates: { USD: '1.3' } }] }),
  ).rejects.toThrow('a version is immutable');
  expect(await listExchangeRates(parts)).toMatchObject([
    { base: 'EUR', source: 'European Central Bank', rates: { USD: '1.25' } },
  ]);
});
