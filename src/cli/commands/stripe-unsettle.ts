import type { Command } from 'commander';
import { unsettleRequest } from '../../push/unsettle-answer.ts';
import { readRequest } from '../../request.ts';
import { unsettleMonth } from '../../stripe/unsettle-month.ts';
import { addActor } from '../terminal/actor.ts';
import { perform } from '../terminal/command.ts';
import { amountOfMicro } from '../terminal/figures.ts';

interface UnsettleFlags {
  readonly reason: string;
  readonly actor: string;
}

export function addUnsettle(group: Command): void {
  const command = group
    .command('unsettle')
    .argument('<identifier>', 'of what was recorded as settled; push list shows it')
    .description('take back what was recorded as settled and was not billed, so that it is pushed')
    .requiredOption('--reason <text>', 'why it is not so, such as the invoice that was never sent');
  perform<UnsettleFlags>(
    addActor(command),
    async (session, { args: [identifier = ''], options }) => {
      const { reason, actor } = options;
      const request = readRequest(unsettleRequest, { identifier, reason, actor });
      const answer = await unsettleMonth(session.parts(), request);
      const shown = (micro: string) => `${amountOfMicro(micro)} ${answer.currency}`;
      session.out.answer(
        answer,
        `took back ${shown(answer.taken_back)} of ${answer.tenant_id} from ${answer.period_start}; ${shown(answer.due)} is due`,
      );
    },
  );
}
