import { expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { inSnapshot } from '../../../src/database/database.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { formatPico } from '../../../src/money.ts';
import { analyzeRun } from '../../../src/reports/runs/agent-run.ts';
import { readPlainRuns } from '../../../src/reports/runs/plain-run-store.ts';
import { reportRunsInWays } from '../../../src/reports/runs/report-runs.ts';
import { figuresOf } from '../../../src/reports/runs/run-figures.ts';
import { RunRanking } from '../../../src/reports/runs/run-ranking.ts';
import type { RunQuestion } from '../../../src/reports/runs/run-store.ts';
import { LOOP_STEPS } from '../../../src/reports/runs/run-waste.ts';
import { RUN_GROUPS, RUN_ORDERS } from '../../../src/reports/runs/runs-answer.ts';
import { freshDatabase } from '../../support/database.ts';
import { eachRun } from '../../support/each-run.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

const RUNS = 80;

/** A generator of whole numbers below a bound: the same ones in every run. */
function randomNumbers(): (below: number) => number {
  let state = 7;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Runs of one to six calls: most are plain, some fail, try again, repeat a step, have no price, or a wrapper around them. */
function randomEvents(): readonly object[] {
  const random = randomNumbers();
  return Array.from({ length: RUNS }, (_, run) => {
    const of = { tenant_id: `tenant-${run % 3}`, agent_run_id: `run-${run}`, trace_id: `t-${run}` };
    const feature = ['search', 'chat', undefined][random(3)];
    const step = (nth: number) => {
      const isWrapper = random(12) === 0;
      const minute = String(10 + nth).padStart(2, '0');
      return nativeEvent({
        ...{ ...of, event_id: `e-${run}-${nth}`, response_id: null, feature },
        ...(random(8) === 0 ? { feature: 'other' } : {}),
        occurred_at: `2026-10-${10 + (run % 9)}T12:${minute}:00Z`,
        ...(isWrapper ? { operation: 'invoke_agent', span_id: `s-${run}-${nth}` } : {}),
        ...(random(9) === 0 ? { status: 'error', error_type: 'timeout' } : {}),
        ...(random(9) === 0 ? { attempt: 2 } : {}),
        requested_model: random(10) === 0 ? 'unpriced' : ['gpt-4o', 'gpt-4o-mini'][random(2)],
        usage: { input_tokens: 100 + nth * 50 + random(40), output_tokens: random(90) },
      });
    };
    return Array.from({ length: 1 + random(6) }, (_ignored, nth) => step(nth));
  }).flat();
}

it('what Postgres sums of plain runs is what their steps tell, in every order and by everything', async () => {
  // given
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, randomEvents(), '2026-10-20T00:00:00Z');
  await foldAll(database, systemClock);
  const from = parseInstant('2026-10-11T00:00:00Z');
  const questions: readonly RunQuestion[] = [
    { tenantId: null, from: null, to: null },
    { tenantId: 'tenant-1', month: '2026-10', from, to: null },
  ];
  const ways = RUN_GROUPS.flatMap((by) => RUN_ORDERS.map((order) => ({ by, order })));
  for (const question of questions) {
    const request = {
      ...{ tenant_id: question.tenantId, month: question.month ?? null },
      ...{
        from: question.from,
        to: null,
        as_of: null,
        limit: 7,
        cursor: null,
        loop_steps: LOOP_STEPS,
      },
    };

    // when
    const answers = await reportRunsInWays({ database, clock: systemClock }, request, ways);

    // then
    const { count } = await inSnapshot(database, (transaction) =>
      readPlainRuns(transaction, { question, loopSteps: LOOP_STEPS, most: 7 }),
    );
    expect(count).toBeGreaterThan(5);
    for (const [nth, { by, order }] of ways.entries()) {
      const ranking = new RunRanking(7, order);
      await eachRun(database, question, (run) => {
        for (const figures of figuresOf(analyzeRun(run), by)) {
          if (by === 'run') ranking.append(figures);
          else ranking.merge(figures);
        }
      });
      const { rows, total } = ranking.end();
      const answer = answers[nth];
      expect(answer?.rows_in_all).toBe(total.rows);
      expect(answer?.rows_with_waste).toBe(total.wastedRows);
      expect(
        answer?.rows.map((row) => [row.tenant ?? null, row[by] ?? null, row.runs, row.succeeded]),
      ).toEqual(
        rows.map((row) => [
          ...[row.tenantId, by === 'tenant' ? row.tenantId : row.name],
          ...[row.runs, row.succeeded],
        ]),
      );
      expect(
        answer?.rows.map((row) => [row.calls, row.loops, row.known_cost, row.charge, row.not_due]),
      ).toEqual(
        rows.map((row) => [
          ...[row.calls, row.loops, formatPico(row.cost)],
          ...[formatPico(row.charge - row.notDue), formatPico(row.notDue)],
        ]),
      );
      expect(
        answer?.rows.map((row) => [row.calls_without_cost_rate, row.calls_without_price]),
      ).toEqual(rows.map((row) => [row.uncosted, row.uncharged]));
    }
  }
});
