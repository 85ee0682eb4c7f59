import { hashEntry } from '../../seals/entry-hash.ts';
import { type CopyText, NULL } from './copy-text.ts';
import type { NewEntry } from './entry.ts';
import type { LineContext } from './entry-columns.ts';
import {
  HIDDEN_COLUMNS,
  hiddenTexts,
  LATER_HIDDEN_COLUMNS,
  LATER_SHOWN_COLUMNS,
  laterHiddenTexts,
  laterShownTexts,
  SHOWN_COLUMNS,
  shownTexts,
  UNHASHED_COLUMNS,
  unhashedTexts,
} from './entry-columns.ts';

/** The columns in the order in which `copyLine` writes them. */
export const COPY_COLUMNS = [
  ...SHOWN_COLUMNS,
  ...HIDDEN_COLUMNS,
  'entry_hash',
  ...LATER_SHOWN_COLUMNS,
  ...LATER_HIDDEN_COLUMNS,
  ...UNHASHED_COLUMNS,
].join(', ');

/**
 * Writes one entry in the text format of Postgres's COPY: columns by tabs, `\\N` for null. The text
 * is what the entry's hash is made over.
 */
export function copyLine(entry: NewEntry, given: LineContext): string {
  const shown = textOf(SHOWN, entry, given);
  const hidden = textOf(HIDDEN, entry, given);
  const hasLaterShown = entry.units !== null || !entry.due;
  const laterShown = hasLaterShown ? textOf(LATER_SHOWN, entry, given) : null;
  const laterHidden = hasLaterHidden(entry) ? textOf(LATER_HIDDEN, entry, given) : null;
  const { entryId, salt } = given;
  const entryHash = hashEntry({
    shown: laterShown === null ? shown : `${shown}\t${hashedPart(laterShown)}`,
    hidden: laterHidden === null ? hidden : `${hidden}\t${laterHidden}`,
    entryId,
    salt,
  });
  return `${shown}\t${hidden}\t\\\\x${entryHash}\t${laterShown ?? NO_LATER_SHOWN}\t${laterHidden ?? NO_LATER_HIDDEN}\t${textOf(UNHASHED, entry, given)}\n`;
}

/** The last columns that are null leave no trace in the hash. */
function hashedPart(laterShown: string): string {
  return laterShown.endsWith(LAST_IS_NULL) ? laterShown.slice(0, -LAST_IS_NULL.length) : laterShown;
}

const LAST_IS_NULL = `\t${NULL}`;

/**
 * Writes the cells of a group of fields. Its list is made once: this is the ledger's hottest path, and a text that
 * grows by appending leaves twice as much garbage.
 */
function textOf(group: Group, entry: NewEntry, given: LineContext): string {
  const { texts, cells } = group;
  let place = 0;
  for (const text of texts) {
    cells[place] = text(entry, given);
    place += 1;
  }
  return cells.join('\t');
}

interface Group {
  readonly texts: typeof shownTexts;
  /** What was last written, to be written over. */
  readonly cells: CopyText[];
}

function groupOf(texts: typeof shownTexts): Group {
  return { texts, cells: texts.map(() => NULL) };
}

const SHOWN = groupOf(shownTexts);
const HIDDEN = groupOf(hiddenTexts);
const LATER_SHOWN = groupOf(laterShownTexts);
const LATER_HIDDEN = groupOf(laterHiddenTexts);
const UNHASHED = groupOf(unhashedTexts);

function hasLaterHidden(entry: NewEntry): boolean {
  return entry.reportedCost !== null || entry.callId !== null || entry.callUsage !== null;
}

const NO_LATER_SHOWN = LATER_SHOWN_COLUMNS.map(() => NULL).join('\t');
const NO_LATER_HIDDEN = LATER_HIDDEN_COLUMNS.map(() => NULL).join('\t');
