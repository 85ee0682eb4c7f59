import type { Command } from 'commander';
import { Option } from 'commander';
import type { CheckRequest } from '../../budgets/budget-answer.ts';
import { checkRequest } from '../../budgets/budget-answer.ts';
import { checkBudgets } from '../../budgets/check-budgets.ts';
import { reserveRequest } from '../../budgets/hold-answer.ts';
import { reserveHold } from '../../budgets/reserve-hold.ts';
import { readRequest } from '../../request.ts';
import type { FurtherUnits } from '../../units.ts';
import { readAmount, readCount, readTag, readTokens, readUnits } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { callParts } from '../terminal/naming-parts.ts';
import { callText, reservedText } from './budget-text.ts';

interface CallFlags {
  readonly model?: string;
  readonly inputTokens?: number;
  readonly maxOutputTokens?: number;
  readonly units?: FurtherUnits;
  readonly amount?: string;
  readonly provider?: string;
  readonly serviceTier: CheckRequest['service_tier'];
  readonly feature?: string;
  readonly user?: string;
  readonly run?: string;
  readonly tag?: Readonly<Record<string, string>>;
}

function addCall(command: Command): Command {
  return command
    .argument('<tenant>')
    .option('--model <model>', 'the one to be requested')
    .option('--input-tokens <n>', 'of the whole input', readTokens)
    .option('--max-output-tokens <n>', 'the most that may come back', readTokens)
    .option('--units <list>', 'what else is counted, as images=2,searches=1', readUnits)
    .option('--amount <amount>', 'what the call may be charged, where you know better', readAmount)
    .option('--provider <provider>')
    .addOption(
      new Option('--service-tier <tier>')
        .choices(['standard', 'batch', 'flex', 'priority'])
        .default('standard'),
    )
    .option('--feature <feature>')
    .option('--user <user>')
    .option('--run <run>', 'the agent run')
    .option('--tag <name=value>', 'a tag of the call; may be repeated', readTag);
}

function callOf(tenantId: string, flags: CallFlags) {
  const { inputTokens = null, maxOutputTokens = null, units } = flags;
  const tokens =
    units === undefined
      ? { input_tokens: inputTokens, max_output_tokens: maxOutputTokens, usage: null }
      : {
          input_tokens: null,
          max_output_tokens: null,
          usage: { ...units, input_tokens: inputTokens, output_tokens: maxOutputTokens },
        };
  return {
    tenant_id: tenantId,
    provider: flags.provider ?? null,
    model: flags.model ?? null,
    service_tier: flags.serviceTier,
    ...tokens,
    amount: flags.amount ?? null,
    feature: flags.feature ?? null,
    user_id: flags.user ?? null,
    agent_run_id: flags.run ?? null,
    tags: flags.tag ?? null,
  };
}

export function addCheck(group: Command): void {
  const command = addCall(group.command('check')).description(
    'allow, warn or deny a call before it is made; exit 4 when it is denied',
  );
  perform<CallFlags>(command, async (session, { args: [tenantId = ''], options }) => {
    const request = readRequest(checkRequest, callOf(tenantId, options));
    const answer = await checkBudgets(callParts(session), request);
    if (answer.verdict === 'deny') session.foundOverBudget();
    session.out.answer(answer, callText);
  });
}

export function addReserve(group: Command): void {
  const command = addCall(group.command('reserve'))
    .description(
      'hold what a call may come to until its event carries the hold; exit 4 when it is denied',
    )
    .option('--hold <id>', 'an id of your own: asking again with it holds nothing twice')
    .option('--expires-in <seconds>', 'the timeout of the call; 600 without it', readCount);
  perform<CallFlags & { hold?: string; expiresIn?: number }>(
    command,
    async (session, { args: [tenantId = ''], options }) => {
      const request = readRequest(reserveRequest, {
        ...callOf(tenantId, options),
        hold_id: options.hold ?? null,
        expires_in_seconds: options.expiresIn ?? null,
      });
      const answer = await reserveHold(callParts(session), request);
      if (answer.verdict === 'deny') session.foundOverBudget();
      session.out.answer(answer, reservedText);
    },
  );
}
