import { expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { startConsole } from '../support/console.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What a person reads of a page. */
const plainText = (text: string) => text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

it('the pages name the calls that wait for a price beside what was charged', async () => {
  // given
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const of = { tenant_id: 'acme', agent_run_id: 'run-1' };
  await receiveEvents(database, [
    nativeEvent({ ...of, event_id: 'priced' }),
    nativeEvent({
      ...of,
      event_id: 'waiting',
      requested_model: 'new-model',
      executed_model: 'gpt-4o',
    }),
  ]);
  const clock = () => parseInstant('2026-10-20T13:00:00Z');
  const running = await startConsole(database, { clock });
  const reader = await running.visit(await running.key('reader'));
  const read = async (path: string) => plainText((await reader.get(path)).text);

  // then
  expect(await read('/console')).toContain('1 entry waits for a price');
  expect(await read('/console')).toContain('1 entry without a price');
  expect(await read('/console/tenants/acme')).toContain('1 entry waits for a price');
  expect(await read('/console/runs')).toContain('Without a price');
  const run = await read('/console/runs/run-1');
  expect(run).toContain('2 calls, 1 of them without a price');
  expect(run).toContain('unrated');
  await running.close();
});
