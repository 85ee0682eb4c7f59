import type { Command } from 'commander';
import { keepTenantRequest } from '../../ledger/closes/close-tenant-answer.ts';
import { keepTenant } from '../../ledger/closes/keep-tenant.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';

export function addTenantStay(group: Command): void {
  const command = group
    .command('stay')
    .argument('<tenant>')
    .description('a customer stays: withdraw a leave that is still to come')
    .requiredOption('--reason <text>', 'why');
  perform<{ reason: string; actor: string }>(
    addActor(command),
    async (session, { args: [tenant_id = ''], options: { reason, actor } }) => {
      const request = readRequest(keepTenantRequest, { tenant_id, reason, actor });
      const answer = await keepTenant(session.parts(), request);
      session.out.answer(
        answer,
        (shown) =>
          `${shown.tenant_id} stays, and does not leave at ${timeOf(shown.was_to_leave_at)}`,
      );
    },
  );
}
