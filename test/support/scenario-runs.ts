import type { Database } from '../../src/database/database.ts';
import { formatPico } from '../../src/money.ts';
import { percentOf } from '../../src/reports/percent.ts';
import { analyzeRun } from '../../src/reports/runs/agent-run.ts';
import { figuresOf } from '../../src/reports/runs/run-figures.ts';
import { eachRun } from './each-run.ts';

/** Returns the agent runs that a scenario left, by tenant and run, each with its tree as lines. */
export async function observeRuns(database: Database) {
  const rows: Record<string, unknown>[] = [];
  await eachRun(database, { tenantId: null, from: null, to: null }, (spans) => {
    const run = analyzeRun(spans);
    for (const figures of figuresOf(run, 'run')) {
      rows.push({
        tenant_id: run.tenantId,
        run: run.runId,
        succeeded: String(run.succeeded),
        calls: String(figures.calls),
        failed: String(figures.failed),
        loops: String(figures.loops),
        charge: formatPico(figures.charge),
        cost: formatPico(figures.cost),
        cost_before_answer: formatPico(figures.wastedCost),
        share_before_answer: percentOf(figures.wastedCost, figures.cost),
        tree: JSON.stringify(
          run.nodes.map(({ depth, step, below }) =>
            `${'- '.repeat(depth)}${step.facts.eventId} ${formatPico(below.cost)}`.trim(),
          ),
        ),
      });
    }
  });
  return rows;
}
