import { formatInstantOrNull } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { foldBeforeReading } from '../../ledger/rollups/reading-folds.ts';
import { formatPico, type Pico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { refuseUnknownTenant } from '../asked-tenant.ts';
import { coverageOf } from '../coverage.ts';
import { percentOf } from '../percent.ts';
import { readCoverage } from '../usage-report-store.ts';
import { analyzeRun } from './agent-run.ts';
import type { RunFigures } from './run-figures.ts';
import { costPerSuccess, figuresOf } from './run-figures.ts';
import { RunRanking } from './run-ranking.ts';
import type { RunQuestion } from './run-store.ts';
import { eachRun, readCallsOutsideRuns } from './run-store.ts';
import type {
  RunGroup,
  RunsAnswer,
  RunsRequest,
  RunsRow,
  RunsTotal,
  RunTotals,
} from './runs-answer.ts';

/** Reports agent runs, and what each spent in failed and repeated attempts before its answer. */
export async function reportRuns(
  parts: Pick<Parts, 'database' | 'clock' | 'view' | 'folds'>,
  request: RunsRequest,
): Promise<RunsAnswer> {
  const { database, view = database } = parts;
  const { by, tenant_id: tenantId, month, from, to, as_of: asOf } = request;
  await refuseUnknownTenant({ database, view }, tenantId);
  // Folding joins attempts, which makes corrections; none of now belong to what was known then.
  if (asOf === null) await foldBeforeReading(parts);
  const question = { tenantId, month, from, to, ...(asOf === null ? {} : { asOf }) };
  const { rows, total, totals } = await rank(view, question, request);
  return {
    by,
    as_of: formatInstantOrNull(asOf),
    loop_steps: request.loop_steps,
    rows: rows.map((row) => toRow(row, by)),
    totals: totals.map(toTotal),
    rows_in_all: total.rows,
    rows_with_waste: total.wastedRows,
    coverage: coverageOf(await readCoverage(view, question)),
  };
}

async function rank(
  database: Database,
  question: RunQuestion,
  { by, order, limit, loop_steps }: RunsRequest,
): Promise<ReturnType<RunRanking['end']> & { readonly totals: readonly RunFigures[] }> {
  const ranking = new RunRanking(limit, order);
  const all = new RunRanking(Number.MAX_SAFE_INTEGER);
  const count = (figures: RunFigures) => all.merge({ ...figures, tenantId: null, name: null });
  await eachRun(database, question, (run) => {
    const analyzed = analyzeRun(run, loop_steps);
    // By feature a run may have a part in several rows, and it is one run all the same.
    figuresOf(analyzed, 'run').forEach(count);
    for (const figures of figuresOf(analyzed, by)) {
      if (by === 'run') ranking.append(figures);
      else ranking.merge(figures);
    }
  });
  for (const figures of await readCallsOutsideRuns(database, question, by)) {
    count(figures);
    ranking.merge(figures);
  }
  const totals = all.end().rows.toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
  return { ...ranking.end(), totals };
}

function toRow(row: RunFigures, by: RunGroup): RunsRow {
  return {
    ...(by === 'feature' ? {} : { tenant: row.tenantId }),
    ...(by === 'tenant' ? {} : { [by]: row.name }),
    ...toTotal(row),
  };
}

function toTotal(row: RunFigures): RunsTotal {
  const perSuccess = costPerSuccess(row);
  return {
    ...totalsOf(row),
    runs: row.runs,
    succeeded: row.succeeded,
    loop_steps: row.loopSteps,
    cost_failed: known(row.costBefore.failed, row.wastedUncosted),
    cost_superseded: known(row.costBefore.superseded, row.wastedUncosted),
    cost_repeated: known(row.costBefore.repeated, row.wastedUncosted),
    cost_per_success: perSuccess === null ? null : formatPico(perSuccess),
  };
}

/** Returns the figures that a row of the report and a single run have in common. */
export function totalsOf(row: RunFigures): RunTotals {
  return {
    currency: row.currency,
    calls: row.calls,
    failed: row.failed,
    later_attempts: row.laterAttempts,
    loops: row.loops,
    calls_without_cost_rate: row.uncosted,
    charge: formatPico(row.charge - row.notDue),
    not_due: formatPico(row.notDue),
    cost: known(row.cost, row.uncosted),
    known_cost: formatPico(row.cost),
    charge_before_answer: formatPico(row.wastedCharge),
    cost_before_answer: known(row.wastedCost, row.wastedUncosted),
    share_before_answer: row.uncosted > 0 ? null : percentOf(row.wastedCost, row.cost),
  };
}

/** A sum of which a part is unknown is unknown (R10). */
function known(amount: Pico, uncosted: number): string | null {
  return uncosted === 0 ? formatPico(amount) : null;
}
