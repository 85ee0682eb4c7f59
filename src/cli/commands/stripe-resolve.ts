import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import { resolveRequest } from '../../stripe/alerts/alert-answer.ts';
import { resolveAlert } from '../../stripe/alerts/resolve-alert.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readId } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { words } from '../terminal/words.ts';

interface ResolveFlags {
  readonly reason: string;
  readonly actor: string;
  readonly nothingElseBilled?: boolean;
}

export function addResolve(group: Command): void {
  const command = group
    .command('resolve')
    .argument('<id>', 'an alert, as "stripe alerts" shows it', readId)
    .description('say what was done about an alert, so that its month can come to its end')
    .requiredOption('--reason <text>', 'what was done, such as the credit note that was made')
    .option(
      '--nothing-else-billed',
      'of an invoice that differs: nothing was billed by hand, or stands on it, that is not recorded as settled',
    );
  perform<ResolveFlags>(addActorOnceBy(command), async (session, { args: [id = ''], options }) => {
    const { reason, actor, nothingElseBilled: nothing_else_billed } = options;
    const request = readRequest(resolveRequest, {
      alert_id: id,
      reason,
      actor,
      nothing_else_billed,
    });
    const resolved = await resolveAlert(session.parts(), request);
    session.out.answer(resolved, `resolved: ${words(resolved.kind)} of ${resolved.subject}`);
  });
}
