import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { reportRuns } from '../../../src/reports/runs/report-runs.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

const ANY = {
  ...{ tenant_id: null, month: null, from: null, to: null, as_of: null },
  ...({ order: 'cost', loop_steps: 4, limit: 10 } as const),
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
