import type { Command } from 'commander';
import { adjustTenant } from '../../ledger/corrections/adjust-tenant.ts';
import { adjustRequest } from '../../ledger/corrections/adjustment-answer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readAmount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';

export function addAdjust(program: Command): void {
  const command = program
    .command('adjust')
    .argument('<tenant>')
    .description('credit or charge money without a call behind it, in the open period')
    .requiredOption('--amount <amount>', 'below zero a credit, above zero a fee', readAmount)
    .requiredOption('--reason <text>', 'why; the customer reads it on the statement')
    .option('--id <id>', 'the same id again is the same adjustment');
  perform<AdjustFlags>(addActor(command), async (session, { args: [tenant_id = ''], options }) => {
    const { amount, reason, actor, id = null } = options;
    const request = readRequest(adjustRequest, { tenant_id, amount, id, reason, actor });
    const answer = await adjustTenant(session.parts(), request);
    const what = answer.amount.startsWith('-') ? 'credited' : 'charged';
    const said = answer.state === 'posted' ? what : `already ${what}, nothing was posted`;
    session.out.answer(
      answer,
      (shown) =>
        `${shown.tenant_id}: ${shown.amount.replace('-', '')} ${shown.currency} ${said} in the period from ${shown.period_start}, ${shown.entry_id} (id ${shown.id})`,
    );
  });
}

interface AdjustFlags {
  readonly amount: string;
  readonly reason: string;
  readonly actor: string;
  readonly id?: string;
}
