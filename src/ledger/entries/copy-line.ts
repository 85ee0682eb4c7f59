import { hashEntry } from '../../seals/entry-hash.ts';
import { NULL } from './copy-text.ts';
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
  const shown = textOf(shownTexts, entry, given);
  const hidden = textOf(hiddenTexts, entry, given);
  const hasLaterShown = entry.units !== null || !entry.due;
  const laterShown = hasLaterShown ? textOf(laterShownTexts, entry, given) : null;
  const laterHidden = hasLaterHidden(entry) ? textOf(laterHiddenTexts, entry, given) : null;
  const { entryId, salt } = given;
  const entryHash = hashEntry({
    shown: laterShown === null ? shown : `${shown}\t${hashedPart(laterShown)}`,
    hidden: laterHidden === null ? hidden : `${hidden}\t${laterHidden}`,
    entryId,
    salt,
  });
  return `${shown}\t${hidden}\t\\\\x${entryHash}\t${laterShown ?? NO_LATER_SHOWN}\t${laterHidden ?? NO_LATER_HIDDEN}\t${textOf(unhashedTexts, entry, given)}\n`;
}

/** The last columns that are null leave no trace in the hash. */
function hashedPart(laterShown: string): string {
  return laterShown.endsWith(LAST_IS_NULL) ? laterShown.slice(0, -LAST_IS_NULL.length) : laterShown;
}

const LAST_IS_NULL = `\t${NULL}`;

/** A loop that makes no list: this is the ledger's hottest path. */
function textOf(texts: typeof shownTexts, entry: NewEntry, given: LineContext): string {
  let line = '';
  for (const text of texts) line += `\t${text(entry, given)}`;
  return line.slice(1);
}

function hasLaterHidden(entry: NewEntry): boolean {
  return entry.reportedCost !== null || entry.callId !== null || entry.callUsage !== null;
}

const NO_LATER_SHOWN = LATER_SHOWN_COLUMNS.map(() => NULL).join('\t');
const NO_LATER_HIDDEN = LATER_HIDDEN_COLUMNS.map(() => NULL).join('\t');
