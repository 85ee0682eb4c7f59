import type { Command } from 'commander';
import { Option } from 'commander';
import { reportRuns } from '../../reports/runs/report-runs.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import type {
  RunGroup,
  RunOrder,
  RunsAnswer,
  RunsRow,
  RunsTotal,
} from '../../reports/runs/runs-answer.ts';
import { RUN_GROUPS, RUN_ORDERS, runsRequest } from '../../reports/runs/runs-answer.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { AS_OF, readCount, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { renderCoverage } from '../terminal/coverage.ts';
import {
  addReportFlags,
  addScopeFlags,
  giveReport,
  type Money,
  moneyOf,
  type ScopeFlags,
  scopeOf,
} from '../terminal/report-flags.ts';
import type { Column, DrawTable } from '../terminal/table.ts';

const ROWS_SHOWN = 50;

export function addRunsReport(group: Command): void {
  const command = group
    .command('runs')
    .description('agent runs: what was spent in failed and repeated attempts before the answer')
    .addOption(new Option('--by <group>', 'a row for each').choices(RUN_GROUPS).default('run'));
  addScopeFlags(command)
    .option('--as-of <instant>', AS_OF, readInstant)
    .addOption(
      new Option('--order <what>', 'what stands first').choices(RUN_ORDERS).default('waste'),
    )
    .option('--limit <rows>', 'at most so many rows', readCount, ROWS_SHOWN)
    .option('--loop-steps <n>', 'growing repetitions that make a loop', readCount, LOOP_STEPS);
  perform<RunsFlags>(addReportFlags(command), async (session, { options }) => {
    const request = readRequest(runsRequest, {
      by: options.by,
      ...scopeOf(options),
      as_of: options.asOf ?? null,
      order: options.order,
      limit: options.limit,
      cursor: null,
      loop_steps: options.loopSteps,
    });
    const answer = await reportRuns(session.parts(), request);
    const money = moneyOf(options);
    const { table } = session.out;
    const text = (of: RunsAnswer) => render(of, table, money);
    giveReport(session, answer, { flags: options, rows: answer.rows, text });
  });
}

interface RunsFlags extends ScopeFlags {
  readonly by: RunGroup;
  readonly asOf?: string;
  readonly order: RunOrder;
  readonly limit: number;
  readonly loopSteps: number;
}

function render(answer: RunsAnswer, table: DrawTable, money: Money): string {
  const parts = [
    renderRows(answer, table, money),
    renderUncharged(answer),
    renderLeft(answer),
    renderCoverage(answer.coverage, money),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A row, or one of the totals below them. */
type RunsLine = RunsTotal & Partial<RunsRow> & { readonly isTotal: boolean };

function renderRows(answer: RunsAnswer, table: DrawTable, money: Money): string {
  const { by, rows, totals } = answer;
  if (rows.length === 0) return 'no usage';
  const lines: readonly RunsLine[] = [
    ...rows.map((row) => ({ ...row, isTotal: false })),
    ...totals.map((row) => ({ ...row, isTotal: true })),
  ];
  const amount = (title: string, of: (row: RunsLine) => string | null) =>
    text(title, (row) => {
      const value = of(row);
      return value === null || value === 'unknown' ? value : money(value, row.currency);
    });
  return table(lines, [
    ...namesOf(by),
    ...(by === 'run'
      ? [{ title: 'ANSWER', value: answered }]
      : [count('RUNS', (row) => row.runs), count('ANSWERED', (row) => row.succeeded)]),
    count('CALLS', (row) => row.calls),
    { ...count('FAILED', (row) => row.failed), spare: true },
    { ...count('RETRIES', (row) => row.later_attempts), spare: true },
    { ...count('LOOPS', (row) => row.loops), spare: true },
    { title: '', value: (row) => row.currency },
    amount('CHARGE', (row) => row.charge),
    ...(totals.some(isPartlyUncharged)
      ? [count('NO PRICE', (row) => row.calls_without_price)]
      : []),
    ...(totals.some((row) => row.not_due !== '0') ? [amount('NOT DUE', (row) => row.not_due)] : []),
    amount('COST', (row) => row.cost ?? 'unknown'),
    amount('BEFORE ANSWER', (row) => row.cost_before_answer ?? 'unknown'),
    text('% OF COST', (row) => row.share_before_answer),
    ...(by === 'run'
      ? []
      : [{ ...amount('COST/ANSWER', (row) => row.cost_per_success), spare: true }]),
  ]);
}

function isPartlyUncharged({ calls_without_price: calls }: RunsTotal): boolean {
  return calls > 0;
}

/** Names the calls whose charge is still to come, and what finds one for them; empty where there are none. */
function renderUncharged({ totals }: RunsAnswer): string {
  const calls = totals.reduce((sum, row) => sum + row.calls_without_price, 0);
  if (calls === 0) return '';
  const subject = counted(calls, 'call is', 'calls are');
  return `${subject} charged nothing as yet, for want of a price or of usage: "spanledger report usage --by outcome,requested_model" names them; import a price book that has the model and run "spanledger rerate" for the month, or give the usage with "spanledger correct"`;
}

/** The first column says of a total that it is one. */
function namesOf(by: RunGroup): readonly Column<RunsLine>[] {
  const named = (row: RunsLine) => row[by] ?? (by === 'run' ? '(no run)' : '(none)');
  const total = (row: RunsLine, name: string) => (row.isTotal ? 'total' : name);
  if (by !== 'run') return [{ title: by.toUpperCase(), value: (row) => total(row, named(row)) }];
  return [
    { title: 'TENANT', value: (row) => total(row, row.tenant ?? '') },
    { title: 'RUN', value: (row) => (row.isTotal ? '' : named(row)) },
  ];
}

function count(title: string, of: (row: RunsLine) => number): Column<RunsLine> {
  return { title, value: (row) => figureOf(of(row)), figure: true };
}

function text(title: string, of: (row: RunsLine) => string | null): Column<RunsLine> {
  return { title, value: (row) => of(row) ?? '–', figure: true };
}

function answered(row: RunsLine): string {
  if (row.isTotal) return `${figureOf(row.succeeded)} of ${figureOf(row.runs)}`;
  if (row.runs === 0) return '';
  return row.succeeded > 0 ? 'yes' : 'no';
}

function renderLeft({ rows, rows_in_all: all, rows_with_waste: wasted }: RunsAnswer): string {
  const left = all - rows.length;
  if (left === 0) return '';
  return `${figureOf(left)} more rows; ${figureOf(wasted)} of all ${figureOf(all)} spent something before the answer (--limit shows more)`;
}
