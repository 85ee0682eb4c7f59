import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import { type BookShelf, shelfOf } from './book-shelf.ts';
import type {
  CompareAnswer,
  CompareRequest,
  ImportedVersion,
  PriceDifference,
  VersionGiven,
} from './price-book-answer.ts';
import type { LaidBook } from './price-book-diff.ts';
import { diffPriceBooks, termsOf } from './price-book-diff.ts';
import type { PriceBookDocument } from './price-book-document.ts';

/** Returns the rows that two books, or two versions of one, price differently. */
export async function comparePriceBooks(
  parts: Pick<Parts, 'database'>,
  request: CompareRequest,
): Promise<CompareAnswer> {
  const shelf = shelfOf(parts);
  const before = await readSelected(shelf, request.before);
  const after = await readSelected(shelf, request.after);
  const rows = diffPriceBooks(before, after);
  return { before: termsOf(before), after: termsOf(after), rows };
}

/** Finds what a later version of a book prices otherwise than an earlier one, with what they are laid over. */
export async function rowsChanged(
  shelf: BookShelf,
  before: PriceBookDocument,
  after: PriceBookDocument,
): Promise<readonly PriceDifference[]> {
  const at = parseInstant(after.effective_from);
  return diffPriceBooks(
    [before, ...(await readBases(shelf, before, at))],
    [after, ...(await readBases(shelf, after, at))],
  );
}

/** Picks the rows of a difference that had a price and have none. */
export function rowsTakenAway(
  rows: readonly PriceDifference[],
  after: PriceBookDocument,
): ImportedVersion['takes_away'] {
  // A cost-plus book has a price for whatever has a cost.
  if (after.cost_factor !== undefined) return [];
  const gone = rows.filter((row) => row.after === null && row.above_input_tokens === 0);
  return gone.map(({ provider, model, service_tier }) => ({ provider, model, service_tier }));
}

/**
 * Reads the version that was asked for, and what it is laid over, as it is at that instant, or in
 * its newest version.
 */
async function readSelected(
  shelf: BookShelf,
  { book, effective_from: at }: VersionGiven,
): Promise<LaidBook> {
  const versions = await shelf(book);
  const chosen =
    at === null
      ? versions.at(-1)
      : versions.find((version) => parseInstant(version.effective_from) === at);
  if (chosen !== undefined) return [chosen, ...(await readBases(shelf, chosen, at))];
  throw new Refusal(
    'not_found',
    `price book "${book}" has no version from ${at === null ? 'any day' : formatInstant(at)}`,
    `its versions begin at ${versions.map((version) => version.effective_from).join(', ')}`,
  );
}

async function readBases(
  shelf: BookShelf,
  { base }: PriceBookDocument,
  at: InstantMs | null,
): Promise<readonly PriceBookDocument[]> {
  if (base === undefined) return [];
  const versions = await shelf(base);
  const inForce = versions.findLast(
    (version) => at === null || parseInstant(version.effective_from) <= at,
  );
  return inForce === undefined ? [] : [inForce, ...(await readBases(shelf, inForce, at))];
}
