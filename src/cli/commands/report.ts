import type { Command } from 'commander';
import { exactDecimal, formatDecimal } from '../../money.ts';
import { reportUsage } from '../../reports/report-usage.ts';
import type { Dimension, UsageAnswer, UsageGroup } from '../../reports/usage-answer.ts';
import { DIMENSIONS, usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { AS_OF, readInstant, readNamesOf } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { renderCoverage } from '../terminal/coverage.ts';
import { timeOf } from '../terminal/figures.ts';
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
import { addCostReports } from './report-costs.ts';
import { addCountsReport } from './report-counts.ts';
import { addLeaversReport } from './report-leavers.ts';
import { addRunsReport } from './report-runs.ts';

export function addReport(program: Command): void {
  const group = program.command('report').description('questions asked of the ledger');
  addUsageReport(group);
  addRunsReport(group);
  addCostReports(group);
  addCountsReport(group);
  addLeaversReport(group);
}

function addUsageReport(group: Command): void {
  const command = group
    .command('usage')
    .description('usage, charge, cost and margin by any dimensions')
    .requiredOption(
      '--by <dimensions>',
      `of ${DIMENSIONS.join(' ')}, by commas`,
      readNamesOf(DIMENSIONS),
    );
  addScopeFlags(command).option('--as-of <instant>', AS_OF, readInstant);
  perform<UsageFlags>(addReportFlags(command), async (session, { options }) => {
    const { by, asOf: as_of = null } = options;
    const request = readRequest(usageRequest, { by: [...by], ...scopeOf(options), as_of });
    const answer = await reportUsage(session.parts(), request);
    const money = moneyOf(options);
    const { table } = session.out;
    const text = (of: UsageAnswer) => render(of, { table, money });
    giveReport(session, answer, { flags: options, rows: answer.rows, text });
  });
}

interface UsageFlags extends ScopeFlags {
  readonly by: readonly Dimension[];
  readonly asOf?: string;
}

interface Drawing {
  readonly table: DrawTable;
  readonly money: Money;
}

function render({ by, rows, totals, coverage, ...answer }: UsageAnswer, of: Drawing): string {
  const { table, money } = of;
  const [first, ...others] = by;
  const dimensions = [
    ...(first === undefined ? [] : [{ ...dimensionOf(first), value: nameOf(first) }]),
    ...others.map(dimensionOf),
  ];
  const all: readonly UsageLine[] = [
    ...rows.map((row) => ({ ...row, isTotal: false })),
    ...totals.map((row) => ({ ...row, isTotal: true })),
  ];
  return [
    rows.length === 0 ? 'no usage' : table(all, [...dimensions, ...figuresOf(all, money)]),
    '',
    renderUnknown(totals),
    renderUncharged(totals),
    ...answer.exchange_rates.map(
      ({ base, effective_from: from, source }) =>
        `costs were converted by the rates of ${source} (${base}, from ${timeOf(from)})`,
    ),
    renderCoverage(coverage, money),
  ]
    .filter((part) => part !== null)
    .join('\n');
}

type UsageLine = UsageGroup & { readonly isTotal: boolean };

function dimensionOf(dimension: Dimension): Column<UsageLine> {
  return {
    title: words(dimension).toUpperCase(),
    value: (row) => (row.isTotal ? '' : (row[dimension] ?? '(none)')),
  };
}

function nameOf(dimension: Dimension): (row: UsageLine) => string {
  return (row) => (row.isTotal ? 'total' : (row[dimension] ?? '(none)'));
}

function figuresOf(all: readonly UsageLine[], money: Money): readonly Column<UsageLine>[] {
  const amount = (title: string, of: (row: UsageLine) => string, spare = false) => ({
    title,
    figure: true,
    spare,
    value: (row: UsageLine) => money(of(row), row.currency),
  });
  const partly = (row: UsageLine, whole: string | null, part: string) =>
    known(row, whole === null ? null : money(whole, row.currency), money(part, row.currency));
  return [
    { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
    { title: 'INPUT', value: (row) => figureOf(row.input_tokens), figure: true, spare: true },
    { title: 'OUTPUT', value: (row) => figureOf(row.output_tokens), figure: true, spare: true },
    { title: '', value: (row) => row.currency },
    amount('CHARGE', (row) => row.charge),
    ...(all.some((row) => row.not_due !== '0') ? [amount('NOT DUE', (row) => row.not_due)] : []),
    { title: 'COST', value: (row) => partly(row, row.cost, row.known_cost), figure: true },
    { title: 'MARGIN', value: (row) => partly(row, row.margin, row.known_margin), figure: true },
    ...(all.some(isPartlyUnknown)
      ? [{ title: 'UNKNOWN COST', value: unknownShare, figure: true }]
      : []),
    amount('ROUTING GAIN', (row) => row.routing_gain, true),
  ];
}

function isPartlyUnknown({ entries_without_cost: unknown }: UsageGroup): boolean {
  return unknown > 0;
}

/** What is known of an amount is no amount: it is named as the part that it is. */
function known(row: UsageGroup, whole: string | null, part: string): string {
  if (whole !== null) return whole;
  const most = Math.max(row.entries_without_cost, row.entries_without_price);
  return most >= row.entries ? 'unknown' : `unknown (${part} known)`;
}

/** Returns how much has no known cost, of what; where anything has none the share is never 0. */
function unknownShare(row: UsageGroup): string {
  const { entries, entries_without_cost: unknown, known_cost_share: share } = row;
  if (unknown === 0) return '';
  if (share === null || share === '100.00') return `${figureOf(unknown)} of ${figureOf(entries)}`;
  const percent = formatDecimal(10_000n - exactDecimal(share, 2), 2);
  return `${percent} % of charge`;
}

/** Names the entries without a price, and what finds one for them; null where there are none. */
function renderUncharged(totals: readonly UsageGroup[]): string | null {
  const entries = totals.reduce((sum, row) => sum + row.entries_without_price, 0);
  if (entries === 0) return null;
  const subject = counted(entries, 'entry is', 'entries are');
  return `${subject} charged nothing as yet, for want of a price or of usage: "--by outcome,requested_model" names them; import a price book that has the model and run "spanledger rerate" for the month, or give the usage with "spanledger correct"`;
}

/** Names the entries without a cost, and what finds one for them; null where there are none. */
function renderUnknown(totals: readonly UsageGroup[]): string | null {
  const entries = totals.reduce((sum, row) => sum + row.entries_without_cost, 0);
  if (entries === 0) return null;
  const subject = counted(entries, 'entry is', 'entries is');
  return `the cost of ${subject} unknown: import a cost book that has the model, or rates with "spanledger fx import" where its cost is in another currency, and run "spanledger rerate" for the month`;
}
