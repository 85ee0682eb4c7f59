import type { Command } from 'commander';
import { Option } from 'commander';
import type { BudgetAnswer, RemoveBudgetRequest } from '../../budgets/budget-answer.ts';
import {
  budgetsRequest,
  removeBudgetRequest,
  setBudgetRequest,
} from '../../budgets/budget-answer.ts';
import { releaseHoldRequest } from '../../budgets/hold-answer.ts';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { releaseHold } from '../../budgets/release-hold.ts';
import { removeBudget, setBudget, USUAL_LOOP_STEPS } from '../../budgets/set-budget.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import {
  readAmount,
  readCount,
  readInstant,
  readPercents,
  readTag,
  readTokens,
} from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { namingParts } from '../terminal/naming-parts.ts';
import { addCheck, addReserve } from './budget-call.ts';
import { addRaises } from './budget-raises.ts';
import { budgetsText, describeBudget, holdText } from './budget-text.ts';

export function addBudget(program: Command): void {
  const group = program.command('budget').description('limits that are asked before a call');
  addSet(group);
  addRemove(group);
  addList(group);
  addCheck(group);
  addReserve(group);
  addRelease(group);
  addRaises(group);
}

interface KeyFlags {
  readonly per: RemoveBudgetRequest['per'];
  readonly feature?: string;
  readonly user?: string;
  readonly run?: string;
  readonly tag?: Readonly<Record<string, string>>;
}

function addKey(command: Command): Command {
  return command
    .argument('<tenant>')
    .addOption(
      new Option(
        '--per <span>',
        'a day of the tenant, its billing period, each agent run, or once for all that comes',
      )
        .choices(['day', 'month', 'run', 'once'])
        .makeOptionMandatory(),
    )
    .option('--feature <feature>', 'only of this feature')
    .option('--user <user>', 'only of this user')
    .option('--run <run>', 'only of this agent run')
    .option('--tag <name=value>', 'only of calls that have this tag; may be repeated', readTag);
}

function scopeOf(flags: KeyFlags) {
  const { per, feature = null, user: user_id = null, run: agent_run_id = null, tag = null } = flags;
  return { per, feature, user_id, agent_run_id, tags: tag };
}

interface SetFlags extends KeyFlags {
  readonly amount?: string;
  readonly tokens?: number;
  readonly soft?: boolean;
  readonly onUnavailable: BudgetAnswer['on_unavailable'];
  readonly pricedOnly?: boolean;
  readonly thresholds?: readonly number[];
  readonly loop?: 'warn' | 'deny';
  readonly loopSteps: number;
  readonly actor: string;
}

function addSet(group: Command): void {
  const command = addKey(group.command('set'))
    .description('set or change a budget on what a tenant is charged, or on its tokens')
    .option('--amount <amount>', 'the limit, in the currency of its price book', readAmount)
    .option('--tokens <n>', 'the limit in tokens, in place of an amount', readTokens)
    .option('--soft', 'warn when a call would pass it; otherwise it is hard, and denies')
    .addOption(
      new Option('--on-unavailable <what>', 'what a caller is to do that cannot ask')
        .choices(['allow', 'deny'])
        .default('deny'),
    )
    .option('--priced-only', 'deny calls of models without a price')
    .option(
      '--thresholds <percents>',
      'shares of the limit at which webhooks are told, as 50,80,100; without it 80,100',
      readPercents,
    )
    .addOption(
      new Option(
        '--loop <what>',
        'warn of a run that repeats a call with growing context, or deny its next one',
      ).choices(['warn', 'deny']),
    )
    .option('--loop-steps <n>', 'so many in a row are a loop', readCount, USUAL_LOOP_STEPS);
  perform<SetFlags>(addActor(command), async (session, { args: [tenantId = ''], options }) => {
    const { amount = null, tokens = null, soft = false, actor } = options;
    const request = readRequest(setBudgetRequest, {
      tenant_id: tenantId,
      ...scopeOf(options),
      amount,
      tokens,
      actor,
      kind: soft ? 'soft' : 'hard',
      on_unavailable: options.onUnavailable,
      priced_only: options.pricedOnly ?? false,
      thresholds: options.thresholds ?? null,
      loop: options.loop === undefined ? null : { verdict: options.loop, steps: options.loopSteps },
    });
    const budget = await setBudget(namingParts(session), request);
    session.out.answer(budget, describeBudget);
  });
}

function addRemove(group: Command): void {
  const command = addKey(group.command('remove'))
    .description('take a budget away, with what it counted')
    .addOption(
      new Option('--measure <measure>', 'what it limits')
        .choices(['money', 'tokens'])
        .default('money'),
    );
  perform<KeyFlags & { measure: BudgetAnswer['measure'] }>(
    addActor(command),
    async (session, { args: [tenantId = ''], options }) => {
      const { measure } = options;
      const request = readRequest(removeBudgetRequest, {
        tenant_id: tenantId,
        measure,
        ...scopeOf(options),
      });
      const answer = await removeBudget(namingParts(session), request);
      session.out.answer(answer, 'removed');
    },
  );
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('all budgets, what is spent and held, and the holds whose event did not come')
    .option('--tenant <tenant>', 'only of this one')
    .option('--as-of <instant>', 'how they stood then, and which there were', readInstant);
  perform<{ tenant?: string; asOf?: string }>(command, async (session, { options }) => {
    const { tenant: tenant_id = null, asOf: as_of = null } = options;
    const budgets = await listBudgets(
      session.parts(),
      readRequest(budgetsRequest, { tenant_id, as_of }),
    );
    session.out.answer(budgets, (shown) => budgetsText(shown, session.out.table));
  });
}

function addRelease(group: Command): void {
  const command = group
    .command('release')
    .argument('<hold>', 'its id')
    .description(
      'give back what a call was promised that is not made, or whose event will not come',
    );
  perform<{ actor: string }>(
    addActor(command),
    async (session, { args: [holdId = ''], options: { actor } }) => {
      const request = readRequest(releaseHoldRequest, { hold_id: holdId, tenant_id: null, actor });
      const hold = await releaseHold(session.parts(), request);
      session.out.answer(hold, holdText);
    },
  );
}
