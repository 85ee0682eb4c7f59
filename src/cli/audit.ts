import type { Command } from 'commander';
import type { EventStory, StoryRow } from '../audit/story-store.ts';
import { readEntryStory, readEventStory } from '../audit/story-store.ts';
import type { InstantMs } from '../clock.ts';
import { foldAll } from '../ledger/fold-batches.ts';
import { reattribute } from '../ledger/reattribute.ts';
import { readEntryId, readInstant } from './arguments.ts';
import { addAuditLine } from './audit-line.ts';
import { addAuditRun } from './audit-run.ts';
import { perform } from './command.ts';
import { CURRENT_USER, renderCorrections } from './correct.ts';

const AS_OF = 'what the ledger said then; pushes have no history and are left out';

interface AsOf {
  readonly asOf?: InstantMs;
}

export function addAudit(program: Command): void {
  const group = program
    .command('audit')
    .description('the whole story of one event, entry, agent run or line');
  const event = group
    .command('event')
    .argument('<source>')
    .argument('<event-id>')
    .description("by the producer's own ids")
    .option('--as-of <instant>', AS_OF, readInstant);
  perform<AsOf>(event, async (session, { args: [source = '', eventId = ''], options }) => {
    const key = { source, eventId };
    const story = await readEventStory(session.database(), key, options.asOf ?? null);
    session.out.answer(story, renderStory(story));
  });
  const entry = group
    .command('entry')
    .argument('<entry-id>')
    .description("by the ledger's id")
    .option('--as-of <instant>', AS_OF, readInstant);
  perform<AsOf>(entry, async (session, { args: [entryId = ''], options }) => {
    const story = await readEntryStory(session.database(), entryId, options.asOf ?? null);
    session.out.answer(story, renderStory(story));
  });
  addAuditRun(group);
  addAuditLine(group);
  addReattribute(group);
}

function addReattribute(group: Command): void {
  const command = group
    .command('reattribute')
    .argument('[entry-ids...]', 'entries without a tenant; none means all that the options select')
    .description('move unattributed entries to a tenant, by correction (R11)')
    .requiredOption('--tenant <tenant>', 'whose they are')
    .option('--user <user>', 'only of this user')
    .option('--feature <feature>', 'only of this feature')
    .option('--agent-run <run>', 'only of this agent run')
    .requiredOption('--reason <text>', 'why')
    .option('--by <name>', 'who', CURRENT_USER);
  perform<ReattributeFlags>(command, async (session, { args, options }) => {
    const database = session.database();
    const request = {
      entryIds: args.map((text) => BigInt(readEntryId(text))),
      tenantId: options.tenant,
      filter: {
        ...(options.user === undefined ? {} : { userId: options.user }),
        ...(options.feature === undefined ? {} : { feature: options.feature }),
        ...(options.agentRun === undefined ? {} : { agentRunId: options.agentRun }),
      },
      note: { reason: options.reason, actor: options.by },
    };
    const answers = await reattribute(database, session.clock, request);
    await foldAll(database);
    session.out.answer(
      answers,
      answers.length === 0 ? 'no such entry is unattributed' : renderCorrections(answers),
    );
  });
}

interface ReattributeFlags {
  readonly tenant: string;
  readonly user?: string;
  readonly feature?: string;
  readonly agentRun?: string;
  readonly reason: string;
  readonly by: string;
}

function renderStory(story: EventStory): string {
  const parts: readonly (readonly [string, readonly StoryRow[]])[] = [
    ['Entries', story.entries],
    ['Structure', story.structure],
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
  return [`Event ${story.event_id} of source ${story.source}`, ...sections].join('\n\n');
}

function renderRow(row: StoryRow): string {
  return Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `  ${name.padEnd(24)} ${String(value)}`)
    .join('\n');
}
