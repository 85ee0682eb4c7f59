import type { Command } from 'commander';
import { Option } from 'commander';
import { correctEntry } from '../../ledger/corrections/correct-entry.ts';
import type { ChangeGiven, CorrectionAnswer } from '../../ledger/corrections/correction-answer.ts';
import { Refusal } from '../../refusal.ts';
import type { FurtherUnits } from '../../units.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readEntryId, readTokens, readUnits } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addCorrect(program: Command): void {
  const command = program
    .command('correct')
    .argument('<entry-id>', 'as audit.entries shows it', readEntryId)
    .description('take an entry back, and replace it unless it is void')
    .option('--void', 'without a replacement')
    .option('--tenant <tenant>')
    .option('--user <user>', 'an empty text takes it away')
    .option('--feature <feature>', 'the same')
    .option('--agent-run <run>', 'the same')
    .option('--prompt-version <version>', 'the same')
    .addOption(new Option('--status <status>').choices(['ok', 'error', 'cancelled']))
    .option('--requested-model <model>')
    .option('--executed-model <model>')
    .option('--provider <provider>', 'an empty text takes it away')
    .addOption(
      new Option('--service-tier <tier>').choices(['standard', 'batch', 'flex', 'priority']),
    )
    .option('--uncached-input-tokens <n>', 'input without cache', readTokens)
    .option('--cache-read-tokens <n>', 'input read from cache', readTokens)
    .option('--cache-write-tokens <n>', 'input written to cache', readTokens)
    .option('--output-tokens <n>', 'output, reasoning included', readTokens)
    .option(
      '--units <units>',
      'other units, such as images=2,searches=1; 0 takes one away',
      readUnits,
    )
    .requiredOption('--reason <text>', 'why');
  perform<CorrectFlags>(
    addActorOnceBy(command),
    async (session, { args: [entry = ''], options }) => {
      const { reason, actor } = options;
      const entry_id = BigInt(readEntryId(entry));
      const request = { entry_id, change: changeOf(options), reason, actor };
      const answer = await correctEntry(session.parts(), request);
      session.out.answer(answer, renderCorrections([answer]));
    },
  );
}

interface CorrectFlags {
  readonly void?: boolean;
  readonly tenant?: string;
  readonly user?: string;
  readonly feature?: string;
  readonly agentRun?: string;
  readonly promptVersion?: string;
  readonly status?: NonNullable<ChangeGiven['status']>;
  readonly requestedModel?: string;
  readonly executedModel?: string;
  readonly provider?: string;
  readonly serviceTier?: NonNullable<ChangeGiven['service_tier']>;
  readonly uncachedInputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly outputTokens?: number;
  readonly units?: FurtherUnits;
  readonly reason: string;
  readonly actor: string;
}

/**
 * An entry that carries no such tag says so by null, never by an empty text. The parser of arguments
 * would turn a null of ours back into an empty text, so this is done after it.
 */
function tagOf(text: string | undefined): string | null | undefined {
  return text === '' ? null : text;
}

function changeOf(flags: CorrectFlags): ChangeGiven | null {
  const change: ChangeGiven = {
    tenant_id: flags.tenant,
    user_id: tagOf(flags.user),
    feature: tagOf(flags.feature),
    agent_run_id: tagOf(flags.agentRun),
    prompt_version: tagOf(flags.promptVersion),
    status: flags.status,
    requested_model: flags.requestedModel,
    executed_model: flags.executedModel,
    provider: tagOf(flags.provider),
    service_tier: flags.serviceTier,
    uncached_input_tokens: flags.uncachedInputTokens,
    cache_read_tokens: flags.cacheReadTokens,
    cache_write_tokens: flags.cacheWriteTokens,
    output_tokens: flags.outputTokens,
    units: flags.units,
  };
  const isEmpty = Object.values(change).every((value) => value === undefined);
  if (flags.void === true && !isEmpty) {
    throw new Refusal(
      'bad_request',
      '--void leaves nothing to change',
      'give either --void or the new values',
    );
  }
  if (flags.void !== true && isEmpty) {
    throw new Refusal(
      'bad_request',
      'nothing is changed',
      'give --void, or a new value such as --output-tokens',
    );
  }
  return flags.void === true ? null : change;
}

export function renderCorrections(answers: readonly CorrectionAnswer[]): string {
  return table(answers, [
    { title: 'CORRECTED', value: (row) => row.corrected },
    { title: 'REVERSAL', value: (row) => row.reversal },
    { title: 'REPLACEMENT', value: (row) => row.replacement ?? '' },
    { title: 'CHARGE', value: (row) => row.charge_before ?? 'none', figure: true },
    { title: 'AFTER', value: (row) => row.charge_after ?? 'none', figure: true },
    { title: 'COST', value: (row) => row.cost_before ?? 'unknown', figure: true },
    { title: 'AFTER', value: (row) => row.cost_after ?? 'unknown', figure: true },
  ]);
}
