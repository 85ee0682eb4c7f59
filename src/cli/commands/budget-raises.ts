import type { Command } from 'commander';
import { approveRaise, refuseRaise } from '../../budgets/raises/answer-raise.ts';
import { askRaise, listRaises } from '../../budgets/raises/ask-raise.ts';
import {
  approveRaiseRequest,
  askRaiseRequest,
  type RaiseAnswer,
  raisesRequest,
  refuseRaiseRequest,
} from '../../budgets/raises/raise-answer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { perform } from '../terminal/command.ts';
import { moneyText, timeOf } from '../terminal/figures.ts';

/** Adds the commands of requests to raise a limit: who is denied asks, and an operator answers. */
export function addRaises(group: Command): void {
  addAsk(group);
  addRequests(group);
  addApprove(group);
  addRefuse(group);
}

interface AnswerFlags {
  readonly limit?: string;
  readonly reason: string;
  readonly actor: string;
}

const LIMIT = '--limit <limit>';
const WHY = 'why, kept with it';

function addAsk(group: Command): void {
  const command = group
    .command('ask')
    .argument('<tenant>')
    .argument('<budget>', 'its number, as an answer that denies names it')
    .description('ask an operator for a higher limit; of one budget one request waits')
    .requiredOption(LIMIT, 'what the limit should be, in its currency or in tokens')
    .requiredOption('--reason <words>', WHY);
  perform<AnswerFlags>(
    addActor(command),
    async (session, { args: [tenant_id = '', budget_id = ''], options }) => {
      const { limit = '', reason, actor } = options;
      const asked = { tenant_id, budget_id, limit, reason, actor };
      const raise = await askRaise(session.parts(), readRequest(askRaiseRequest, asked));
      session.out.answer(raise, raiseText);
    },
  );
}

function addRequests(group: Command): void {
  const command = group
    .command('requests')
    .description('requests to raise a limit that wait for an answer')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--all', 'those that were answered, too');
  perform<{ tenant?: string; all?: boolean }>(
    command,
    async (session, { options: { tenant = null, all = false } }) => {
      const asked = readRequest(raisesRequest, { tenant_id: tenant, all });
      const raises = await listRaises(session.parts(), asked);
      const text = session.out.table(raises, [
        { title: 'REQUEST', value: (row) => row.request_id, figure: true },
        { title: 'TENANT', value: (row) => row.tenant_id },
        { title: 'LIMIT', value: (row) => limitText(row, row.limit_then), figure: true },
        { title: 'ASKED FOR', value: (row) => limitText(row, row.limit_asked), figure: true },
        { title: 'BY', value: (row) => row.asked_by, spare: true },
        { title: 'SINCE', value: (row) => timeOf(row.asked_at), spare: true },
        ...(all ? [{ title: 'ANSWER', value: answerText }] : []),
        { title: '', value: (row) => row.asked_because, below: true },
      ]);
      session.out.answer(raises, raises.length === 0 ? 'nobody asks for a higher limit' : text);
    },
  );
}

function addApprove(group: Command): void {
  const command = group
    .command('approve')
    .argument('<request>', 'its number')
    .description('raise the limit to what was asked for, or to what is granted in its place')
    .option(LIMIT, 'what is granted; without it what was asked for')
    .requiredOption('--reason <words>', WHY);
  perform<AnswerFlags>(
    addActor(command),
    async (session, { args: [request_id = ''], options: { limit = null, reason, actor } }) => {
      const asked = readRequest(approveRaiseRequest, { request_id, limit, reason, actor });
      const raise = await approveRaise(session.parts(), asked);
      session.out.answer(raise, raiseText);
    },
  );
}

function addRefuse(group: Command): void {
  const command = group
    .command('refuse')
    .argument('<request>', 'its number')
    .description('leave the limit as it is, and say why')
    .requiredOption('--reason <words>', WHY);
  perform<AnswerFlags>(
    addActor(command),
    async (session, { args: [request_id = ''], options: { reason, actor } }) => {
      const asked = readRequest(refuseRaiseRequest, { request_id, reason, actor });
      const raise = await refuseRaise(session.parts(), asked);
      session.out.answer(raise, raiseText);
    },
  );
}

function limitText({ currency }: RaiseAnswer, limit: string): string {
  return `${moneyText(limit)} ${currency ?? 'tokens'}`;
}

function raiseText(raise: RaiseAnswer): string {
  const { request_id: id, tenant_id: tenant, limit_then: then, limit_asked: asked } = raise;
  return `request ${id} of ${tenant}: ${limitText(raise, asked)} in place of ${limitText(raise, then)}, ${answerText(raise)}`;
}

function answerText(raise: RaiseAnswer): string {
  const { state, limit_granted: granted, answered_by: by, answered_because: why } = raise;
  if (state === 'open') return 'waits for an answer';
  const what = granted === null ? state : `${state} at ${limitText(raise, granted)}`;
  return `${what} by ${by}: ${why}`;
}
