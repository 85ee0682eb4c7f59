import { expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { reportRuns } from '../../../src/reports/runs/report-runs.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

const ANY = {
  ...{ tenant_id: null, month: null, from: null, to: null, as_of: null },
  ...({ order: 'cost', loop_steps: 4, limit: 10, cursor: null } as const),
};

it('the cost of a success is that of runs, and calls outside them have no part in it', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const alone = (event_id: string, more: object = {}) =>
    nativeEvent({ event_id, feature: 'search', ...more });
  await receiveEvents(database, [
    alone('in a run', { agent_run_id: 'run-1' }),
    ...Array.from({ length: 9 }, (_, at) => alone(`alone-${at}`)),
    // Its cost is unknown, and no run has it.
    alone('unknown', { requested_model: 'new-model' }),
  ]);
  const parts = { database, clock: systemClock };
  // 1,000 x 2.50 and 100 x 10.00 a million, of ten calls.
  const costs = { runs: 1, known_cost: '0.035', cost: null, cost_per_success: '0.0035' };
  for (const by of ['tenant', 'feature'] as const) {
    const { rows, totals } = await reportRuns(parts, { ...ANY, by });
    expect(rows).toMatchObject([costs]);
    expect(totals).toMatchObject([costs]);
  }
});

it('a call that is corrected in a later month is counted in the month that had it first', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live' });
  const of = { feature: 'search', tenant_id: 'acme' };
  await receiveEvents(database, [
    nativeEvent({ ...of, event_id: 'a', agent_run_id: 'r1' }),
    nativeEvent({ ...of, event_id: 'b', agent_run_id: 'r1', status: 'error' }),
    nativeEvent({ ...of, event_id: 'c' }),
    nativeEvent({ ...of, event_id: 'd', status: 'error' }),
  ]);
  const closing = { database, clock: () => parseInstant('2026-11-02T00:00:00Z') };
  await closePeriods(closing, { month: '2026-10', tenant_id: null });
  const clock = () => parseInstant('2026-11-21T00:00:00Z');
  const correct = async (change: object | null, where: string) => {
    const rows = await textRows(database, `select entry_id from entries where ${where}`);
    const note = { reason: 'it was another prompt', actor: 'ada' };
    const requests = rows.map(({ entry_id }) => ({
      entryId: BigInt(entry_id ?? ''),
      change,
      note,
    }));
    await postCorrections(database, clock, requests);
  };
  const ofMonth = async (month: string | null) => {
    const { rows } = await reportRuns({ database, clock }, { ...ANY, by: 'tenant', month });
    return rows.map(({ calls, failed, runs, succeeded, cost }) => [
      ...[calls, failed, runs, succeeded],
      cost,
    ]);
  };
  const october = [4, 2, 1, 0, '0.014'];
  expect(await ofMonth(null)).toEqual([october]);
  // Each is corrected twice, and the last one is moved to another run, and one is taken back.
  await correct({ promptVersion: 'v2' }, 'true');
  await correct({ promptVersion: 'v3', agentRunId: 'r2' }, "revision = 2 and event_id <> 'd'");
  await correct(null, "revision = 2 and event_id = 'd'");
  expect(await ofMonth('2026-10')).toEqual([october]);
  expect(await ofMonth('2026-11')).toEqual([[0, 0, 0, 0, '-0.0035']]);
  expect(await ofMonth(null)).toEqual([[3, 1, 2, 1, '0.0105']]);
  // A call of the month itself is one, corrected or not.
  const later = { ...of, event_id: 'e', agent_run_id: 'r1', occurred_at: '2026-11-10T00:00:00Z' };
  await receiveEvents(database, [nativeEvent(later)], '2026-11-22T00:00:00Z');
  await correct({ promptVersion: 'v2' }, "event_id = 'e'");
  expect(await ofMonth('2026-11')).toEqual([[1, 0, 1, 1, '0']]);
});
