import type { Command } from 'commander';
import { Option } from 'commander';
import type { Budget, BudgetDecision } from '../../budgets/budget.ts';
import { deleteBudget, readBudgets } from '../../budgets/budget-store.ts';
import type { BudgetAnswer } from '../../budgets/check-budgets.ts';
import { checkBudgets, setBudget } from '../../budgets/check-budgets.ts';
import type { ServiceTier } from '../../events/event.ts';
import type { Pico } from '../../money.ts';
import { formatPico } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
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
  readonly per: Budget['per'];
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

function keyOf(tenantId: string, flags: KeyFlags) {
  const { per, feature = null, user: userId = null } = flags;
  return { tenantId, per, feature, userId };
}

function addSet(group: Command): void {
  const command = addKey(group.command('set'))
    .description('set or change a budget on what a tenant is charged')
    .requiredOption('--amount <amount>', 'in the currency of its price book', readAmount)
    .option('--soft', 'warn when a call would pass it; otherwise it is hard, and denies');
  perform<KeyFlags & { amount: Pico; soft?: boolean; actor: string }>(
    addActor(command),
    async (session, { args: [tenantId = ''], options }) => {
      const { amount, soft = false, actor } = options;
      const given = { ...keyOf(tenantId, options), amount, isHard: !soft };
      const by = { actor, at: session.clock() };
      const budget = document(await setBudget(session.database(), given, by));
      session.out.answer(budget, describe(budget));
    },
  );
}

function addRemove(group: Command): void {
  const command = addKey(group.command('remove')).description('take a budget away');
  perform<KeyFlags>(command, async (session, { args: [tenantId = ''], options }) => {
    const key = keyOf(tenantId, options);
    if (!(await deleteBudget(session.database(), key))) {
      throw new Refusal(
        'not_found',
        `tenant "${tenantId}" has no such budget per ${key.per}`,
        advise`see ${{ operation: 'budget list' }}`,
      );
    }
    session.out.answer({ removed: true, ...key }, 'removed');
  });
}

function addList(group: Command): void {
  const command = group.command('list').description('all budgets');
  perform(command, async (session) => {
    const budgets = (await readBudgets(session.database(), null)).map(document);
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
    const { user: userId = null, feature = null, provider = null, ...rest } = options;
    const call = { ...rest, tenantId, userId, feature, provider };
    const answer = await checkBudgets(session.database(), call, session.clock());
    if (answer.verdict === 'deny') session.foundOverBudget();
    session.out.answer(answerDocument(answer), renderAnswer(answer));
  });
}

interface CheckFlags {
  readonly model: string;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  readonly provider?: string;
  readonly serviceTier: ServiceTier;
  readonly feature?: string;
  readonly user?: string;
}

function document(budget: Budget) {
  return {
    tenant_id: budget.tenantId,
    per: budget.per,
    feature: budget.feature,
    user_id: budget.userId,
    amount: formatPico(budget.amount),
    currency: budget.currency,
    kind: budget.isHard ? 'hard' : 'soft',
  };
}

function describe(budget: ReturnType<typeof document>): string {
  const whose = [
    budget.feature === null ? '' : ` of feature ${budget.feature}`,
    budget.user_id === null ? '' : ` of user ${budget.user_id}`,
  ].join('');
  return `${budget.tenant_id}${whose}: ${budget.amount} ${budget.currency} a ${budget.per}, ${budget.kind}`;
}

function answerDocument(answer: BudgetAnswer) {
  return {
    verdict: answer.verdict,
    estimate: formatPico(answer.estimate),
    currency: answer.currency,
    budgets: answer.decisions.map(({ budget, spent, left, verdict }) => ({
      ...document(budget),
      spent: formatPico(spent),
      left: formatPico(left),
      verdict,
    })),
  };
}

function renderAnswer(answer: BudgetAnswer): string {
  const head = `${answer.verdict}: the call is charged at most ${formatPico(answer.estimate)} ${answer.currency}`;
  return [head, ...answer.decisions.map(renderDecision)].join('\n');
}

function renderDecision({ budget, spent, left, verdict }: BudgetDecision): string {
  return `${verdict}  ${describe(document(budget))}; spent ${formatPico(spent)}, after the call ${formatPico(left)} left`;
}
