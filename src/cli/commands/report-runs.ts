import type { Command } from 'commander';
import { Option } from 'commander';
import { reportRuns } from '../../reports/runs/report-runs.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import type { RunGroup, RunsAnswer, RunsRow } from '../../reports/runs/runs-answer.ts';
import { RUN_GROUPS, runsRequest } from '../../reports/runs/runs-answer.ts';
import { readRequest } from '../../request.ts';
import { AS_OF, readCount, readDay, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { renderCoverage } from '../terminal/coverage.ts';
import { figureOf } from '../terminal/figures.ts';
import {
  addReportFlags,
  giveReport,
  type Money,
  moneyOf,
  type ReportFlags,
} from '../terminal/report-flags.ts';
import type { Column, DrawTable } from '../terminal/table.ts';

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
  perform<RunsFlags>(addReportFlags(command), async (session, { options }) => {
    const { by, tenant = null, from = null, to = null, asOf = null, limit, loopSteps } = options;
    const request = readRequest(runsRequest, {
      ...{ by, tenant_id: tenant, from, to, as_of: asOf },
      ...{ limit, loop_steps: loopSteps },
    });
    const answer = await reportRuns(session.parts(), request);
    const money = moneyOf(options);
    const { table } = session.out;
    const text = (of: RunsAnswer) => render(of, table, money);
    giveReport(session, answer, { flags: options, rows: answer.rows, text });
  });
}

interface RunsFlags extends ReportFlags {
  readonly by: RunGroup;
  readonly tenant?: string;
  readonly from?: string;
  readonly to?: string;
  readonly asOf?: string;
  readonly limit: number;
  readonly loopSteps: number;
}

function render(answer: RunsAnswer, table: DrawTable, money: Money): string {
  const parts = [
    renderRows(answer, table, money),
    renderTotal(answer),
    renderCoverage(answer.coverage, money),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function renderRows({ rows, by }: RunsAnswer, table: DrawTable, money: Money): string {
  if (rows.length === 0) return 'no usage';
  const amount = (title: string, of: (row: RunsRow) => string | null) =>
    text(title, (row) => {
      const value = of(row);
      return value === null || value === 'unknown' ? value : money(value, row.currency);
    });
  return table(rows, [
    ...(by === 'run' ? [{ title: 'TENANT', value: (row: RunsRow) => row.tenant ?? '' }] : []),
    { title: by.toUpperCase(), value: (row) => row[by] ?? (by === 'run' ? '(no run)' : '(none)') },
    ...(by === 'run'
      ? [{ title: 'ANSWER', value: (row: RunsRow) => answered(row) }]
      : [count('RUNS', (row) => row.runs), count('ANSWERED', (row) => row.succeeded)]),
    count('CALLS', (row) => row.calls),
    { ...count('FAILED', (row) => row.failed), spare: true },
    { ...count('RETRIES', (row) => row.later_attempts), spare: true },
    { ...count('LOOPS', (row) => row.loops), spare: true },
    { title: '', value: (row) => row.currency },
    amount('CHARGE', (row) => row.charge),
    amount('COST', (row) => row.cost ?? 'unknown'),
    amount('BEFORE ANSWER', (row) => row.cost_before_answer ?? 'unknown'),
    text('% OF COST', (row) => row.share_before_answer),
    ...(by === 'run'
      ? []
      : [{ ...amount('COST/ANSWER', (row) => row.cost_per_success), spare: true }]),
  ]);
}

function count(title: string, of: (row: RunsRow) => number): Column<RunsRow> {
  return { title, value: (row) => figureOf(of(row)), figure: true };
}

function text(title: string, of: (row: RunsRow) => string | null): Column<RunsRow> {
  return { title, value: (row) => of(row) ?? '–', figure: true };
}

function answered(row: RunsRow): string {
  if (row.runs === 0) return '';
  return row.succeeded > 0 ? 'yes' : 'no';
}

function renderTotal({ rows, rows_in_all: all, rows_with_waste: wasted }: RunsAnswer): string {
  const left = all - rows.length;
  if (left === 0) return '';
  return `${figureOf(left)} more rows; ${figureOf(wasted)} of all ${figureOf(all)} spent something before the answer (--limit shows more)`;
}
