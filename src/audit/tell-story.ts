import { formatInstant, type InstantMs } from '../clock.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import type { EntryStoryRequest, EventStoryRequest, StoryAnswer } from './story-answer.ts';
import { readEventOfEntry, readStory } from './story-store.ts';

/**
 * The story of an event by the producer's own ids, as it was known at an instant. Throws a `Refusal`
 * where nothing is known of it.
 */
export async function tellEventStory(
  { database }: Pick<Parts, 'database'>,
  { source, event_id: eventId, as_of: asOf }: EventStoryRequest,
): Promise<StoryAnswer> {
  const story = await readStory(database, { source, eventId, asOf });
  const parts = [story.entries, story.quarantine, story.structure, story.second_reports];
  if (parts.some((rows) => rows.length > 0)) return story;
  throw new Refusal(
    'not_found',
    `nothing ${wasOrIs(asOf)} known of event "${eventId}" of source "${source}"`,
    'check both ids; an event that names no source has the source "default"',
  );
}

function wasOrIs(asOf: InstantMs | null): string {
  return asOf === null ? 'is' : `was at ${formatInstant(asOf)}`;
}

/** The story of the event behind one entry, as it was known at an instant. */
export async function tellEntryStory(
  parts: Pick<Parts, 'database'>,
  { entry_id, as_of }: EntryStoryRequest,
): Promise<StoryAnswer> {
  const number = /^(?:ent_)?(\d{1,18})$/.exec(entry_id)?.[1];
  const event = await readEventOfEntry(parts.database, number ?? '-1');
  if (event !== null) return tellEventStory(parts, { ...event, as_of });
  throw new Refusal(
    'not_found',
    `there is no entry "${entry_id}"`,
    'give an entry_id as audit.entries shows it, such as ent_12000000',
  );
}
