import type { Command } from 'commander';
import { Option } from 'commander';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { formatPico } from '../../money.ts';
import { percentOf } from '../../reports/percent.ts';
import { analyzeRun } from '../../reports/runs/agent-run.ts';
import type { RunFigures, RunGroup } from '../../reports/runs/run-figures.ts';
import { costPerSuccess, figuresOf, RUN_GROUPS } from '../../reports/runs/run-figures.ts';
import type { RunTotal } from '../../reports/runs/run-ranking.ts';
import { RunRanking } from '../../reports/runs/run-ranking.ts';
import type { RunQuestion } from '../../reports/runs/run-store.ts';
import { eachRun, readCallsOutsideRuns } from '../../reports/runs/run-store.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import { readCoverage } from '../../reports/usage-report-store.ts';
import { coverageOf, renderCoverage } from '../coverage.ts';
import { AS_OF, readCount, readDay, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import type { Column } from '../terminal/output.ts';
import { table } from '../terminal/output.ts';

const ROWS_SHOWN = 50;

export function addRunsReport(group: Command): void {
  const command = group
    .command('runs')
    .description('agent runs: what was spent in failed and repeated attempts before the answer')
    .addOption(new Option('--by <group>', 'a row for each').choices(RUN_GROUPS).default('run'))
    .option('--tenant <tenant>', 'only this one')
    .option('--from <day>', 'from this UTC day on, YYYY-MM-DD', readDay)
    .option('--to <day>', 'before this UTC day', readDay)
    .option('--as-of <instant>', AS_OF, readInstant)
    .option('--limit <rows>', 'so many rows at the most', readCount, ROWS_SHOWN)
    .option('--loop-steps <n>', 'growing repetitions that make a loop', readCount, LOOP_STEPS);
  perform<RunsFlags>(command, async (session, { options }) => {
    const database = session.database();
    const { asOf } = options;
    // Folding joins attempts, which makes corrections; none of now belong to what was known then.
    if (asOf === undefined) await foldAll(database, session.clock);
    const question = {
      tenantId: options.tenant ?? null,
      from: options.from ?? null,
      to: options.to ?? null,
      ...(asOf === undefined ? {} : { asOf }),
    };
    const { rows, total } = await rank(database, question, options);
    const coverage = await readCoverage(database, question);
    const document = {
      by: options.by,
      ...(asOf === undefined ? {} : { as_of: formatInstant(asOf) }),
      loop_steps: options.loopSteps,
      rows: rows.map((row) => toDocument(row, options.by)),
      rows_in_all: total.rows,
      coverage: coverageOf(coverage),
    };
    const lines = [
      renderRows(rows, options.by),
      renderTotal(rows, total),
      renderCoverage(coverage),
    ];
    session.out.answer(document, lines.filter((line) => line !== '').join('\n\n'));
  });
}

interface RunsFlags {
  readonly by: RunGroup;
  readonly tenant?: string;
  readonly from?: InstantMs;
  readonly to?: InstantMs;
  readonly asOf?: InstantMs;
  readonly limit: number;
  readonly loopSteps: number;
}

async function rank(
  database: Database,
  question: RunQuestion,
  { by, limit, loopSteps }: RunsFlags,
): Promise<{ readonly rows: readonly RunFigures[]; readonly total: RunTotal }> {
  const ranking = new RunRanking(limit);
  await eachRun(database, question, (run) => {
    for (const figures of figuresOf(analyzeRun(run, loopSteps), by)) {
      if (by === 'run') ranking.append(figures);
      else ranking.merge(figures);
    }
  });
  for (const figures of await readCallsOutsideRuns(database, question, by)) ranking.merge(figures);
  return ranking.end();
}

/** Amounts as exact decimal strings in the major unit. */
function toDocument(row: RunFigures, by: RunGroup) {
  const perSuccess = costPerSuccess(row);
  return {
    ...(by === 'feature' ? {} : { tenant: row.tenantId }),
    ...(by === 'tenant' ? {} : { [by]: row.name }),
    currency: row.currency,
    runs: row.runs,
    succeeded: row.succeeded,
    calls: row.calls,
    failed: row.failed,
    later_attempts: row.laterAttempts,
    loops: row.loops,
    loop_steps: row.loopSteps,
    calls_without_cost_rate: row.uncosted,
    charge: formatPico(row.charge),
    cost: formatPico(row.cost),
    charge_before_answer: formatPico(row.wastedCharge),
    cost_before_answer: formatPico(row.wastedCost),
    share_before_answer: percentOf(row.wastedCost, row.cost),
    cost_failed: formatPico(row.costBefore.failed),
    cost_superseded: formatPico(row.costBefore.superseded),
    cost_repeated: formatPico(row.costBefore.repeated),
    cost_per_success: perSuccess === null ? null : formatPico(perSuccess),
  };
}

function renderRows(rows: readonly RunFigures[], by: RunGroup): string {
  if (rows.length === 0) return 'no usage';
  const named: readonly Column<RunFigures>[] = [
    ...(by === 'run' ? [{ title: 'TENANT', value: (row: RunFigures) => row.tenantId ?? '' }] : []),
    { title: by.toUpperCase(), value: (row) => row.name ?? (by === 'run' ? '(no run)' : '(none)') },
  ];
  const count = (title: string, of: (row: RunFigures) => number): Column<RunFigures> => ({
    title,
    value: (row) => of(row).toLocaleString('en-US'),
    figure: true,
  });
  const amount = (title: string, of: (row: RunFigures) => bigint | null): Column<RunFigures> => ({
    title,
    value: (row) => {
      const pico = of(row);
      return pico === null ? '–' : formatPico(pico);
    },
    figure: true,
  });
  return table(rows, [
    ...named,
    ...(by === 'run'
      ? [{ title: 'ANSWER', value: (row: RunFigures) => answerOf(row) }]
      : [count('RUNS', (row) => row.runs), count('ANSWERED', (row) => row.succeeded)]),
    count('CALLS', (row) => row.calls),
    count('FAILED', (row) => row.failed),
    count('RETRIES', (row) => row.laterAttempts),
    count('LOOPS', (row) => row.loops),
    amount('CHARGE', (row) => row.charge),
    amount('COST', (row) => row.cost),
    amount('BEFORE ANSWER', (row) => row.wastedCost),
    {
      title: 'SHARE',
      value: (row) => {
        const share = percentOf(row.wastedCost, row.cost);
        return share === null ? '–' : `${share} %`;
      },
      figure: true,
    },
    ...(by === 'run' ? [] : [amount('COST/ANSWER', costPerSuccess)]),
    { title: '', value: (row) => row.currency },
  ]);
}

function answerOf(row: RunFigures): string {
  if (row.runs === 0) return '';
  return row.succeeded > 0 ? 'yes' : 'no';
}

function renderTotal(rows: readonly RunFigures[], total: RunTotal): string {
  const left = total.rows - rows.length;
  if (left === 0) return '';
  return `${left.toLocaleString('en-US')} more rows; ${total.wastedRows.toLocaleString('en-US')} of all ${total.rows.toLocaleString('en-US')} spent something before the answer (--limit shows more)`;
}
