import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { reportUsage } from '../../reports/report-usage.ts';
import type { Dimension, UsageAnswer, UsageGroup } from '../../reports/usage-answer.ts';
import { DIMENSIONS, usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import { AS_OF, readDay, readInstant, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { renderCoverage } from '../terminal/coverage.ts';
import type { Column } from '../terminal/output.ts';
import { figureOf, table } from '../terminal/output.ts';
import { addCostReports } from './report-costs.ts';
import { addLeaversReport } from './report-leavers.ts';
import { addRunsReport } from './report-runs.ts';

export function addReport(program: Command): void {
  const group = program.command('report').description('questions asked of the ledger');
  addUsageReport(group);
  addRunsReport(group);
  addCostReports(group);
  addLeaversReport(group);
}

function addUsageReport(group: Command): void {
  const command = group
    .command('usage')
    .description('usage, charge, cost and margin by any dimensions')
    .requiredOption('--by <dimensions>', `of ${DIMENSIONS.join(' ')}, by commas`, readDimensions)
    .option('--tenant <tenant>', 'only this one')
    .option('--month <month>', 'the periods that begin in it, as statements have them', readMonth)
    .option('--from <day>', 'from this UTC day on, YYYY-MM-DD', readDay)
    .option('--to <day>', 'before this UTC day', readDay)
    .option('--as-of <instant>', AS_OF, readInstant);
  perform<ReportFlags>(command, async (session, { options }) => {
    const { by, tenant: tenant_id = null, month = null, from = null, to = null } = options;
    const { asOf: as_of = null } = options;
    const request = readRequest(usageRequest, { by: [...by], tenant_id, month, from, to, as_of });
    const answer = await reportUsage(session.parts(), request);
    session.out.answer(answer, render(answer));
  });
}

interface ReportFlags {
  readonly by: readonly Dimension[];
  readonly tenant?: string;
  readonly month?: string;
  readonly from?: string;
  readonly to?: string;
  readonly asOf?: string;
}

function readDimensions(text: string): readonly Dimension[] {
  return text.split(',').map((name) => {
    const dimension = DIMENSIONS.find((candidate) => candidate === name.trim());
    if (dimension !== undefined) return dimension;
    throw new InvalidArgumentError(`"${name}" is none of ${DIMENSIONS.join(', ')}.`);
  });
}

function render({ by, rows, coverage }: UsageAnswer): string {
  const dimensions = by.map(
    (dimension): Column<UsageGroup> => ({
      title: dimension.replace('_', ' ').toUpperCase(),
      value: (row) => row[dimension] ?? '(none)',
    }),
  );
  const figures: readonly Column<UsageGroup>[] = [
    { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
    { title: 'INPUT', value: (row) => figureOf(row.input_tokens), figure: true },
    { title: 'OUTPUT', value: (row) => figureOf(row.output_tokens), figure: true },
    { title: 'CHARGE', value: (row) => row.charge, figure: true },
    { title: 'COST', value: (row) => known(row, row.cost, row.known_cost), figure: true },
    { title: 'MARGIN', value: (row) => known(row, row.margin, row.known_margin), figure: true },
    { title: 'COST KNOWN', value: (row) => share(row.known_cost_share), figure: true },
    { title: 'ROUTING GAIN', value: (row) => row.routing_gain, figure: true },
    { title: '', value: (row) => row.currency },
  ];
  return [
    rows.length === 0 ? 'no usage' : table(rows, [...dimensions, ...figures]),
    '',
    renderUnknown(rows),
    renderCoverage(coverage),
  ]
    .filter((part) => part !== null)
    .join('\n');
}

/** What is known of an amount is no amount: it is named as the part that it is. */
function known(row: UsageGroup, whole: string | null, part: string): string {
  if (whole !== null) return whole;
  return row.entries_without_cost >= row.entries ? 'unknown' : `unknown (${part} known)`;
}

function share(percent: string | null): string {
  return percent === null ? '–' : `${percent} %`;
}

/** Names the entries without a cost, and what finds one for them; null where there are none. */
function renderUnknown(rows: readonly UsageGroup[]): string | null {
  const entries = rows.reduce((sum, row) => sum + row.entries_without_cost, 0);
  if (entries === 0) return null;
  const subject =
    entries === 1 ? 'the cost of 1 entry is' : `the cost of ${figureOf(entries)} entries is`;
  return `${subject} unknown: import a cost book that has the model in the currency, and run "spanledger rerate" for the month`;
}
