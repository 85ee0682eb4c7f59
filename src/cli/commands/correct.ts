import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { EntryChange } from '../../ledger/corrections/correction.ts';
import type { CorrectionAnswer } from '../../ledger/corrections/post-corrections.ts';
import { postCorrections } from '../../ledger/corrections/post-corrections.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { Refusal } from '../../refusal.ts';
import { readEntryId, readTokens } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

/** The person at the keyboard, unless another is named. */
export const CURRENT_USER = userInfo().username;

export function addCorrect(program: Command): void {
  const command = program
    .command('correct')
    .argument('<entry-id>', 'as audit.entries shows it', readEntryId)
    .description('take an entry back, and replace it unless it is void')
    .option('--void', 'without a replacement')
    .option('--tenant <tenant>')
    .option('--user <user>', 'an empty text takes it away', readTag)
    .option('--feature <feature>', 'the same', readTag)
    .option('--agent-run <run>', 'the same', readTag)
    .option('--prompt-version <version>', 'the same', readTag)
    .addOption(new Option('--status <status>').choices(['ok', 'error', 'cancelled']))
    .option('--requested-model <model>')
    .option('--executed-model <model>')
    .option('--provider <provider>', 'an empty text takes it away', readTag)
    .addOption(
      new Option('--service-tier <tier>').choices(['standard', 'batch', 'flex', 'priority']),
    )
    .option('--uncached-input-tokens <n>', 'input without cache', readTokens)
    .option('--cache-read-tokens <n>', 'input read from cache', readTokens)
    .option('--cache-write-tokens <n>', 'input written to cache', readTokens)
    .option('--output-tokens <n>', 'output, reasoning included', readTokens)
    .requiredOption('--reason <text>', 'why')
    .option('--by <name>', 'who', CURRENT_USER);
  perform<CorrectFlags>(command, async (session, { args: [entry = ''], options }) => {
    const change = changeOf(options);
    const note = { reason: options.reason, actor: options.by };
    const request = { entryId: BigInt(readEntryId(entry)), change, note };
    const database = session.database();
    const answers = await postCorrections(database, session.clock, [request]);
    await foldAll(database, session.clock);
    session.out.answer(answers[0], renderCorrections(answers));
  });
}

interface CorrectFlags extends Omit<EntryChange, 'tenantId' | 'userId' | 'agentRunId'> {
  readonly void?: boolean;
  readonly tenant?: string;
  readonly user?: string | null;
  readonly agentRun?: string | null;
  readonly reason: string;
  readonly by: string;
}

/** An entry that carries no such tag says so by null, never by an empty text. */
function readTag(text: string): string | null {
  return text === '' ? null : text;
}

function changeOf(flags: CorrectFlags): EntryChange | null {
  const { void: isVoid, tenant, user, agentRun, reason: _, by: __, ...rest } = flags;
  const { json: ___, ...fields } = rest as typeof rest & { readonly json?: boolean };
  const change: EntryChange = {
    ...fields,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(user === undefined ? {} : { userId: user }),
    ...(agentRun === undefined ? {} : { agentRunId: agentRun }),
  };
  const isEmpty = Object.keys(change).length === 0;
  if (isVoid === true && !isEmpty) {
    throw new Refusal(
      'bad_request',
      '--void leaves nothing to change',
      'give either --void or the new values',
    );
  }
  if (isVoid !== true && isEmpty) {
    throw new Refusal(
      'bad_request',
      'nothing is changed',
      'give --void, or a new value such as --output-tokens',
    );
  }
  return isVoid === true ? null : change;
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
