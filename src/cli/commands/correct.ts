import type { Command } from 'commander';
import { Option } from 'commander';
import type { CorrectWhereAnswer } from '../../ledger/corrections/bulk-answer.ts';
import { correctWhereRequest } from '../../ledger/corrections/bulk-answer.ts';
import { correctEntry } from '../../ledger/corrections/correct-entry.ts';
import { correctWhere } from '../../ledger/corrections/correct-where.ts';
import type { ChangeGiven, CorrectionAnswer } from '../../ledger/corrections/correction-answer.ts';
import { correctRequest } from '../../ledger/corrections/correction-answer.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import type { FurtherUnits } from '../../units.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readEntryId, readMonth, readTokens, readUnits } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import {
  CHARGE_COLUMNS,
  COST_COLUMNS,
  renderDifference,
  renderLosing,
  renderOtherCurrency,
} from '../terminal/difference.ts';
import type { Session } from '../terminal/session.ts';
import type { DrawTable } from '../terminal/table.ts';
import type { Where } from '../terminal/where.ts';
import { readWhere, WHERE_FIELDS } from '../terminal/where.ts';

export function addCorrect(program: Command): void {
  const command = program
    .command('correct')
    .argument('[entry-id]', 'as audit.entries shows it', readEntryId)
    .description('take an entry back, or all that match, and replace it unless it is void')
    .option('--where <conditions>', `every entry with field=value,…: ${WHERE_FIELDS}`, readWhere)
    .option('--month <month>', 'with --where, only calls that occurred in this month', readMonth)
    .option('--dry-run', 'show the difference and post nothing')
    .option('--unprice', 'with --where, an entry may lose its price by it')
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
  perform<CorrectFlags>(addActorOnceBy(command), async (session, { args: [entry], options }) => {
    const { where } = options;
    const isForMany = options.month !== undefined || options.unprice === true;
    if ((entry === undefined) === (where === undefined) || (isForMany && where === undefined)) {
      refuseUnclear(entry, isForMany);
    }
    if (where !== undefined) await correctAll(session, where, options);
    else await correctOne(session, entry ?? '', options);
  });
}

function refuseUnclear(entry: string | undefined, isForMany: boolean): never {
  const many = isForMany ? '--where, --month and --unprice mean' : '--where means';
  throw new Refusal(
    'bad_request',
    entry === undefined ? 'no entry is named' : `one entry is named, and ${many} many`,
    'give an entry id as audit.entries shows it, or --where with what many have in common',
  );
}

async function correctOne(session: Session, entry: string, options: CorrectFlags): Promise<void> {
  const { reason, actor, dryRun: dry_run } = options;
  const entry_id = readEntryId(entry);
  const given = { entry_id, change: changeOf(options), dry_run, reason, actor };
  const answer = await correctEntry(session.parts(), readRequest(correctRequest, given));
  session.out.answer(answer, (shown) => renderCorrections([shown], session.out.table));
}

async function correctAll(session: Session, where: Where, options: CorrectFlags): Promise<void> {
  const { month = null, dryRun: dry_run = false, unprice = false, reason, actor } = options;
  const given = { where, month, change: changeOf(options), dry_run, unprice, reason, actor };
  const request = readRequest(correctWhereRequest, given);
  const answer = await correctWhere(session.parts(), request, (done, all) =>
    session.out.progress('corrected', done, all),
  );
  const isLosing = answer.losing.length > 0 && !unprice;
  const isLeft = isLosing || answer.in_other_currency.length > 0;
  if (answer.examined === 0 || isLeft) session.foundWrong();
  session.out.answer(answer, (shown) => renderMany(shown, unprice, session.out.table));
}

function renderMany(answer: CorrectWhereAnswer, unprice: boolean, table: DrawTable): string {
  const { examined, rows, losing, in_other_currency: left } = answer;
  if (examined === 0) return 'no entry that stands matches';
  return [
    rows.length + losing.length + left.length > 0
      ? ''
      : `${counted(examined, 'entry is', 'entries are')} like that already`,
    renderDifference(answer, table),
    renderLosing(losing, unprice),
    renderOtherCurrency(left),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

interface CorrectFlags {
  readonly where?: Where;
  readonly month?: string;
  readonly dryRun?: boolean;
  readonly unprice?: boolean;
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

export function renderCorrections(answers: readonly CorrectionAnswer[], table: DrawTable): string {
  return table(answers, [
    { title: 'CORRECTED', value: (row) => row.corrected },
    { title: 'REVERSAL', value: (row) => row.reversal ?? '' },
    { title: 'REPLACEMENT', value: (row) => row.replacement ?? '' },
    ...CHARGE_COLUMNS,
    ...COST_COLUMNS,
  ]);
}
