import type { Command } from 'commander';
import { settleRequest } from '../../push/settle-answer.ts';
import { readRequest } from '../../request.ts';
import { settleMonth } from '../../stripe/settle-month.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { amountOfMicro } from '../terminal/figures.ts';

interface SettledFlags {
  readonly periodStart?: string;
  readonly amount: string;
  readonly reason: string;
  readonly actor: string;
}

export function addSettled(group: Command): void {
  const command = group
    .command('settled')
    .argument('<tenant>')
    .argument('<month>', 'the month in which the period begins, YYYY-MM', readMonth)
    .description('record what a person billed elsewhere, so that it is told to nobody')
    .requiredOption('--amount <amount>', "what was billed, in the period's currency")
    .requiredOption('--reason <text>', 'where it was billed, such as the number of the invoice')
    .option('--period-start <day>', 'its first day, where several begin in the month');
  perform<SettledFlags>(
    addActor(command),
    async (session, { args: [tenant_id = '', month = ''], options }) => {
      const { amount, reason, actor, periodStart } = options;
      const named = periodStart === undefined ? {} : { period_start: periodStart };
      const said = { tenant_id, month, ...named, amount, reason, actor };
      const request = readRequest(settleRequest, said);
      const answer = await settleMonth(session.parts(), request);
      const shown = (micro: string) => `${amountOfMicro(micro)} ${answer.currency}`;
      const rest = answer.due === '0' ? 'nothing more is due' : `${shown(answer.due)} is still due`;
      session.out.answer(answer, `settled ${shown(answer.settled)} of ${tenant_id}; ${rest}`);
    },
  );
}
