import { DAY_MS, parseInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { present } from '../../present.ts';
import { Refusal } from '../../refusal.ts';
import { beginOf } from '../begin-of.ts';
import { type BookShelf, shelfOf, shelfWith } from './book-shelf.ts';
import { rowsChanged, rowsTakenAway } from './compare-price-books.ts';
import { foreseeImports } from './foresee-imports-store.ts';
import { readPricedEntries } from './kept-entries-store.ts';
import type { ImportAnswer, ImportedVersion, ImportRequest } from './price-book-answer.ts';
import { termsOf } from './price-book-diff.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { importPriceBook, isKnownVersion, type StoredBook } from './price-book-store.ts';

/**
 * Stores books as new versions (R15), in their order; an identical one changes nothing. Says what none of
 * them changes: what is posted already, and what has a price no longer.
 */
export async function importPriceBooks(
  parts: Pick<Parts, 'database' | 'clock'>,
  { documents, dry_run = false }: ImportRequest,
): Promise<ImportAnswer> {
  for (const document of documents) await refusePatterns(parts, document);
  if (dry_run) return planImports(parts, documents);
  const versions: ImportedVersion[] = [];
  for (const document of documents) {
    const stored = await importPriceBook(parts.database, document, parts.clock());
    const {
      changes: _,
      terms: __,
      ...kept
    } = await consequencesOf(parts, stored.kept, shelfOf(parts));
    versions.push({ ...versionOf(document, stored), ...(isSame(stored) ? NOTHING_KEPT : kept) });
  }
  return versions;
}

/**
 * A row that looks as if it were of many models would be of none: nothing is called so. A version that is kept with one
 * stays, and again changes nothing.
 */
async function refusePatterns(
  { database }: Pick<Parts, 'database'>,
  document: PriceBookDocument,
): Promise<void> {
  const { models } = document;
  const index = models.findIndex(({ model }) => model.includes('*'));
  if (index === -1 || (await isKnownVersion(database, document))) return;
  throw new Refusal(
    'bad_document',
    `models[${index}].model: ${JSON.stringify(models[index]?.model)} is a pattern, and a row is of one model by its name`,
    'give each model that it means a row of its own; nothing of the file was stored',
  );
}

/** Plans an import: its answer, and what each version would price differently from the one before it. */
async function planImports(
  parts: Pick<Parts, 'database' | 'clock'>,
  documents: ImportRequest['documents'],
): Promise<ImportAnswer> {
  const { stored } = await foreseeImports(parts.database, documents, parts.clock());
  const versions: ImportedVersion[] = [];
  for (const [index, document] of documents.entries()) {
    const one = present(stored[index], 'what becomes of each document');
    const proposed = stored.slice(0, index + 1).map(({ kept }) => kept);
    const shelf = shelfWith(parts, proposed);
    versions.push({
      ...versionOf(document, one),
      ...(isSame(one)
        ? NOTHING_KEPT
        : { answer: 'would_import', ...(await consequencesOf(parts, one.kept, shelf)) }),
    });
  }
  return versions;
}

function isSame({ answer }: StoredBook): boolean {
  return answer === 'unchanged';
}

function versionOf(
  { book, effective_from, models }: PriceBookDocument,
  { answer, becameDefault }: StoredBook,
) {
  return {
    book,
    effective_from,
    models: models.length,
    answer,
    became_default: becameDefault,
  };
}

type Consequences = Pick<
  ImportedVersion,
  'takes_away' | 'unchanged' | 'of_version_before' | 'changes' | 'terms'
>;

const NOTHING_KEPT: Consequences = { takes_away: [], unchanged: null, of_version_before: null };

async function consequencesOf(
  parts: Pick<Parts, 'database' | 'clock'>,
  document: PriceBookDocument,
  shelf: BookShelf,
): Promise<Consequences> {
  const { database } = parts;
  const versions = await shelf(document.book);
  const dates = versions.map((version) => parseInstant(version.effective_from));
  const from = parseInstant(document.effective_from);
  const place = dates.indexOf(from);
  const [before, beganBefore] = [versions[place - 1], dates[place - 1]];
  const begin = beginOf({ effectiveFrom: from });
  const of = { book: document.book, version: null, from: begin, until: dates[place + 1] ?? null };
  const isRepair = beganBefore !== undefined && from - beganBefore < DAY_MS;
  const changes = before === undefined ? [] : await rowsChanged(shelf, before, document);
  return {
    takes_away: rowsTakenAway(changes, document),
    unchanged: begin > parts.clock() ? null : await readPricedEntries(database, of),
    of_version_before: isRepair
      ? await readPricedEntries(database, {
          book: document.book,
          version: beganBefore,
          from: beginOf({ effectiveFrom: beganBefore }),
          until: begin,
        })
      : null,
    ...(before === undefined
      ? {}
      : { changes, terms: { before: termsOf([before]), after: termsOf([document]) } }),
  };
}
