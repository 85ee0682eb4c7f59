import type { Command } from 'commander';
import type {
  CostDriftAnswer,
  DriftDimension,
  DriftRow,
  DriftTotal,
} from '../../reports/cost-drift-answer.ts';
import { costDriftRequest, DRIFT_DIMENSIONS } from '../../reports/cost-drift-answer.ts';
import { reportCostDrift } from '../../reports/report-cost-drift.ts';
import { reportTagCoverage } from '../../reports/report-tag-coverage.ts';
import type { TagCoverageAnswer } from '../../reports/tag-coverage-answer.ts';
import { tagCoverageRequest } from '../../reports/tag-coverage-answer.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { readNamesOf } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
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
import { words } from '../terminal/words.ts';

/** Adds the reports that say how far costs can be trusted, and who they belong to. */
export function addCostReports(group: Command): void {
  addCostDrift(group);
  addTagCoverage(group);
}

function addCostDrift(group: Command): void {
  const command = group
    .command('cost-drift')
    .description('what producers say that calls cost beside our own cost, and what explains it')
    .option(
      '--by <dimensions>',
      `of ${DRIFT_DIMENSIONS.join(' ')}, by commas`,
      readNamesOf(DRIFT_DIMENSIONS),
    );
  perform<ScopeFlags & { by?: readonly DriftDimension[] }>(
    addReportFlags(addScopeFlags(command)),
    async (session, { options }) => {
      const { by = ['provider', 'model'] } = options;
      const request = readRequest(costDriftRequest, { by: [...by], ...scopeOf(options) });
      const answer = await reportCostDrift(session.parts(), request);
      const { table } = session.out;
      const text = (of: CostDriftAnswer) => renderDrift(of, table, moneyOf(options));
      giveReport(session, answer, { flags: options, rows: answer.rows, text });
    },
  );
}

function renderDrift(
  { by, rows, totals }: CostDriftAnswer,
  table: DrawTable,
  money: Money,
): string {
  if (rows.length === 0) return 'no calls';
  const dimensions = by.map(
    (dimension): Column<DriftRow> => ({
      title: dimension.replace('_', ' ').toUpperCase(),
      value: (row) => row[dimension] ?? '(none)',
    }),
  );
  const compared = (row: DriftRow, amount: string) =>
    row.calls_with_both === 0 ? '–' : money(amount, row.currency);
  const drawn = table(rows, [
    ...dimensions,
    { title: 'REPORTED BY', value: (row) => row.reported_by ?? '(nobody)', spare: true },
    { title: 'CALLS', value: (row) => figureOf(row.calls), figure: true },
    {
      title: '% WITH BOTH',
      value: (row) => row.share_with_both,
      figure: true,
      spare: true,
    },
    { title: '', value: (row) => row.currency },
    { title: 'REPORTED', value: (row) => compared(row, row.reported_cost), figure: true },
    { title: 'OURS', value: (row) => compared(row, row.our_cost), figure: true },
    { title: 'DRIFT', value: (row) => compared(row, row.drift), figure: true },
    { title: '% OF OURS', value: (row) => row.drift_percent ?? '', figure: true },
    { title: '', value: explanationOf, below: true },
  ]);
  return [drawn, ...totals.map((total) => renderTotal(total, money))].join('\n');
}

function renderTotal({ currency, ...total }: DriftTotal, money: Money): string {
  const { calls, calls_with_both: both, drift_percent: percent } = total;
  const of = `${figureOf(both)} of ${counted(calls, 'call')}`;
  if (both === 0) return `total ${currency}: ${of} have both costs`;
  const [reported, ours, drift] = [total.reported_cost, total.our_cost, total.drift].map((amount) =>
    money(amount, currency),
  );
  const share = percent === null ? '' : ` (${percent} % of ours)`;
  return `total ${currency}: ${of} have both costs, reported ${reported}, ours ${ours}, drift ${drift}${share}`;
}

function explanationOf({ explained_by: by, in_other_currency: other }: DriftRow): string {
  if (other > 0) return `${figureOf(other)} reported in another currency`;
  if (by === null) return '';
  const share = `${by.explains} %`;
  if (by.factor !== null) return `every price, times ${by.factor} (${share})`;
  const per = by.per === '1' || by.per === 'second' ? '' : `${figureOf(by.per ?? '')} `;
  return `${by.difference} more per ${per}${by.unit} (${share})`;
}

function addTagCoverage(group: Command): void {
  const command = group
    .command('coverage')
    .description('how much of the cost names its tenant, user, feature, run and prompt version');
  perform<ScopeFlags>(addReportFlags(addScopeFlags(command)), async (session, { options }) => {
    const request = readRequest(tagCoverageRequest, scopeOf(options));
    const answer = await reportTagCoverage(session.parts(), request);
    const { table } = session.out;
    const text = (of: TagCoverageAnswer) => renderCoverages(of, table, moneyOf(options));
    const rows = answer.map(({ missing: _, ...row }) => row);
    giveReport(session, answer, { flags: options, rows, text });
  });
}

function renderCoverages(answer: TagCoverageAnswer, table: DrawTable, money: Money): string {
  if (answer.length === 0) return 'no usage';
  const missing = answer.flatMap(({ tag, currency, missing: parts }) =>
    parts.map((part) => ({ tag, currency, ...part })),
  );
  return [
    table(answer, [
      { title: 'TAG', value: ({ tag }) => words(tag) },
      { title: '% OF COST', value: ({ share }) => share ?? 'unknown', figure: true },
      { title: '', value: (row) => row.currency },
      {
        title: 'COST WITH IT',
        value: (row) => money(row.tagged_cost, row.currency),
        figure: true,
      },
      { title: 'KNOWN COST', value: (row) => money(row.all_cost, row.currency), figure: true },
      { title: 'WITH IT', value: (row) => figureOf(row.tagged_entries), figure: true },
      { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
      {
        title: 'COST UNKNOWN',
        value: (row) => figureOf(row.entries_without_cost),
        figure: true,
        spare: true,
      },
    ]),
    ...(missing.length === 0
      ? []
      : [
          '',
          table(missing, [
            { title: 'WITHOUT', value: ({ tag }) => words(tag) },
            { title: 'SOURCE', value: ({ source }) => source },
            { title: 'BECAUSE', value: ({ reason }) => words(reason) },
            { title: 'ENTRIES', value: ({ entries }) => figureOf(entries), figure: true },
            { title: '', value: ({ currency }) => currency },
            { title: 'COST', value: (row) => money(row.cost, row.currency), figure: true },
          ]),
        ]),
  ].join('\n');
}
