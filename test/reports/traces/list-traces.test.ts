import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { listTraces } from '../../../src/reports/traces/list-traces.ts';
import { tracesRequest } from '../../../src/reports/traces/trace-answer.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it('a call that was taken back is seen among the spans, and counts for nothing', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const of = { trace_id: 'a'.repeat(32), source: 'app' };
  await receiveEvents(database, [
    nativeEvent({ ...of, event_id: 'answered' }),
    nativeEvent({
      ...of,
      event_id: 'failed',
      status: 'error',
      occurred_at: '2026-10-15T12:00:05Z',
    }),
  ]);
  const trace = async () => {
    const request = tracesRequest.parse({ ...EVERY_TRACE, limit: 10, cursor: null });
    const { traces } = await listTraces({ database }, request);
    return traces[0];
  };
  expect(await trace()).toMatchObject({ status: 'error', calls: 2, failed: 1 });
  const clock = () => parseInstant('2026-10-20T13:00:00Z');
  const note = { reason: 'it was a test', actor: 'ada' };
  const failed = (await trace())?.spans.find(({ event_id: id }) => id === 'failed');
  const entryId = BigInt((failed?.entry_id ?? '').replace('ent_', ''));
  await postCorrections(database, clock, [{ entryId, change: null, note }]);
  expect(await trace()).toMatchObject({
    ...{ status: 'ok', calls: 1, failed: 0, total_tokens: '1100' },
    spans: [{ event_id: 'answered' }, { event_id: 'failed', entry_id: null }],
  });
});

const EVERY_TRACE = {
  ...{ tenant_id: null, user_id: null, feature: null, agent_run_id: null, trace_id: null },
  ...{ from: null, to: null, as_of: null },
};
