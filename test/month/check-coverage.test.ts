import { expect, it } from 'vitest';
import { checkCoverage } from '../../src/month/steps/check-coverage.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

const REQUEST = { month: '2026-10', folder: 'none', issuer: 'none' };

it('holds a month of which too little of the cost names its tenant, and names the rest', async () => {
  const database = await freshDatabase({ connections: 4 });
  await importBooks(database, 'standard', 'cost');
  const untagged = nativeEvent({ event_id: 'evt-2', tenant_id: undefined });
  await receiveEvents(database, [nativeEvent(), untagged]);
  const check = (coverage_min: object) => checkCoverage({ database }, { ...REQUEST, coverage_min });

  // Two calls of the same cost, one of them with a tenant: a half.
  expect(await check({ tenant: 50 })).toEqual({ state: 'done', detail: 'tenant 50.00 % in USD' });
  const held = await check({ tenant: 51 });
  expect(held.state).toBe('wrong');
  expect(held.detail).toContain(
    '50.00 % of the cost in USD names its tenant, less than the 51 % that were asked for',
  );
  expect((await check({ tenant: 50, user: 1 })).detail).toContain('0.00 % of the cost in USD');
});

it('lets a month go on in which nothing was used', async () => {
  const database = await freshDatabase({ connections: 4 });
  const outcome = await checkCoverage({ database }, { ...REQUEST, coverage_min: { tenant: 100 } });
  expect(outcome).toEqual({ state: 'done', detail: 'nothing was used' });
});

it('holds a month of which no cost is known, since nothing can be said of it', async () => {
  const database = await freshDatabase({ connections: 4 });
  await importBooks(database, 'standard');
  await receiveEvents(database, [nativeEvent()]);
  const outcome = await checkCoverage({ database }, { ...REQUEST, coverage_min: { tenant: 1 } });
  expect(outcome).toMatchObject({ state: 'wrong' });
  expect(outcome.detail).toContain('no cost in USD is known');
});
