import type { Command } from 'commander';
import type {
  CountsAnswer,
  CountsDimension,
  CountsRow,
  CountsTotal,
} from '../../reports/counts-answer.ts';
import { COUNTS_DIMENSIONS, countsRequest } from '../../reports/counts-answer.ts';
import { reportCounts } from '../../reports/report-counts.ts';
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

interface CountsFlags extends ScopeFlags {
  readonly by?: readonly CountsDimension[];
}

export function addCountsReport(group: Command): void {
  const command = group
    .command('counts')
    .description('how sure the counts of calls are: reported, estimated, or left in doubt')
    .option(
      '--by <dimensions>',
      `of ${COUNTS_DIMENSIONS.join(' ')}, by commas`,
      readNamesOf(COUNTS_DIMENSIONS),
    );
  perform<CountsFlags>(addReportFlags(addScopeFlags(command)), async (session, { options }) => {
    const { by = ['source', 'provider', 'model'] } = options;
    const request = readRequest(countsRequest, { by: [...by], ...scopeOf(options) });
    const answer = await reportCounts(session.parts(), request);
    const { table } = session.out;
    const text = (of: CountsAnswer) => renderCounts(of, table, moneyOf(options));
    giveReport(session, answer, { flags: options, rows: answer.rows, text });
  });
}

function renderCounts({ by, rows, totals }: CountsAnswer, table: DrawTable, money: Money): string {
  if (rows.length === 0) return 'no calls';
  const dimensions = by.map(
    (dimension): Column<CountsRow> => ({
      title: dimension.replace('_', ' ').toUpperCase(),
      value: (row) => row[dimension] ?? '(none)',
    }),
  );
  const drawn = table(rows, [
    { title: 'COUNTS', value: (row) => row.usage_source },
    ...dimensions,
    { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
    { title: 'INPUT', value: (row) => figureOf(row.input_tokens), figure: true },
    { title: 'OUTPUT', value: (row) => figureOf(row.output_tokens), figure: true },
    { title: '', value: (row) => row.currency },
    { title: 'CHARGE', value: (row) => money(row.charge, row.currency), figure: true },
    { title: '', value: exampleOf, below: true },
  ]);
  return [drawn, ...totals.map((total) => renderTotal(total, money))].join('\n');
}

/** What is in doubt is looked at by an entry; what is as it should be needs none. */
function exampleOf({ usage_source: how, first_entry_id: first }: CountsRow): string {
  return how === 'reported' ? '' : `such as ${first}`;
}

function renderTotal({ currency, ...total }: CountsTotal, money: Money): string {
  const { usage_source: how, share, charge, entries_without_charge: without } = total;
  const waiting = without === 0 ? '' : `, ${figureOf(without)} without a charge`;
  return `total ${currency}: ${counted(total.entries, 'entry', 'entries')} ${how} (${share} %), charged ${money(charge, currency)}${waiting}`;
}
