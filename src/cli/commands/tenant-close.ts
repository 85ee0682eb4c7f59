import type { Command } from 'commander';
import { closeTenant } from '../../ledger/closes/close-tenant.ts';
import type { CloseTenantAnswer } from '../../ledger/closes/close-tenant-answer.ts';
import { closeTenantRequest } from '../../ledger/closes/close-tenant-answer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';
import { renderPeriods } from './close.ts';

export function addTenantClose(group: Command): void {
  const command = group
    .command('close')
    .argument('<tenant>')
    .description('a customer leaves: end the running period at an instant, and close it')
    .requiredOption('--at <instant>', 'where its last period ends', readInstant);
  perform<{ at: string }>(
    addActor(command),
    async (session, { args: [tenant_id = ''], options }) => {
      const request = readRequest(closeTenantRequest, { tenant_id, at: options.at });
      const answer = await closeTenant(session.parts(), request);
      // One that is still to end is closed with its month.
      if (answer.periods.some(({ state }) => state === 'refused')) session.foundWrong();
      session.out.answer(
        answer,
        (shown) =>
          `${shown.tenant_id} ${leaveOf(shown)}\n${renderPeriods(shown.periods, session.out.table)}`,
      );
    },
  );
}

function leaveOf({ left_at: left, leaves_at: leaves }: CloseTenantAnswer): string {
  if (leaves === null) return `left at ${timeOf(left ?? '')}`;
  return `leaves at ${timeOf(leaves)}, which can be moved and withdrawn until then`;
}
