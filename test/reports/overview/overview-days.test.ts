import { expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { readDays, readTenantDays } from '../../../src/reports/overview/overview-store.ts';
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
  const byDay = (a: { readonly day: string }, b: { readonly day: string }) =>
    a.day < b.day ? -1 : 1;
  for (const tenant of [null, 'acme']) {
    expect((await readDays(database, tenant, asked)).toSorted(byDay)).toEqual(days);
  }
  const ofTenants = await readTenantDays(database, ['acme'], asked);
  expect(ofTenants.toSorted(byDay)).toMatchObject(days);
});
