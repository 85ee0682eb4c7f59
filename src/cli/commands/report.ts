import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { formatPico } from '../../money.ts';
import type { Coverage, Dimension, UsageRow } from '../../reports/usage-report-store.ts';
import { DIMENSIONS, readCoverage, readUsage } from '../../reports/usage-report-store.ts';
import { coverageOf, renderCoverage } from '../coverage.ts';
import { AS_OF, readDay, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import type { Column } from '../terminal/output.ts';
import { table } from '../terminal/output.ts';
import { addRunsReport } from './report-runs.ts';

export function addReport(program: Command): void {
  const group = program.command('report').description('questions asked of the ledger');
  addUsageReport(group);
  addRunsReport(group);
}

function addUsageReport(group: Command): void {
  const command = group
    .command('usage')
    .description('usage, charge, cost and margin by any dimensions')
    .requiredOption('--by <dimensions>', `of ${DIMENSIONS.join(' ')}, by commas`, readDimensions)
    .option('--tenant <tenant>', 'only this one')
    .option('--from <day>', 'from this UTC day on, YYYY-MM-DD', readDay)
    .option('--to <day>', 'before this UTC day', readDay)
    .option('--as-of <instant>', AS_OF, readInstant);
  perform<ReportFlags>(command, async (session, { options }) => {
    const database = session.database();
    // As of an instant it is entries that are summed, and they need no folding.
    if (options.asOf === undefined) await foldAll(database, session.clock);
    const question = {
      by: options.by,
      tenantId: options.tenant ?? null,
      from: options.from ?? null,
      to: options.to ?? null,
      ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
    };
    const rows = await readUsage(database, question);
    const coverage = await readCoverage(database, question);
    const asOf = options.asOf === undefined ? {} : { as_of: formatInstant(options.asOf) };
    const document = {
      by: options.by,
      ...asOf,
      rows: rows.map(toDocument),
      coverage: coverageOf(coverage),
    };
    session.out.answer(document, render(options.by, rows, coverage));
  });
}

interface ReportFlags {
  readonly by: readonly Dimension[];
  readonly tenant?: string;
  readonly from?: InstantMs;
  readonly to?: InstantMs;
  readonly asOf?: InstantMs;
}

function readDimensions(text: string): readonly Dimension[] {
  return text.split(',').map((name) => {
    const dimension = DIMENSIONS.find((candidate) => candidate === name.trim());
    if (dimension !== undefined) return dimension;
    throw new InvalidArgumentError(`"${name}" is none of ${DIMENSIONS.join(', ')}.`);
  });
}

/** Amounts as exact decimal strings in the major unit. */
function toDocument(row: UsageRow) {
  const { entries, inputTokens, outputTokens, chargePico, costPico, routingGainPico, ...named } =
    row;
  return {
    ...named,
    entries,
    input_tokens: String(inputTokens),
    output_tokens: String(outputTokens),
    charge: formatPico(chargePico),
    cost: formatPico(costPico),
    margin: formatPico(chargePico - costPico),
    routing_gain: formatPico(routingGainPico),
  };
}

function render(
  by: readonly Dimension[],
  rows: readonly UsageRow[],
  coverage: readonly Coverage[],
): string {
  const dimensions = by.map(
    (dimension): Column<UsageRow> => ({
      title: dimension.replace('_', ' ').toUpperCase(),
      value: (row) => row[dimension] ?? '(none)',
    }),
  );
  const figures: readonly Column<UsageRow>[] = [
    { title: 'ENTRIES', value: (row) => row.entries.toLocaleString('en-US'), figure: true },
    { title: 'INPUT', value: (row) => row.inputTokens.toLocaleString('en-US'), figure: true },
    { title: 'OUTPUT', value: (row) => row.outputTokens.toLocaleString('en-US'), figure: true },
    { title: 'CHARGE', value: (row) => formatPico(row.chargePico), figure: true },
    { title: 'COST', value: (row) => formatPico(row.costPico), figure: true },
    { title: 'MARGIN', value: (row) => formatPico(row.chargePico - row.costPico), figure: true },
    { title: 'ROUTING GAIN', value: (row) => formatPico(row.routingGainPico), figure: true },
    { title: '', value: (row) => row.currency },
  ];
  return [
    rows.length === 0 ? 'no usage' : table(rows, [...dimensions, ...figures]),
    '',
    renderCoverage(coverage),
  ].join('\n');
}
