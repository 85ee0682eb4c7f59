import type { Command } from 'commander';
import type { StoryAnswer, StoryEntry } from '../../audit/story-answer.ts';
import { entryStoryRequest, eventStoryRequest } from '../../audit/story-answer.ts';
import { tellEntryStory, tellEventStory } from '../../audit/tell-story.ts';
import { reattributeRequest } from '../../ledger/corrections/correction-answer.ts';
import { costsLost, reattributeEntries } from '../../ledger/corrections/reattribute-entries.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readEntryId, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { addAuditActs } from './audit-acts.ts';
import { addAuditLine } from './audit-line.ts';
import { addAuditRun } from './audit-run.ts';
import { renderCorrections } from './correct.ts';

const AS_OF = 'what the ledger said then; pushes have no history and are left out';

interface AsOf {
  readonly asOf?: string;
}

export function addAudit(program: Command): void {
  const group = program
    .command('audit')
    .description('the whole story of one event, entry, agent run or line, and who did what');
  const event = group
    .command('event')
    .argument('<source>')
    .argument('<event-id>')
    .description("by the producer's own ids")
    .option('--as-of <instant>', AS_OF, readInstant);
  perform<AsOf>(event, async (session, { args: [source = '', eventId = ''], options }) => {
    const given = { source, event_id: eventId, as_of: options.asOf ?? null };
    const request = readRequest(eventStoryRequest, given);
    const story = await tellEventStory(session.parts(), request);
    session.out.answer(story, renderStory);
  });
  const entry = group
    .command('entry')
    .argument('<entry-id>')
    .description("by the ledger's id")
    .option('--as-of <instant>', AS_OF, readInstant);
  perform<AsOf>(entry, async (session, { args: [entryId = ''], options }) => {
    const given = { entry_id: entryId, as_of: options.asOf ?? null };
    const request = readRequest(entryStoryRequest, given);
    const story = await tellEntryStory(session.parts(), request);
    session.out.answer(story, renderStory);
  });
  addAuditRun(group);
  addAuditActs(group);
  addAuditLine(group);
  addReattribute(group);
}

function addReattribute(group: Command): void {
  const command = group
    .command('reattribute')
    .argument('[entry-ids...]', 'entries without a tenant; none means all that the options select')
    .description('move unattributed entries to a tenant, by correction')
    .requiredOption('--tenant <tenant>', 'the tenant to which they belong')
    .option('--user <user>', 'only of this user')
    .option('--feature <feature>', 'only of this feature')
    .option('--agent-run <run>', 'only of this agent run')
    .option('--dry-run', 'show the difference and post nothing')
    .option('--unprice', 'a call may lose a cost that nobody knows in the currency of the tenant')
    .requiredOption('--reason <text>', 'why');
  perform<ReattributeFlags>(addActorOnceBy(command), async (session, { args, options }) => {
    const { tenant, user = null, feature = null, agentRun = null } = options;
    const { dryRun, unprice = false, reason, actor } = options;
    const request = readRequest(reattributeRequest, {
      entry_ids: args.map(readEntryId),
      tenant_id: tenant,
      user_id: user,
      feature,
      agent_run_id: agentRun,
      dry_run: dryRun,
      unprice,
      reason,
      actor,
    });
    const answers = await reattributeEntries(session.parts(), request, (done, all) =>
      session.out.progress('moved', done, all),
    );
    const lost = costsLost(answers).length;
    if (lost > 0 && !unprice) session.foundWrong();
    const losing = `what ${counted(lost, 'call')} cost is not known in the currency of ${tenant}${unprice ? '' : '; import an exchange rate, or let them lose it with --unprice'}`;
    session.out.answer(
      answers,
      answers.length === 0
        ? 'no such entry is unattributed'
        : `${renderCorrections(answers, session.out.table)}${lost === 0 ? '' : `\n${losing}`}`,
    );
  });
}

interface ReattributeFlags {
  readonly tenant: string;
  readonly user?: string;
  readonly feature?: string;
  readonly agentRun?: string;
  readonly dryRun?: boolean;
  readonly unprice?: boolean;
  readonly reason: string;
  readonly actor: string;
}

function renderStory(story: StoryAnswer): string {
  const parts: readonly (readonly [string, readonly Readonly<Record<string, unknown>>[]])[] = [
    ['Entries', story.entries],
    ['Structure', story.structure],
    ['Second report of a call', story.second_reports],
    ['Rules', story.rules.map(({ entry_id, rule }) => ({ [entry_id]: rule }))],
    ['Lines of the statement', story.lines],
    ['Rates', story.rates],
    ['Periods', story.periods],
    ['Pushes', story.pushes],
    ['Quarantine', story.quarantine],
    ['Seals', story.seals],
  ];
  const sections = parts
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `${title}\n${rows.map(renderRow).join('\n\n')}`);
  const entries = story.entries.length === 0 ? [] : [`Story\n${tell(story.entries)}`];
  return [`Event ${story.event_id} of source ${story.source}`, ...entries, ...sections].join(
    '\n\n',
  );
}

/**
 * Returns what happened to the event in the ledger, a line for each entry in order, and what stands
 * now.
 */
function tell(entries: readonly StoryEntry[]): string {
  const corrected = new Set(entries.map((entry) => entry.corrects_entry_id));
  const stands = entries.filter((entry) => !entry.is_reversal && !corrected.has(entry.entry_id));
  const ids = stands.map((entry) => entry.entry_id).join(', ');
  const end = ids === '' ? 'nothing of it stands now' : `what stands now: ${ids}`;
  return [...entries.map(tellEntry), end].map((line) => `  ${line}`).join('\n');
}

function tellEntry(entry: StoryEntry): string {
  const { recorded_at: at, entry_id: id, corrects_entry_id: of, outcome } = entry;
  const what = entry.is_reversal
    ? `takes ${of} back`
    : of === null
      ? `posted for ${entry.tenant_id}`
      : `replaces ${of}, for ${entry.tenant_id}`;
  const member = entry.member_id === null ? '' : ` (member ${entry.member_id})`;
  const amount = (name: 'charge' | 'cost') =>
    entry[name] === null ? `no ${name} known` : `${name} ${entry[name]} ${entry.currency}`;
  const late = (entry.late ? ', late' : '') + (entry.not_due ? ', not due' : '');
  const why = entry.reason === null ? '' : `: ${entry.reason} (${entry.actor})`;
  return `${at}  ${id}${member} ${what}, ${outcome}, ${amount('charge')}, ${amount('cost')}, in the period from ${entry.period_start}${late}${why}`;
}

function renderRow(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `  ${name.padEnd(24)} ${renderValue(value)}`)
    .join('\n');
}

/** Counts and prices of units stand in a map: `images 2, searches 1`. */
function renderValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${inner}`)
    .join(', ');
}
