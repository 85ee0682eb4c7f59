import type { Command } from 'commander';
import { Option } from 'commander';
import type {
  BudgetAnswer,
  BudgetDecisionAnswer,
  CheckAnswer,
  CheckRequest,
  RemoveBudgetRequest,
} from '../../budgets/budget-answer.ts';
import {
  checkRequest,
  removeBudgetRequest,
  setBudgetRequest,
} from '../../budgets/budget-answer.ts';
import { checkBudgets } from '../../budgets/check-budgets.ts';
import { listBudgets, removeBudget, setBudget } from '../../budgets/set-budget.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readAmount, readTokens } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addBudget(program: Command): void {
  const group = program.command('budget').description('limits that are asked before a call');
  addSet(group);
  addRemove(group);
  addList(group);
  addCheck(group);
}

interface KeyFlags {
  readonly per: RemoveBudgetRequest['per'];
  readonly feature?: string;
  readonly user?: string;
}

function addKey(command: Command): Command {
  return command
    .argument('<tenant>')
    .addOption(
      new Option('--per <span>', "a UTC day, or the tenant's billing period")
        .choices(['day', 'month'])
        .makeOptionMandatory(),
    )
    .option('--feature <feature>', 'only of this feature')
    .option('--user <user>', 'only of this user');
}

function keyOf(tenant_id: string, flags: KeyFlags): RemoveBudgetRequest {
  const { per, feature = null, user: user_id = null } = flags;
  return { tenant_id, per, feature, user_id };
}

function addSet(group: Command): void {
  const command = addKey(group.command('set'))
    .description('set or change a budget on what a tenant is charged')
    .requiredOption('--amount <amount>', 'in the currency of its price book', readAmount)
    .option('--soft', 'warn when a call would pass it; otherwise it is hard, and denies');
  perform<KeyFlags & { amount: string; soft?: boolean; actor: string }>(
    addActor(command),
    async (session, { args: [tenantId = ''], options }) => {
      const { amount, soft = false, actor } = options;
      const request = readRequest(setBudgetRequest, {
        ...keyOf(tenantId, options),
        ...{ amount, kind: soft ? 'soft' : 'hard', actor },
      });
      const budget = await setBudget(session.parts(), request);
      session.out.answer(budget, describe(budget));
    },
  );
}

function addRemove(group: Command): void {
  const command = addKey(group.command('remove')).description('take a budget away');
  perform<KeyFlags>(command, async (session, { args: [tenantId = ''], options }) => {
    const request = readRequest(removeBudgetRequest, keyOf(tenantId, options));
    const answer = await removeBudget(session.parts(), request);
    session.out.answer(answer, 'removed');
  });
}

function addList(group: Command): void {
  const command = group.command('list').description('all budgets');
  perform(command, async (session) => {
    const budgets = await listBudgets(session.parts());
    const text = table(budgets, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PER', value: (row) => row.per },
      { title: 'FEATURE', value: (row) => row.feature ?? '(all)' },
      { title: 'USER', value: (row) => row.user_id ?? '(all)' },
      { title: 'AMOUNT', value: (row) => `${row.amount} ${row.currency}`, figure: true },
      { title: 'KIND', value: (row) => row.kind },
    ]);
    session.out.answer(budgets, budgets.length === 0 ? 'there is no budget' : text);
  });
}

function addCheck(group: Command): void {
  const command = group
    .command('check')
    .argument('<tenant>')
    .description('allow, warn or deny a call before it is made; exit 4 when it is denied')
    .requiredOption('--model <model>', 'the one to be requested')
    .requiredOption('--input-tokens <n>', 'of the whole input', readTokens)
    .requiredOption('--max-output-tokens <n>', 'the most that may come back', readTokens)
    .option('--provider <provider>')
    .addOption(
      new Option('--service-tier <tier>')
        .choices(['standard', 'batch', 'flex', 'priority'])
        .default('standard'),
    )
    .option('--feature <feature>')
    .option('--user <user>');
  perform<CheckFlags>(command, async (session, { args: [tenantId = ''], options }) => {
    const { user: user_id = null, feature = null, provider = null, model } = options;
    const request = readRequest(checkRequest, {
      ...{ tenant_id: tenantId, user_id, feature, provider, model },
      service_tier: options.serviceTier,
      input_tokens: options.inputTokens,
      max_output_tokens: options.maxOutputTokens,
    });
    const answer = await checkBudgets(session.parts(), request);
    if (answer.verdict === 'deny') session.foundOverBudget();
    session.out.answer(answer, renderAnswer(answer));
  });
}

interface CheckFlags {
  readonly model: string;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  readonly provider?: string;
  readonly serviceTier: CheckRequest['service_tier'];
  readonly feature?: string;
  readonly user?: string;
}

function describe(budget: BudgetAnswer): string {
  const whose = [
    budget.feature === null ? '' : ` of feature ${budget.feature}`,
    budget.user_id === null ? '' : ` of user ${budget.user_id}`,
  ].join('');
  return `${budget.tenant_id}${whose}: ${budget.amount} ${budget.currency} a ${budget.per}, ${budget.kind}`;
}

function renderAnswer({ verdict, estimate, currency, budgets }: CheckAnswer): string {
  const head = `${verdict}: the call is charged at most ${estimate} ${currency}`;
  return [head, ...budgets.map(renderDecision)].join('\n');
}

function renderDecision(decision: BudgetDecisionAnswer): string {
  const { verdict, spent, left } = decision;
  return `${verdict}  ${describe(decision)}; spent ${spent}, after the call ${left} left`;
}
