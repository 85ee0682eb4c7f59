import { beforeEach, expect, it } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

/** What is due of one who left and came late is closed with no later period, so the months after name it (R24). */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

it('late usage of a customer who left is missing from the months after it until its period is closed', async () => {
  await makeTenant(database, 'acme', { mode: 'live' });
  await receiveEvents(database, [nativeEvent()]);
  await closeTenant(partsAt('2026-10-21T00:00:00Z'), {
    tenant_id: 'acme',
    at: parseInstant('2026-10-20T13:00:00Z'),
  });
  await close('2026-10', '2026-11-01T00:10:00Z');
  expect(await missingOf('2026-11')).toEqual([]);

  await receiveEvents(database, [nativeEvent({ event_id: 'late' })], '2026-11-03T00:00:00Z');

  const found = await missingOf('2026-11');
  expect(found).toMatchObject([
    {
      ...{ kind: 'not_closed', tenant_id: 'acme', period_start: '2026-10-20' },
      ...{ amount: '0.0042', currency: 'USD' },
    },
  ]);
  expect(remedyText(found[0]?.remedy ?? [])).toContain('spanledger close 2026-10 --tenant acme');
  expect(await close('2026-10', '2026-12-01T00:10:00Z')).toMatchObject([
    { period_start: '2026-10-01', state: 'already_closed' },
    { period_start: '2026-10-20', state: 'closed' },
  ]);
  expect(await missingOf('2026-11')).toEqual([]);
});

it('in shadow nothing of it is due, so nothing is missing', async () => {
  await makeTenant(database, 'acme', { mode: 'shadow' });
  await receiveEvents(database, [nativeEvent()]);
  await closeTenant(partsAt('2026-10-21T00:00:00Z'), {
    tenant_id: 'acme',
    at: parseInstant('2026-10-20T13:00:00Z'),
  });
  await receiveEvents(database, [nativeEvent({ event_id: 'late' })], '2026-11-03T00:00:00Z');
  expect(await missingOf('2026-11')).toEqual([]);
});

const partsAt = (at: string) => ({ database, clock: () => parseInstant(at) });

function close(month: string, at: string) {
  return closePeriods(partsAt(at), { month, tenant_id: 'acme' });
}

async function missingOf(month: string) {
  const missing = await nameMissing(partsAt('2026-12-01T00:05:00Z'), { month, tenant_id: null });
  return missing.filter(({ kind }) => kind === 'not_closed');
}
