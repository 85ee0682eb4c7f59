import type { InstantMs } from '../../clock.ts';
import type { ServiceTier } from '../../events/event.ts';
import { divideHalfUp } from '../../money.ts';
import { beginOf } from '../begin-of.ts';
import type { Conversion, ExchangeVersion } from '../exchange/exchange-rate.ts';
import { findConversion } from '../exchange/exchange-rate.ts';
import type { Rate, UnitPrices } from './rate.ts';
import type { NameMatch, RateIndex } from './rate-index.ts';

export interface BookVersion {
  readonly book: string;
  readonly effectiveFrom: InstantMs;
  readonly kind: 'charge' | 'cost';
  readonly currency: string;
  readonly caching: 'work_done' | 'pass_through';
  readonly baseBook: string | null;
  /** Millionths; not null makes it a cost-plus book. */
  readonly costFactor: bigint | null;
  /** Millionths; not null takes the prices of the base at a discount. */
  readonly baseFactor: bigint | null;
  readonly rates: RateIndex;
}

/** Every version of every book. */
export interface PriceCatalog {
  /** Versions of one book, newest first. */
  readonly books: ReadonlyMap<string, readonly BookVersion[]>;
  /** Names of the cost books, in the order in which they are asked. */
  readonly costBooks: readonly string[];
  /** The books of tenants without one, newest first. */
  readonly defaults: readonly DefaultBook[];
  /** Rates between currencies, newest first. */
  readonly exchange: readonly ExchangeVersion[];
}

/** The book that a tenant without one of its own pays by, and from when on. */
export interface DefaultBook {
  readonly effectiveFrom: InstantMs;
  readonly book: string;
}

export function buildCatalog(
  versions: readonly BookVersion[],
  defaults: readonly DefaultBook[] = [],
  exchange: readonly ExchangeVersion[] = [],
): PriceCatalog {
  const newestFirst = [...versions].sort((a, b) => b.effectiveFrom - a.effectiveFrom);
  const books = Map.groupBy(newestFirst, (version) => version.book);
  const cost = newestFirst.filter((version) => version.kind === 'cost');
  return {
    books,
    costBooks: [...new Set(cost.map((version) => version.book))].sort(),
    defaults: [...defaults].sort((a, b) => b.effectiveFrom - a.effectiveFrom),
    exchange,
  };
}

/** The facts that decide a price; `contextTokens` is the whole call's input, cache included. */
export interface PriceQuestion {
  readonly provider: string | null;
  readonly model: string;
  readonly serviceTier: ServiceTier;
  readonly contextTokens: bigint;
  readonly at: InstantMs;
}

/** A rate with the version that it was taken from: what an entry records (R15). */
export interface FoundRate {
  readonly version: BookVersion;
  readonly rate: Rate;
}

/**
 * Finds the price that a book has for a call: its own row for the tier, else its base's; then the
 * same for the standard tier. Only where none of them has the model as it is written, the same
 * model in another spelling is looked for; its date is a part of what is charged. A cost-plus book
 * takes the cost row times its factor where it has no row of its own. Null means that there is no
 * price, never a price of zero (R10).
 */
export function findCharge(
  catalog: PriceCatalog,
  book: string,
  question: PriceQuestion,
): FoundRate | null {
  const versions = booksUnder(catalog, book, question.at);
  for (const match of CHARGED_BY) {
    for (const tier of tiersOf(question)) {
      const found = findInBooks(versions, question, { tier, match });
      if (found !== null) return found;
    }
  }
  const plus = versions.find((version) => version.costFactor !== null);
  return plus === undefined ? null : findCostPlus(catalog, plus, question);
}

const CHARGED_BY: readonly NameMatch[] = ['written', 'same'];
/** How far the name of a model may differ from that of the row which says what it cost. */
export const COSTED_BY: readonly NameMatch[] = ['written', 'same', 'undated'];

function tiersOf({ serviceTier }: PriceQuestion): readonly string[] {
  return serviceTier === 'standard' ? STANDARD : [serviceTier, ...STANDARD];
}

const STANDARD: readonly string[] = ['standard'];

interface RowMatch {
  readonly tier: string;
  readonly match: NameMatch;
}

function findInBooks(
  versions: readonly BookVersion[],
  question: PriceQuestion,
  by: RowMatch,
): FoundRate | null {
  let discount: BookVersion | null = null;
  for (const version of versions) {
    const rate = findRow(version, question, by);
    if (rate !== null) return discounted({ version, rate }, discount);
    if (version.baseFactor !== null) discount ??= version;
  }
  return null;
}

/**
 * Returns a base's row at the discount of the book through which it was reached; that book's terms
 * hold.
 */
function discounted(found: FoundRate, discount: BookVersion | null): FoundRate {
  if (discount?.baseFactor == null) return found;
  return { version: discount, rate: timesFactor(found.rate, discount.baseFactor) };
}

/**
 * Returns a row as a version charges by it: a row of another book at the version's factor or
 * discount.
 */
export function rateOfVersion(version: BookVersion, rate: Rate): Rate {
  const factor = version.costFactor ?? version.baseFactor;
  return factor === null || rate.book === version.book ? rate : timesFactor(rate, factor);
}

/** A cost's rate, and what its amount is converted by; null where it is in the currency already. */
export interface FoundCost extends FoundRate {
  readonly conversion: Conversion | null;
}

/**
 * Finds what the provider takes for a call: by a cost book of the currency; else by one of another
 * currency, of those in the order of their names, where a dated rate says what that is.
 */
export function findCost(
  catalog: PriceCatalog,
  currency: string,
  question: PriceQuestion,
): FoundCost | null {
  const own = findCostIn(catalog, currency, question);
  if (own !== null) return { version: own.version, rate: own.rate, conversion: null };
  if (catalog.exchange.length === 0) return null;
  const versions = catalog.costBooks.map((book) => versionAt(catalog, book, question.at));
  const others = new Set(versions.flatMap((version) => version?.currency ?? []));
  for (const from of [...others].sort()) {
    const conversion = findConversion(catalog.exchange, { from, to: currency, at: question.at });
    const found = conversion === null ? null : findCostIn(catalog, from, question);
    if (found !== null) return { ...found, conversion };
  }
  return null;
}

/**
 * Finds what the provider takes for a call, in a currency. Cost books are asked in the order of
 * their names, and the first that has a row answers: of the model as it is written; else in another
 * spelling; else of another date.
 */
function findCostIn(
  catalog: PriceCatalog,
  currency: string,
  question: PriceQuestion,
): FoundRate | null {
  const tiers = tiersOf(question);
  for (const match of COSTED_BY) {
    for (const book of catalog.costBooks) {
      const version = versionAt(catalog, book, question.at);
      if (version?.currency !== currency) continue;
      for (const tier of tiers) {
        const rate = findRow(version, question, { tier, match });
        if (rate !== null) return { version, rate };
      }
    }
  }
  return null;
}

function versionAt(catalog: PriceCatalog, book: string, at: InstantMs): BookVersion | null {
  return catalog.books.get(book)?.find((version) => beginOf(version) <= at) ?? null;
}

/**
 * Returns a rate times a factor of a cost-plus or a discount book, each part rounded half up once.
 */
export function timesFactor(rate: Rate, factor: bigint): Rate {
  const times = (amount: bigint) => divideHalfUp(amount * factor, 1_000_000n);
  const timesGiven = (amount: bigint | null) => (amount === null ? null : times(amount));
  return {
    ...rate,
    // The fee is rounded to micro-dollars, so that a millionth of a call stays exact.
    perCall: divideHalfUp(rate.perCall * factor, 1_000_000_000_000n) * 1_000_000n,
    input: timesGiven(rate.input),
    output: timesGiven(rate.output),
    cacheRead: timesGiven(rate.cacheRead),
    cacheWrite: timesGiven(rate.cacheWrite),
    units: rate.units === null ? null : timesEach(rate.units, times),
  };
}

function timesEach(units: UnitPrices, times: (amount: bigint) => bigint): UnitPrices {
  return Object.fromEntries(Object.entries(units).map(([unit, price]) => [unit, times(price)]));
}

function findCostPlus(
  catalog: PriceCatalog,
  version: BookVersion,
  question: PriceQuestion,
): FoundRate | null {
  const cost = findCostIn(catalog, version.currency, question);
  if (cost === null || version.costFactor === null) return null;
  return { version, rate: timesFactor(cost.rate, version.costFactor) };
}

/**
 * Returns the book's version of that time, then the versions that it is laid over, nearest first.
 */
function booksUnder(catalog: PriceCatalog, book: string, at: InstantMs): readonly BookVersion[] {
  const versions: BookVersion[] = [];
  let next: string | null = book;
  // The import refuses a circle of books; the length check keeps this total all the same.
  while (next !== null && versions.length <= catalog.books.size) {
    const version = versionAt(catalog, next, at);
    if (version === null) break;
    versions.push(version);
    next = version.baseBook;
  }
  return versions;
}

/**
 * Finds the row for the provider, else the row that names none; and of those the one with the
 * highest context length below the call's.
 */
function findRow(
  version: BookVersion,
  question: PriceQuestion,
  { tier, match }: RowMatch,
): Rate | null {
  const rows = version.rates.find(question, tier, match);
  return rowForContext(rows, question.contextTokens);
}

function rowForContext(rows: readonly Rate[], contextTokens: bigint): Rate | null {
  let found: Rate | null = null;
  for (const row of rows) {
    const holds = row.aboveInputTokens === 0n || contextTokens > row.aboveInputTokens;
    if (holds && (found === null || row.aboveInputTokens > found.aboveInputTokens)) found = row;
  }
  return found;
}
