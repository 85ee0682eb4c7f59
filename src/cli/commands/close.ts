import type { Command } from 'commander';
import { closePeriods } from '../../ledger/closes/close-periods.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addClose(program: Command): void {
  const command = program
    .command('close')
    .argument('<month>', 'the month in which the period begins, YYYY-MM', readMonth)
    .description('close the period of each tenant whose period has ended')
    .option('--tenant <tenant>', 'only this one');
  perform<{ tenant?: string }>(command, async (session, { args: [month = ''], options }) => {
    const request = { month, tenant_id: options.tenant ?? null };
    const answers = await closePeriods(session.parts(), request);
    if (answers.some((answer) => answer.state === 'refused')) session.foundWrong();
    if (options.tenant !== undefined && answers.some((answer) => answer.state === 'not_ended')) {
      session.foundWrong();
    }
    const text = table(answers, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'STATE', value: (row) => row.state.replace('_', ' ') },
      { title: 'TOTAL', value: (row) => row.charge_total ?? '', figure: true },
      { title: '', value: (row) => row.currency ?? '' },
      { title: 'MANIFEST', value: (row) => row.manifest_hash?.slice(0, 12) ?? row.detail ?? '' },
    ]);
    session.out.answer(answers, text);
  });
}
