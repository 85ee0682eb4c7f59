import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import type {
  CompareAnswer,
  CompareRequest,
  ImportedVersion,
  VersionGiven,
} from './price-book-answer.ts';
import type { LaidBook } from './price-book-diff.ts';
import { diffPriceBooks, termsOf } from './price-book-diff.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { showPriceBook } from './show-price-books.ts';

/** Returns the rows that two books, or two versions of one, price differently. */
export async function comparePriceBooks(
  parts: Pick<Parts, 'database'>,
  request: CompareRequest,
): Promise<CompareAnswer> {
  const before = await readSelected(parts, request.before);
  const after = await readSelected(parts, request.after);
  const rows = diffPriceBooks(before, after);
  return { before: termsOf(before), after: termsOf(after), rows };
}

/** What an earlier version of a book has a price for and a later one has none, with what they are laid over. */
export async function rowsTakenAway(
  parts: Pick<Parts, 'database'>,
  before: PriceBookDocument,
  after: PriceBookDocument,
): Promise<ImportedVersion['takes_away']> {
  // A cost-plus book has a price for whatever has a cost.
  if (after.cost_factor !== undefined) return [];
  const at = parseInstant(after.effective_from);
  const rows = diffPriceBooks(
    [before, ...(await readBases(parts, before, at))],
    [after, ...(await readBases(parts, after, at))],
  );
  const gone = rows.filter((row) => row.after === null && row.above_input_tokens === 0);
  return gone.map(({ provider, model, service_tier }) => ({ provider, model, service_tier }));
}

/**
 * Reads the version that was asked for, and what it is laid over, as it is at that instant, or in
 * its newest version.
 */
async function readSelected(
  parts: Pick<Parts, 'database'>,
  { book, effective_from: at }: VersionGiven,
): Promise<LaidBook> {
  const versions = await showPriceBook(parts, { book });
  const chosen =
    at === null
      ? versions.at(-1)
      : versions.find((version) => parseInstant(version.effective_from) === at);
  if (chosen !== undefined) return [chosen, ...(await readBases(parts, chosen, at))];
  throw new Refusal(
    'not_found',
    `price book "${book}" has no version from ${at === null ? 'any day' : formatInstant(at)}`,
    `its versions begin at ${versions.map((version) => version.effective_from).join(', ')}`,
  );
}

async function readBases(
  parts: Pick<Parts, 'database'>,
  { base }: PriceBookDocument,
  at: InstantMs | null,
): Promise<readonly PriceBookDocument[]> {
  if (base === undefined) return [];
  const versions = await showPriceBook(parts, { book: base });
  const inForce = versions.findLast(
    (version) => at === null || parseInstant(version.effective_from) <= at,
  );
  return inForce === undefined ? [] : [inForce, ...(await readBases(parts, inForce, at))];
}
