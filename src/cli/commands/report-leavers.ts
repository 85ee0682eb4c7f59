import type { Command } from 'commander';
import type { LeaversAnswer } from '../../reports/leavers-answer.ts';
import { reportLeavers } from '../../reports/report-leavers.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';
import {
  addReportFlags,
  giveReport,
  type Money,
  moneyOf,
  type ReportFlags,
} from '../terminal/report-flags.ts';
import type { DrawTable } from '../terminal/table.ts';

export function addLeaversReport(group: Command): void {
  const command = group
    .command('leavers')
    .description('what is owed to customers who left, and by them, a row for each currency');
  perform<ReportFlags>(addReportFlags(command), async (session, { options }) => {
    const leavers = await reportLeavers(session.parts());
    const money = moneyOf(options);
    const { table } = session.out;
    const text = (of: LeaversAnswer) => render(of, table, money);
    giveReport(session, leavers, { flags: options, rows: leavers, text });
  });
}

function render(leavers: LeaversAnswer, table: DrawTable, money: Money): string {
  const amount = (title: string, of: (row: LeaversAnswer[number]) => string | null) => ({
    title,
    value: (row: LeaversAnswer[number]) => {
      const exact = of(row);
      return exact === null || row.currency === null ? '' : money(exact, row.currency);
    },
    figure: true,
  });
  if (leavers.length === 0) return 'nobody left';
  return table(leavers, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'LEFT', value: (row) => timeOf(row.left_at) },
    amount('OWED TO IT', (row) => row.owed_to),
    amount('NOT CLOSED', (row) => row.not_closed),
    amount('NOT TOLD', (row) => row.not_told),
    { title: '', value: (row) => row.currency ?? '' },
  ]);
}
