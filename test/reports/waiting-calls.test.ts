import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { reportOverview } from '../../src/reports/overview/report-overview.ts';
import { reportRuns } from '../../src/reports/runs/report-runs.ts';
import { showRun } from '../../src/reports/runs/show-run.ts';
import { listTraces } from '../../src/reports/traces/list-traces.ts';
import { tracesRequest } from '../../src/reports/traces/trace-answer.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

const clock = () => parseInstant('2026-10-20T13:00:00Z');

let database: Database;
let drop: () => Promise<void>;

/** One call that has a price, one whose model has none, and one whose model had none and that was taken back. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const of = { tenant_id: 'acme', agent_run_id: 'run-1', trace_id: 'a'.repeat(32) };
  const alone = { tenant_id: 'acme', agent_run_id: null, trace_id: null };
  await receiveEvents(database, [
    nativeEvent({ ...of, event_id: 'priced' }),
    nativeEvent({ ...of, event_id: 'waiting', requested_model: 'new-model' }),
    nativeEvent({ ...of, event_id: 'taken-back', requested_model: 'new-model' }),
    nativeEvent({ ...alone, event_id: 'alone', requested_model: 'new-model' }),
    nativeEvent({ ...of, agent_run_id: 'run-2', event_id: 'plain', requested_model: 'new-model' }),
  ]);
  const { spans = [] } = (await traces()).find(({ calls }) => calls > 1) ?? {};
  const entry = spans.find(({ event_id: id }) => id === 'taken-back')?.entry_id ?? '';
  const entryId = BigInt(entry.replace('ent_', ''));
  const note = { reason: 'it was a test', actor: 'ada' };
  await postCorrections(database, clock, [{ entryId, change: null, note }]);
});

afterAll(() => drop());

async function traces() {
  const nothing = { tenant_id: null, user_id: null, feature: null, trace_id: null };
  const asked = { ...nothing, agent_run_id: null, from: null, to: null, as_of: null };
  const request = tracesRequest.parse({ ...asked, limit: 10, cursor: null });
  return (await listTraces({ database }, request)).traces;
}

describe('a call that waits for a price', () => {
  it('is counted beside the charge in a report of runs, by run and in the total', async () => {
    const { rows, totals } = await reportRuns(
      { database, clock },
      {
        ...({ by: 'run', order: 'waste' } as const),
        ...{ tenant_id: null, month: null, from: null, to: null, as_of: null },
        ...{ limit: 10, cursor: null, loop_steps: 4 },
      },
    );
    expect(rows.map((row) => [row.run, row.calls, row.calls_without_price])).toEqual(
      expect.arrayContaining([
        ['run-1', 2, 1],
        ['run-2', 1, 1],
        [null, 1, 1],
      ]),
    );
    expect(totals).toMatchObject([{ calls: 4, calls_without_price: 3 }]);
  });

  it('is counted in a run, and below each of its steps', async () => {
    const asked = { run: 'run-1', tenant_id: null, as_of: null, loop_steps: 4 };
    const [run] = await showRun({ database, clock }, asked);
    expect(run?.totals).toMatchObject([{ calls: 2, calls_without_price: 1 }]);
    const below = run?.steps.map(({ event_id: id, below: of }) => [id, of.calls_without_price]);
    expect(Object.fromEntries(below ?? [])).toEqual({ priced: 0, waiting: 1, 'taken-back': 0 });
  });

  it('is counted in its trace, and not where it was taken back', async () => {
    const counts = (await traces()).map((of) => [of.calls, of.calls_without_price]);
    expect(counts.toSorted()).toEqual([
      [1, 1],
      [3, 2],
    ]);
  });

  it('is counted on the overview, of all and by tenant', async () => {
    const { to_date, before, tenants } = await reportOverview(
      { database, clock },
      { month: '2026-10', currency: null, tenant_id: null, limit: 5 },
    );
    expect(to_date).toMatchObject({ margin: null, entries_without_price: 3 });
    expect(before).toMatchObject({ entries_without_price: 0 });
    expect(tenants).toMatchObject([{ tenant_id: 'acme', entries_without_price: 3 }]);
  });
});
