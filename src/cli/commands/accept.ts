import type { Command } from 'commander';
import { acceptEntries } from '../../ledger/corrections/accept-entries.ts';
import { acceptRequest } from '../../ledger/corrections/correction-answer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readEntryId } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { renderCorrections } from './correct.ts';

export function addAccept(program: Command): void {
  const command = program
    .command('accept')
    .argument('<entry-ids...>', 'as audit.entries shows them')
    .description('take entries without a price or a measure as free, for good')
    .requiredOption('--reason <text>', 'why');
  perform<{ reason: string; actor: string }>(
    addActor(command),
    async (session, { args, options: { reason, actor } }) => {
      const entry_ids = args.map(readEntryId);
      const request = readRequest(acceptRequest, { entry_ids, reason, actor });
      const answers = await acceptEntries(session.parts(), request);
      session.out.answer(answers, (shown) => renderCorrections(shown, session.out.table));
    },
  );
}
