import { expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../../src/ledger/corrections/adjust-tenant.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { readDays, readTenantDays } from '../../../src/reports/overview/overview-store.ts';
import { reportOverview } from '../../../src/reports/overview/report-overview.ts';
import { allocateShared } from '../../support/allocation.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it('the days of the overview hold what is due, and nothing late of a month that was closed in shadow', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'shadow' });
  await receiveEvents(database, [nativeEvent({ occurred_at: '2026-09-20T12:00:00Z' })]);
  const clock = () => parseInstant('2026-10-02T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-09', tenant_id: null });
  await receiveEvents(database, [
    nativeEvent({ event_id: 'late', occurred_at: '2026-09-25T12:00:00Z' }),
    nativeEvent({ event_id: 'due', occurred_at: '2026-10-05T12:00:00Z' }),
  ]);
  await foldAll(database, systemClock);
  const asked = {
    ...{ currency: 'USD', from: parseInstant('2026-09-21T00:00:00Z') },
    to: parseInstant('2026-11-01T00:00:00Z'),
  };
  // 1000 × 3.00 µ + 100 × 12.00 µ on the one day, and nothing on the other.
  const days = [
    { day: '2026-09-25', charge: 0n },
    { day: '2026-10-05', charge: 4_200_000_000n },
  ];
  const ofCalls = days.map((day) => ({ ...day, of_calls: day.charge }));
  const byDay = (a: { readonly day: string }, b: { readonly day: string }) =>
    a.day < b.day ? -1 : 1;
  for (const tenant of [null, 'acme']) {
    expect((await readDays(database, tenant, asked)).toSorted(byDay)).toEqual(ofCalls);
  }
  const ofTenants = await readTenantDays(database, ['acme'], asked);
  expect(ofTenants.toSorted(byDay)).toMatchObject(days);
});

it('the projection of the overview goes on with calls alone: a pool and a credit count once', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live' });
  // 1,000,000 x 3.00 a million on each day.
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };
  const callOn = (day: string) =>
    nativeEvent({ event_id: day, occurred_at: `${day}T10:00:00Z`, usage });
  const daysOf = (month: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${month}-${String(at + 1).padStart(2, '0')}`);
  await receiveEvents(database, daysOf('2026-10', 31).map(callOn), '2026-11-01T00:00:00Z');
  await receiveEvents(database, daysOf('2026-11', 9).map(callOn), '2026-11-10T00:00:00Z');
  const clock = () => parseInstant('2026-11-10T12:00:00Z');
  const projected = async () => {
    const asked = { month: '2026-11', currency: null, tenant_id: null, limit: 5 };
    const { to_date, projection } = await reportOverview({ database, clock }, asked);
    return [to_date.charge, projection?.charge];
  };
  expect(await projected()).toEqual(['27', '90']);
  const closing = { database, clock: () => parseInstant('2026-11-02T00:00:00Z') };
  await closePeriods(closing, { month: '2026-10', tenant_id: null });
  const pool = { amount: 1_000_000_000_000_000n, billed: true, at: '2026-11-02T01:00:00Z' };
  await allocateShared(database, pool);
  // The share of October is billed in November, and stands on a day of October.
  expect(await projected()).toEqual(['27', '90']);
  await adjustTenant(
    { database, clock: () => parseInstant('2026-11-09T12:00:00Z') },
    {
      ...{ tenant_id: 'acme', amount: -500_000_000_000_000n, id: null },
      ...{ reason: 'goodwill', actor: 'ada' },
    },
  );
  // 27 - 500, and 3.00 on each of 21 days.
  expect(await projected()).toEqual(['-473', '-410']);
});
