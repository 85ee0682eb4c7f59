import type { Command } from 'commander';
import { reportLeavers } from '../../reports/report-leavers.ts';
import { perform } from '../terminal/command.ts';
import { moneyText, timeOf } from '../terminal/figures.ts';

export function addLeaversReport(group: Command): void {
  const command = group
    .command('leavers')
    .description('what is owed to customers who left, and by them');
  perform(command, async (session) => {
    const leavers = await reportLeavers(session.parts());
    const text = session.out.table(leavers, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'LEFT', value: (row) => timeOf(row.left_at) },
      { title: 'OWED TO IT', value: (row) => moneyText(row.owed_to ?? ''), figure: true },
      { title: 'NOT CLOSED', value: (row) => moneyText(row.not_closed ?? ''), figure: true },
      { title: 'NOT TOLD', value: (row) => moneyText(row.not_told ?? ''), figure: true },
      { title: '', value: (row) => row.currency ?? '' },
    ]);
    session.out.answer(leavers, leavers.length === 0 ? 'nobody left' : text);
  });
}
