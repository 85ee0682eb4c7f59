import type { InstantMs } from '../../clock.ts';
import type { ServiceTier } from '../../events/event.ts';
import { canonicalProvider } from '../../events/provider-name.ts';
import { divideHalfUp } from '../../money.ts';
import type { FurtherUnit } from '../../units.ts';

/** One priced row of one version of a book; immutable, so that an entry can point at it for ever. */
export interface Rate {
  readonly rateId: bigint;
  /** The book that has the row; a cost-plus charge points at a row of a cost book. */
  readonly book: string;
  readonly provider: string | null;
  readonly model: string;
  readonly serviceTier: string;
  /** The row holds for calls whose whole input is above this many tokens. */
  readonly aboveInputTokens: bigint;
  /** Picodollars a call; a whole number of micro-dollars, so that a millionth of it is exact. */
  readonly perCall: bigint;
  /** Picodollars a token; null where the book gives no price, and none that it falls back to. */
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly cacheRead: bigint | null;
  readonly cacheWrite: bigint | null;
  /** Picodollars of each other unit that the book gives a price for; null where there is none. */
  readonly units: UnitPrices | null;
}

export type UnitPrices = Readonly<Partial<Record<FurtherUnit, bigint>>>;

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
  readonly rates: ReadonlyMap<string, readonly Rate[]>;
}

/** Every version of every book. */
export interface PriceCatalog {
  /** Versions of one book, newest first. */
  readonly books: ReadonlyMap<string, readonly BookVersion[]>;
  /** Names of the cost books, in the order in which they are asked. */
  readonly costBooks: readonly string[];
}

export function buildCatalog(versions: readonly BookVersion[]): PriceCatalog {
  const newestFirst = [...versions].sort((a, b) => b.effectiveFrom - a.effectiveFrom);
  const books = Map.groupBy(newestFirst, (version) => version.book);
  const cost = newestFirst.filter((version) => version.kind === 'cost');
  return { books, costBooks: [...new Set(cost.map((version) => version.book))].sort() };
}

/** The rows of one version by the key that a call is looked up by. */
export function buildRates(rates: readonly Rate[]): ReadonlyMap<string, readonly Rate[]> {
  const exact = Map.groupBy(rates, (rate) => rateKey(rate.provider, rate.model, rate.serviceTier));
  const byModel = Map.groupBy(rates, (rate) => modelKey(rate.model, rate.serviceTier));
  for (const [key, rows] of byModel) {
    if (agree(rows)) exact.set(key, rowsOfOneProvider(rows));
  }
  return exact;
}

/** A call that names no provider is priced by its model alone, where that leaves no doubt. */
function modelKey(model: string, serviceTier: string): string {
  return `${model}\u0000${serviceTier}`;
}

function agree(rows: readonly Rate[]): boolean {
  const byProvider = Map.groupBy(rows, (rate) => rate.provider);
  const prices = [...byProvider.values()].map(priceText);
  return new Set(prices).size === 1;
}

function priceText(rows: readonly Rate[]): string {
  const texts = rows.map((rate) =>
    [
      rate.aboveInputTokens,
      rate.perCall,
      rate.input,
      rate.output,
      rate.cacheRead,
      rate.cacheWrite,
      JSON.stringify(
        Object.entries(rate.units ?? {}).map(([unit, price]) => [unit, String(price)]),
      ),
    ].join(),
  );
  return texts.sort().join(';');
}

function rowsOfOneProvider(rows: readonly Rate[]): Rate[] {
  const provider = rows
    .map((rate) => rate.provider ?? '')
    .sort()
    .at(0);
  return rows.filter((rate) => (rate.provider ?? '') === provider);
}

/** What decides a price; `contextTokens` is the whole call's input, cache included. */
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
 * The price that a book has for a call: its own row for the tier, else its base's; then the same for
 * the standard tier. A cost-plus book takes the cost row times its factor where it has no row of its
 * own. Null means that there is no price, which is never a price of zero (R10).
 */
export function findCharge(
  catalog: PriceCatalog,
  book: string,
  question: PriceQuestion,
): FoundRate | null {
  const versions = booksUnder(catalog, book, question.at);
  const tiers =
    question.serviceTier === 'standard' ? ['standard'] : [question.serviceTier, 'standard'];
  for (const tier of tiers) {
    let discount: BookVersion | null = null;
    for (const version of versions) {
      const rate = findRow(version, tier, question);
      if (rate !== null) return discounted({ version, rate }, discount);
      if (version.baseFactor !== null) discount ??= version;
    }
  }
  const plus = versions.find((version) => version.costFactor !== null);
  return plus === undefined ? null : findCostPlus(catalog, plus, question);
}

/** A base's row at the discount of the book through which it was reached; that book's terms hold. */
function discounted(found: FoundRate, discount: BookVersion | null): FoundRate {
  if (discount?.baseFactor == null) return found;
  return { version: discount, rate: timesFactor(found.rate, discount.baseFactor) };
}

/** A row as a version charges by it: a row of another book at the version's factor or discount. */
export function rateOfVersion(version: BookVersion, rate: Rate): Rate {
  const factor = version.costFactor ?? version.baseFactor;
  return factor === null || rate.book === version.book ? rate : timesFactor(rate, factor);
}

/**
 * What the provider takes for a call. Cost books are asked in the order of their names, and the
 * first that has a row for the tier, or for the standard tier, answers.
 */
export function findCost(
  catalog: PriceCatalog,
  currency: string,
  question: PriceQuestion,
): FoundRate | null {
  for (const book of catalog.costBooks) {
    const version = versionAt(catalog, book, question.at);
    if (version?.currency !== currency) continue;
    const rate =
      findRow(version, question.serviceTier, question) ?? findRow(version, 'standard', question);
    if (rate !== null) return { version, rate };
  }
  return null;
}

function versionAt(catalog: PriceCatalog, book: string, at: InstantMs): BookVersion | null {
  return catalog.books.get(book)?.find((version) => version.effectiveFrom <= at) ?? null;
}

/**
 * The key under which a version keeps the rows of one model, one for each context length, under the one
 * name that the provider has however a book or an event spells it. NUL separates: Postgres holds none.
 */
function rateKey(provider: string | null, model: string, serviceTier: string): string {
  const of = provider === null ? '' : `=${canonicalProvider(provider)}`;
  return `${of}\u0000${model}\u0000${serviceTier}`;
}

/** A rate times a factor of a cost-plus or a discount book, each part rounded half up once. */
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
  const cost = findCost(catalog, version.currency, question);
  if (cost === null || version.costFactor === null) return null;
  return { version, rate: timesFactor(cost.rate, version.costFactor) };
}

/** The book's version of that time, then the versions that it is laid over, nearest first. */
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
 * The row for the provider, else the row that names none; and of those the one with the highest
 * context length below the call's.
 */
function findRow(version: BookVersion, tier: string, question: PriceQuestion): Rate | null {
  const rows =
    (question.provider === null
      ? undefined
      : version.rates.get(rateKey(question.provider, question.model, tier))) ??
    version.rates.get(rateKey(null, question.model, tier)) ??
    (question.provider === null ? version.rates.get(modelKey(question.model, tier)) : undefined) ??
    [];
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
