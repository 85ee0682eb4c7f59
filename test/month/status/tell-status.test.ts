import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { tellStatus } from '../../../src/month/status/tell-status.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it('counts what was taken for second reports of calls, by producer and by reason', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const answer = nativeEvent({ response_id: 'r1', call_id: 'c1' });
  const again = (event_id: string, change: object) => ({ ...answer, event_id, ...change });
  await receiveEvents(database, [
    answer,
    again('s1', { source: 'sdk' }),
    again('s2', { source: 'sdk' }),
    again('g1', { source: 'gateway', response_id: undefined }),
  ]);
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const parts = { database, clock, queue: 'not asked', destinationFault: 'not asked' };
  const status = await tellStatus(parts, { month: '2026-10' });
  expect(status.second_reports).toEqual([
    { source: 'gateway', because: 'call', count: 1 },
    { source: 'sdk', because: 'response', count: 2 },
  ]);
});
