import type { Kysely } from 'kysely';
import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { formatDecimal, parseDecimal } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { beginOf, inPlaceOf } from '../begin-of.ts';
import { loadExchangeRates } from '../exchange/exchange-store.ts';
import type { Caching } from '../rate-usage.ts';
import { nameFirstDefault, readDefaultBooks } from './default-book-store.ts';
import type { BookVersionRow } from './price-book-answer.ts';
import type { PriceBookDocument, PriceBookModel } from './price-book-document.ts';
import { type CanonicalDocument, canonicalDocument, DEFAULT_CACHING } from './price-book-hash.ts';
import type { BookVersion, PriceCatalog } from './price-catalog.ts';
import { buildCatalog } from './price-catalog.ts';
import type { Rate, UnitPrices } from './rate.ts';
import { buildRates } from './rate-index.ts';
import { ratesOfRow } from './rates-of-row.ts';

/** The outcome of importing a document, and its effect on the default book. */
export interface StoredBook {
  readonly answer: 'imported' | 'unchanged';
  readonly becameDefault: boolean;
  /** The document as it is kept, with what it left to its base. */
  readonly kept: PriceBookDocument;
}

/**
 * Stores a book as a new version. The identical version again changes nothing; another content
 * under the same `effective_from` is refused (R15).
 */
export async function importPriceBook(
  database: Database,
  document: PriceBookDocument,
  importedAt: InstantMs,
): Promise<StoredBook> {
  return inTransaction(database, (transaction) =>
    storePriceBook(transaction, document, importedAt),
  );
}

/** Stores a version as a part of a transaction. */
export async function storePriceBook(
  transaction: Transaction,
  document: PriceBookDocument,
  importedAt: InstantMs,
): Promise<StoredBook> {
  // Two imports of one book at once would both see no version yet.
  await transaction.client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `price-book:${document.book}`,
  ]);
  const known = await readVersions(transaction.kysely, document.book);
  const same = known.find((row) => row.effective_from === parseInstant(document.effective_from));
  if (same !== undefined) {
    refuseAnother(document, saysTheSame(document, same));
    return { answer: 'unchanged', becameDefault: false, kept: document };
  }
  refuseOtherNature(document, known);
  await refuseMissingBase(transaction, document);
  const kept = await withCachingOfBase(transaction, document);
  await insertVersion(transaction, kept, { canonical: canonicalDocument(kept), importedAt });
  const becameDefault =
    document.kind === 'charge' && (await nameFirstDefault(transaction, document.book, importedAt));
  return { answer: 'imported', becameDefault, kept };
}

/** Tells whether a document says what a version that is kept says. */
export async function isKnownVersion(
  database: Database,
  document: PriceBookDocument,
): Promise<boolean> {
  const known = await readVersions(database.kysely, document.book);
  const same = known.find((row) => row.effective_from === parseInstant(document.effective_from));
  return same !== undefined && saysTheSame(document, same);
}

/** Reads a row for every version of every book. */
export async function readBookVersions(
  database: Database,
  now: InstantMs,
): Promise<readonly BookVersionRow[]> {
  const defaults = await readDefaultBooks(database.kysely);
  const byDefault = defaults.find(({ effectiveFrom }) => effectiveFrom <= now)?.book;
  const rows = await database.kysely
    .selectFrom('price_books')
    .leftJoin('price_rates', (join) =>
      join
        .onRef('price_rates.book', '=', 'price_books.book')
        .onRef('price_rates.effective_from', '=', 'price_books.effective_from'),
    )
    .select((of) => [
      'price_books.book',
      'price_books.kind',
      'price_books.currency',
      'price_books.effective_from',
      'price_books.caching',
      'price_books.base_book as base',
      'price_books.cost_factor',
      'price_books.base_factor',
      'price_books.document_hash',
      of.fn.count<bigint>('price_rates.rate_id').as('models'),
    ])
    .groupBy(['price_books.book', 'price_books.effective_from'])
    .orderBy('price_books.book')
    .orderBy('price_books.effective_from')
    .execute();
  const decimal = (millionths: bigint | null) =>
    millionths === null ? null : formatDecimal(millionths, 6).replace(/\.?0+$/, '');
  return rows.map(({ base_factor, ...row }) => ({
    ...row,
    effective_from: formatInstant(row.effective_from),
    cost_factor: decimal(row.cost_factor),
    discount: decimal(base_factor === null ? null : 1_000_000n - base_factor),
    models: Number(row.models),
    is_default: row.book === byDefault,
  }));
}

/**
 * Reads the documents of one book's versions, oldest first; throws a `Refusal` for an unknown book.
 */
export async function readBookDocuments(
  database: Database,
  book: string,
): Promise<readonly unknown[]> {
  const versions = await readVersions(database.kysely, book);
  if (versions.length > 0) return versions.map((row) => JSON.parse(row.document));
  throw new Refusal(
    'not_found',
    `there is no price book "${book}"`,
    advise`see ${{ operation: 'price-book list' }}, or import one with ${{ operation: 'price-book import' }}`,
  );
}

/** Reads every version of every book, for rating. */
export async function loadPriceCatalog(db: Kysely<Tables>): Promise<PriceCatalog> {
  const books = await db.selectFrom('price_books').selectAll().execute();
  const rates = await db.selectFrom('price_rates').selectAll().orderBy('rate_id').execute();
  const ratesOf = Map.groupBy(rates, (row) => `${row.effective_from} ${row.book}`);
  const defaults = await readDefaultBooks(db);
  return buildCatalog(
    books.map(
      (row): BookVersion => ({
        book: row.book,
        effectiveFrom: row.effective_from,
        kind: row.kind,
        currency: row.currency,
        caching: row.caching,
        baseBook: row.base_book,
        costFactor: row.cost_factor,
        baseFactor: row.base_factor,
        rates: buildRates((ratesOf.get(`${row.effective_from} ${row.book}`) ?? []).map(toRate)),
      }),
    ),
    defaults,
    await loadExchangeRates(db),
  );
}

interface RateRow {
  readonly rate_id: bigint;
  readonly book: string;
  readonly provider: string | null;
  readonly model: string;
  readonly service_tier: string;
  readonly above_input_tokens: bigint;
  readonly per_call: bigint;
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly cache_read: bigint | null;
  readonly cache_write: bigint | null;
  readonly units: Readonly<Record<string, string>> | null;
}

function toRate(row: RateRow): Rate {
  return {
    rateId: row.rate_id,
    book: row.book,
    provider: row.provider,
    model: row.model,
    serviceTier: row.service_tier,
    aboveInputTokens: row.above_input_tokens,
    perCall: row.per_call,
    input: row.input,
    output: row.output,
    cacheRead: row.cache_read,
    cacheWrite: row.cache_write,
    units: row.units === null ? null : unitPrices(row.units),
  };
}

function unitPrices(units: Readonly<Record<string, string>>): UnitPrices {
  return Object.fromEntries(Object.entries(units).map(([unit, price]) => [unit, BigInt(price)]));
}

function readVersions(db: Kysely<Tables>, book: string) {
  return db
    .selectFrom('price_books')
    .select(['effective_from', 'kind', 'currency', 'caching', 'document', 'document_hash'])
    .where('book', '=', book)
    .orderBy('effective_from')
    .execute();
}

/** A discount that does not say how it charges cached input was kept with what its base said then. */
function saysTheSame(
  document: PriceBookDocument,
  kept: { readonly document_hash: string; readonly caching: Caching },
): boolean {
  const { caching } = takesCachingOfBase(document) ? kept : document;
  return canonicalDocument({ ...document, caching }).hash === kept.document_hash;
}

/** A discount is its base at a part of the price: what a cache answers, too, unless the book says otherwise. */
function takesCachingOfBase({ discount, caching }: PriceBookDocument): boolean {
  return discount !== undefined && caching === undefined;
}

/** Fills in how a discount charges cached input: as the first of the books below it that has rows. */
async function withCachingOfBase(
  transaction: Transaction,
  document: PriceBookDocument,
): Promise<PriceBookDocument> {
  if (document.base === undefined || !takesCachingOfBase(document)) return document;
  const { books } = await loadPriceCatalog(transaction.kysely);
  const from = parseInstant(document.effective_from);
  return { ...document, caching: cachingFrom(books, document.base, from) };
}

/** Returns how a book charges cached input from an instant on; one that begins later counts from its begin. */
function cachingFrom(books: PriceCatalog['books'], book: string, from: InstantMs): Caching {
  const versions = books.get(book) ?? [];
  const version = versions.find((one) => beginOf(one) <= from) ?? versions.at(-1);
  if (version === undefined) return DEFAULT_CACHING;
  if (version.rates.rows.length > 0 || version.baseBook === null) return version.caching;
  return cachingFrom(books, version.baseBook, Math.max(from, version.effectiveFrom));
}

function refuseAnother(document: PriceBookDocument, identical: boolean): void {
  if (identical) return;
  throw new Refusal(
    'conflict',
    `price book "${document.book}" already has another version from ${document.effective_from}; a version is immutable`,
    `give the change a later effective_from, and re-rate if history must change too; from ${formatInstant(inPlaceOf({ effectiveFrom: parseInstant(document.effective_from) }))} on it holds for all of that second`,
  );
}

function refuseOtherNature(
  document: PriceBookDocument,
  known: readonly { readonly kind: string; readonly currency: string }[],
): void {
  const other = known.find(
    (row) => row.kind !== document.kind || row.currency !== document.currency,
  );
  if (other === undefined) return;
  throw new Refusal(
    'conflict',
    `price book "${document.book}" is a ${other.kind} book in ${other.currency}; a version cannot make it a ${document.kind} book in ${document.currency}`,
    'import it under another name',
  );
}

/** A base must exist, agree in kind and currency, and not lead back to the book itself. */
async function refuseMissingBase(
  transaction: Transaction,
  document: PriceBookDocument,
): Promise<void> {
  if (document.base === undefined) return;
  const { books } = await loadPriceCatalog(transaction.kysely);
  const base = books.get(document.base);
  const remedy = `import the book "${document.base}" first, with kind ${document.kind} and currency ${document.currency}`;
  if (base === undefined) {
    throw new Refusal('not_found', `base: there is no price book "${document.base}"`, remedy);
  }
  if (base[0]?.kind !== document.kind || base[0].currency !== document.currency) {
    throw new Refusal(
      'conflict',
      `base: "${document.base}" is of another kind or currency`,
      remedy,
    );
  }
  const reachable = booksBelow(books, document.base);
  refuseTwoDiscounts(books, document);
  if (reachable.has(document.book)) {
    throw new Refusal(
      'conflict',
      `base: "${document.base}" is itself laid over "${document.book}"; books cannot form a circle`,
      'name another base',
    );
  }
}

/** Returns a book and all that it was ever laid over. */
function booksBelow(books: PriceCatalog['books'], book: string): ReadonlySet<string> {
  const reachable = new Set([book]);
  for (const below of reachable) {
    for (const version of books.get(below) ?? []) {
      if (version.baseBook !== null) reachable.add(version.baseBook);
    }
  }
  return reachable;
}

/** One discount is what an entry's price recomputes by, so that no discount stands on another. */
function refuseTwoDiscounts(books: PriceCatalog['books'], document: PriceBookDocument): void {
  if (document.discount === undefined) return;
  const takesOff = (book: string) =>
    (books.get(book) ?? []).some((v) => v.baseFactor !== null || v.costFactor !== null);
  const below = [...booksBelow(books, document.base ?? '')].find(takesOff);
  const above = [...books.keys()].find(
    (book) =>
      book !== document.book && takesOff(book) && booksBelow(books, book).has(document.book),
  );
  const other = below ?? above;
  if (other === undefined) return;
  throw new Refusal(
    'conflict',
    `discount: price book "${other}" has a discount or a cost factor of its own, and a price has at most one`,
    'lay the book over one with plain prices, and give it the whole discount',
  );
}

async function insertVersion(
  transaction: Transaction,
  document: PriceBookDocument,
  origin: { readonly canonical: CanonicalDocument; readonly importedAt: InstantMs },
): Promise<void> {
  const effectiveFrom = formatInstant(parseInstant(document.effective_from));
  await transaction.kysely
    .insertInto('price_books')
    .values({
      book: document.book,
      effective_from: effectiveFrom,
      ...versionTerms(document),
      document: origin.canonical.text,
      document_hash: origin.canonical.hash,
      imported_at: formatInstant(origin.importedAt),
    })
    .execute();
  const rows = document.models.map((model) => rateRow(document.book, effectiveFrom, model));
  // Postgres takes at most 65,535 parameters a statement.
  for (let start = 0; start < rows.length; start += 1000) {
    await transaction.kysely
      .insertInto('price_rates')
      .values(rows.slice(start, start + 1000))
      .execute();
  }
}

/** Returns the columns of a version that its document gives. */
export function versionTerms(document: PriceBookDocument) {
  return {
    kind: document.kind,
    currency: document.currency,
    caching: document.caching ?? DEFAULT_CACHING,
    base_book: document.base ?? null,
    cost_factor: document.cost_factor === undefined ? null : toUnits(document.cost_factor, 6),
    base_factor:
      document.discount === undefined ? null : 1_000_000n - toUnits(document.discount, 6),
  };
}

/** Returns a row of a document as the table holds it. */
export function rateRow(book: string, effectiveFrom: string, model: PriceBookModel) {
  const { perCall, input, output, cacheRead, cacheWrite, units } = ratesOfRow(model);
  return {
    book,
    effective_from: effectiveFrom,
    provider: model.provider ?? null,
    model: model.model,
    service_tier: model.service_tier,
    above_input_tokens: BigInt(model.above_input_tokens),
    per_call: perCall,
    input,
    output,
    cache_read: cacheRead,
    cache_write: cacheWrite,
    units: units === null ? null : JSON.stringify(unitTexts(units)),
  };
}

/** Prices are written as text, since a price of one picture has more digits than a JSON number keeps. */
function unitTexts(units: UnitPrices): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(units).map(([unit, price]) => [unit, String(price)]));
}

function toUnits(decimal: string, scale: number): bigint {
  const units = parseDecimal(decimal, scale);
  if (units === null) throw new Error(`"${decimal}" passed the schema but is not a decimal`);
  return units;
}
