import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { readEntryList } from './list-store.ts';
import type { EntryStoryRequest, EventStoryRequest, StoryAnswer } from './story-answer.ts';
import { readEventOfEntry, readStory } from './story-store.ts';

/**
 * Tells the story of an event by the producer's own ids, as it was known at an instant. Throws a
 * `Refusal` where nothing is known of it.
 */
export async function tellEventStory(
  { database, view }: Pick<Parts, 'database' | 'view'>,
  { source, event_id: eventId, as_of: asOf }: EventStoryRequest,
): Promise<StoryAnswer> {
  const event = { source, eventId, asOf };
  const story =
    view === undefined ? await readStory(database, event) : await readOwnStory(view, event);
  const parts = [story.entries, story.quarantine, story.structure, story.second_reports];
  if (parts.some((rows) => rows.length > 0)) return story;
  throw new Refusal(
    'not_found',
    `nothing ${wasOrIs(asOf)} known of event "${eventId}" of source "${source}"`,
    'check both ids; an event that names no source has the source "default"',
  );
}

/** Tells a tenant about an event: only the entries that are its own. */
async function readOwnStory(
  view: Database,
  of: { readonly source: string; readonly eventId: string; readonly asOf: InstantMs | null },
): Promise<StoryAnswer> {
  const { source, eventId, asOf } = of;
  const asked = { ...ANY_ENTRY, source, event_id: eventId, as_of: asOf };
  const found = await readEntryList(view, asked);
  return { ...NOTHING_MORE, source, event_id: eventId, entries: found.toReversed() };
}

const ANY_ENTRY = {
  tenant_id: null,
  user_id: null,
  feature: null,
  agent_run_id: null,
  trace_id: null,
  outcome: null,
  month: null,
  from: null,
  to: null,
  cursor: null,
  limit: 1000,
};

const NOTHING_MORE = {
  rules: [],
  lines: [],
  rates: [],
  periods: [],
  pushes: [],
  quarantine: [],
  structure: [],
  second_reports: [],
  seals: [],
};

function wasOrIs(asOf: InstantMs | null): string {
  return asOf === null ? 'is' : `was at ${formatInstant(asOf)}`;
}

/** Tells the story of the event behind one entry, as it was known at an instant. */
export async function tellEntryStory(
  parts: Pick<Parts, 'database' | 'view'>,
  { entry_id, as_of }: EntryStoryRequest,
): Promise<StoryAnswer> {
  const number = /^(?:ent_)?(\d{1,18})$/.exec(entry_id)?.[1];
  const event = await readEventOfEntry(parts.view ?? parts.database, number ?? '-1');
  if (event !== null) return tellEventStory(parts, { ...event, as_of });
  throw new Refusal(
    'not_found',
    `there is no entry "${entry_id}"`,
    'give an entry_id as audit.entries shows it, such as ent_12000000',
  );
}
