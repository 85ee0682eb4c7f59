import type { Command } from 'commander';
import type { EventStory, StoryRow } from '../audit/story-store.ts';
import { readEntryStory, readEventStory } from '../audit/story-store.ts';
import { perform } from './command.ts';

export function addAudit(program: Command): void {
  const group = program.command('audit').description('the whole story of one event or entry');
  const event = group
    .command('event')
    .argument('<source>')
    .argument('<event-id>')
    .description("by the producer's own ids");
  perform(event, async (session, { args: [source = '', eventId = ''] }) => {
    const story = await readEventStory(session.database(), source, eventId);
    session.out.answer(story, renderStory(story));
  });
  const entry = group.command('entry').argument('<entry-id>').description("by the ledger's id");
  perform(entry, async (session, { args: [entryId = ''] }) => {
    const story = await readEntryStory(session.database(), entryId);
    session.out.answer(story, renderStory(story));
  });
}

function renderStory(story: EventStory): string {
  const parts: readonly (readonly [string, readonly StoryRow[]])[] = [
    ['Entries', story.entries],
    ['Structure', story.structure],
    ['Rates', story.rates],
    ['Periods', story.periods],
    ['Pushes', story.pushes],
    ['Quarantine', story.quarantine],
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
