import { beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../../support/ledger.ts';

/** One event under two tenants, whose entries stand in periods of two months (R9, R24). */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

it('an event whose tenant was mended months after its own was closed is named by both months', async () => {
  const created = '2026-06-01T00:00:00Z';
  for (const tenant of ['acme', 'birch', 'cedar']) await makeTenant(database, tenant, { created });
  const moved = nativeEvent({ event_id: 'moved', occurred_at: '2026-07-10T12:00:00Z' });
  await receiveEvents(database, [moved], '2026-07-10T12:01:00Z');
  await close('2026-06', '2026-07', '2026-08', '2026-09', '2026-10');
  // What is late beside it, and usage of its days, are of one tenant each.
  const others = ['2026-07-10T13:00:00Z', '2026-11-09T12:00:00Z'].map((occurred_at, n) =>
    nativeEvent({ event_id: `other-${n}`, tenant_id: 'cedar', occurred_at }),
  );
  const again = { ...moved, tenant_id: 'birch' };
  await receiveEvents(database, [again, ...others], '2026-11-10T00:00:00Z');

  const named = [{ count: 2, detail: expect.stringContaining('"acme" and "birch"') }];
  expect(await sharedIn('2026-07')).toMatchObject(named);
  expect(await sharedIn('2026-11')).toMatchObject(named);
  expect(await sharedIn(null)).toMatchObject(named);
  expect(await sharedIn('2026-11', 'acme')).toMatchObject(named);
  expect(await sharedIn('2026-11', 'cedar')).toEqual([]);
  expect(await sharedIn('2026-08')).toEqual([]);
  expect(await sharedIn('2026-10')).toEqual([]);
});

it('an event under tenants whose periods begin on other days is named by the month of each', async () => {
  await makeTenant(database, 'acme', { anchorDay: 1 });
  await makeTenant(database, 'birch', { anchorDay: 15 });
  const moved = nativeEvent({ event_id: 'moved', occurred_at: '2026-11-10T12:00:00Z' });
  await receiveEvents(database, [moved, { ...moved, tenant_id: 'birch' }], '2026-11-10T13:00:00Z');
  expect(await sharedIn('2026-10')).toHaveLength(1);
  expect(await sharedIn('2026-11')).toHaveLength(1);
  expect(await sharedIn('2026-09')).toEqual([]);
});

it('an event whose time was mended over the end of a month, too, is named by both', async () => {
  const moved = nativeEvent({ event_id: 'moved', occurred_at: '2026-10-31T23:59:59.9Z' });
  const again = { ...moved, tenant_id: 'birch', occurred_at: '2026-11-01T00:00:00.1Z' };
  await receiveEvents(database, [moved], '2026-11-02T00:00:00Z');
  await receiveEvents(database, [again], '2026-11-02T00:00:00Z');
  expect(await sharedIn('2026-10')).toHaveLength(1);
  expect(await sharedIn('2026-11')).toHaveLength(1);
});

it('what two tenants are charged in two currencies is no sum', async () => {
  await importBook(database, {
    ...{ book: 'euro', kind: 'charge', currency: 'EUR', caching: 'work_done' },
    effective_from: '2026-01-01T00:00:00Z',
    models: [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }],
  });
  await makeTenant(database, 'acme');
  await makeTenant(database, 'birch', { priceBook: 'euro' });
  const moved = nativeEvent({ event_id: 'moved', occurred_at: '2026-10-10T12:00:00Z' });
  await receiveEvents(database, [moved, { ...moved, tenant_id: 'birch' }], '2026-10-10T13:00:00Z');
  expect(await sharedIn('2026-10')).toMatchObject([{ count: 2, amount: null, currency: null }]);
});

async function close(...months: readonly string[]): Promise<void> {
  const parts = { database, clock: () => parseInstant('2026-11-08T00:00:00Z') };
  for (const month of months) await closePeriods(parts, { month, tenant_id: null });
}

async function sharedIn(month: string | null, tenant: string | null = null) {
  const parts = { database, clock: () => parseInstant('2026-11-20T00:00:00Z') };
  const missing = await nameMissing(parts, { month, tenant_id: tenant });
  return missing.filter(({ kind }) => kind === 'under_two_tenants');
}
