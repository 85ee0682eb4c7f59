import { z } from 'zod';
import { dayField, instantGiven } from './fields.ts';
import { Refusal } from './refusal.ts';
import { jsonIn } from './text/json.ts';

/**
 * Long lists are asked for some rows at a time: an answer says where the next rows begin, in a text that
 * only we read. The place is a value by which the list is ordered, so rows that come in meanwhile
 * neither repeat nor hide others. A list without such a value is read whole: where the row at which a page ended has
 * left it since, the next page is refused.
 */
export const pageFields = {
  /** Rows at the most. */
  limit: z.int().positive().max(1000),
  /** What the answer before gave as `next_cursor`; null for the first rows. */
  cursor: z.string().nullable(),
};

/** It is null where no rows follow. */
export const nextCursorField = z.string().nullable();

function writeCursor(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The texts that a cursor can hold: a name, a number of ours, a day, an instant, an entry's id. */
const CURSOR_TEXTS = {
  name: (text: string) => !text.includes('\u0000'),
  number: (text: string) => /^\d{1,18}$/.test(text),
  day: (text: string) => dayField.safeParse(text).success,
  instant: (text: string) => instantGiven.safeParse(text).success,
  entry: (text: string) => /^ent_\d{1,18}$/.test(text),
};
type CursorText = keyof typeof CURSOR_TEXTS;

/** The texts of which a cursor was made, each of its kind; null for the first rows. */
export function readCursor(
  cursor: string | null,
  kinds: readonly CursorText[],
): readonly string[] | null {
  if (cursor === null) return null;
  const place = jsonIn(Buffer.from(cursor, 'base64url').toString('utf8'));
  const isPlace =
    Array.isArray(place) &&
    place.length === kinds.length &&
    kinds.every(
      (kind, index) => typeof place[index] === 'string' && CURSOR_TEXTS[kind](place[index]),
    );
  if (isPlace) return place;
  throw new Refusal(
    'bad_request',
    'the cursor does not come from this list',
    'give the next_cursor of the answer before, or leave it out to start again',
  );
}

/** Returns the rows that were asked for, and whether more follow; one more than those was read. */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => readonly string[],
): { readonly rows: readonly Row[]; readonly next: string | null } {
  const last = rows[limit - 1];
  const hasMore = rows.length > limit && last !== undefined;
  return { rows: rows.slice(0, limit), next: hasMore ? writeCursor(placeOf(last)) : null };
}
