import { parseInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { rowsTakenAway } from './compare-price-books.ts';
import { readPricedEntries } from './kept-entries-store.ts';
import type { ImportAnswer, ImportedVersion, ImportRequest } from './price-book-answer.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { importPriceBook } from './price-book-store.ts';
import { beginOf } from './price-catalog.ts';
import { showPriceBook } from './show-price-books.ts';

/**
 * Stores books as new versions (R15), in their order; an identical one changes nothing. Says what none of
 * them changes: what is posted already, and what has a price no longer.
 */
export async function importPriceBooks(
  parts: Pick<Parts, 'database' | 'clock'>,
  { documents }: ImportRequest,
): Promise<ImportAnswer> {
  const versions: ImportedVersion[] = [];
  for (const document of documents) {
    const { answer, becameDefault } = await importPriceBook(
      parts.database,
      document,
      parts.clock(),
    );
    const { book, effective_from, models } = document;
    versions.push({
      ...{ book, effective_from, models: models.length, answer },
      became_default: becameDefault,
      ...(answer === 'unchanged' ? NOTHING_KEPT : await consequencesOf(parts, document)),
    });
  }
  return versions;
}

type Consequences = Pick<ImportedVersion, 'takes_away' | 'unchanged' | 'of_version_before'>;

const NOTHING_KEPT: Consequences = { takes_away: [], unchanged: null, of_version_before: null };

const DAY_MS = 86_400_000;

async function consequencesOf(
  parts: Pick<Parts, 'database' | 'clock'>,
  document: PriceBookDocument,
): Promise<Consequences> {
  const { database } = parts;
  const versions = await showPriceBook(parts, { book: document.book });
  const dates = versions.map((version) => parseInstant(version.effective_from));
  const from = parseInstant(document.effective_from);
  const place = dates.indexOf(from);
  const [before, beganBefore] = [versions[place - 1], dates[place - 1]];
  const begin = beginOf({ effectiveFrom: from });
  const of = { book: document.book, version: null, from: begin, until: dates[place + 1] ?? null };
  const isRepair = beganBefore !== undefined && from - beganBefore < DAY_MS;
  return {
    takes_away: before === undefined ? [] : await rowsTakenAway(parts, before, document),
    unchanged: begin > parts.clock() ? null : await readPricedEntries(database, of),
    of_version_before: isRepair
      ? await readPricedEntries(database, {
          ...{ book: document.book, version: beganBefore },
          ...{ from: beginOf({ effectiveFrom: beganBefore }), until: begin },
        })
      : null,
  };
}
