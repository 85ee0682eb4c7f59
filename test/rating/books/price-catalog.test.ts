import { describe, expect, it } from 'vitest';
import type { BookVersion, PriceQuestion } from '../../../src/rating/books/price-catalog.ts';
import {
  buildCatalog,
  findCharge,
  findCost,
  rateOfVersion,
  timesFactor,
} from '../../../src/rating/books/price-catalog.ts';
import type { Rate } from '../../../src/rating/books/rate.ts';
import { buildRates } from '../../../src/rating/books/rate-index.ts';

const JANUARY = Date.parse('2026-01-01T00:00:00Z');
const OCTOBER = Date.parse('2026-10-01T00:00:00Z');
const NOW = Date.parse('2026-10-15T00:00:00Z');

let nextId = 1n;

/** A row whose input rate is the figure that the test looks for. */
function row(input: bigint, change: Partial<Rate> = {}): Rate {
  nextId += 1n;
  return {
    rateId: nextId,
    book: 'standard',
    provider: null,
    model: 'gpt-4o',
    serviceTier: 'standard',
    aboveInputTokens: 0n,
    perCall: 0n,
    input,
    output: input * 4n,
    cacheRead: input,
    cacheWrite: input,
    units: null,
    ...change,
  };
}

function version(rates: readonly Rate[], change: Partial<BookVersion> = {}): BookVersion {
  return {
    book: 'standard',
    effectiveFrom: JANUARY,
    kind: 'charge',
    currency: 'USD',
    caching: 'work_done',
    baseBook: null,
    costFactor: null,
    baseFactor: null,
    rates: buildRates(rates),
    ...change,
  };
}

function ask(change: Partial<PriceQuestion> = {}): PriceQuestion {
  return {
    provider: null,
    model: 'gpt-4o',
    serviceTier: 'standard',
    contextTokens: 1000n,
    at: NOW,
    ...change,
  };
}

/** How many of each other currency one euro is, in millionths of a millionth. */
function euroRates(versionId: bigint, effectiveFrom: number, rates: Record<string, bigint>) {
  return { versionId, base: 'EUR', effectiveFrom, rates: new Map(Object.entries(rates)) };
}

const inputOf = (versions: readonly BookVersion[], question: PriceQuestion, book = 'standard') =>
  findCharge(buildCatalog(versions), book, question)?.rate.input ?? null;

describe('a charge book', () => {
  it('answers with the newest version that holds when the call completed', () => {
    const versions = [version([row(1n)]), version([row(2n)], { effectiveFrom: OCTOBER })];
    expect(inputOf(versions, ask({ at: OCTOBER - 1 }))).toBe(1n);
    expect(inputOf(versions, ask({ at: OCTOBER }))).toBe(2n);
    expect(inputOf(versions, ask({ at: JANUARY - 1 }))).toBeNull();
  });

  it('has no price for a model that it does not name, which is not a price of zero', () => {
    expect(inputOf([version([row(1n)])], ask({ model: 'gpt-5' }))).toBeNull();
    expect(inputOf([version([row(0n)])], ask())).toBe(0n);
  });

  it('prices a tier by its own row, and by the standard one where it has none', () => {
    const versions = [version([row(4n), row(2n, { serviceTier: 'batch' })])];
    expect(inputOf(versions, ask({ serviceTier: 'batch' }))).toBe(2n);
    expect(inputOf(versions, ask({ serviceTier: 'priority' }))).toBe(4n);
  });

  it('has no standard price for a model that it lists for another tier only', () => {
    expect(inputOf([version([row(2n, { serviceTier: 'batch' })])], ask())).toBeNull();
  });

  it.each([
    { contextTokens: 200_000n, input: 1n },
    { contextTokens: 200_001n, input: 2n },
    { contextTokens: 1_000_000n, input: 2n },
    { contextTokens: 1_000_001n, input: 3n },
    { contextTokens: 0n, input: 1n },
  ])('takes the row above $contextTokens only above it', ({ contextTokens, input }) => {
    const rates = [
      row(1n),
      row(2n, { aboveInputTokens: 200_000n }),
      row(3n, { aboveInputTokens: 1_000_000n }),
    ];
    expect(inputOf([version(rates)], ask({ contextTokens }))).toBe(input);
  });

  it('prefers the row of the provider, and then the one that names none', () => {
    const versions = [version([row(1n), row(2n, { provider: 'azure' })])];
    expect(inputOf(versions, ask({ provider: 'azure' }))).toBe(2n);
    expect(inputOf(versions, ask({ provider: 'openai' }))).toBe(1n);
    expect(inputOf(versions, ask())).toBe(1n);
  });

  it('takes no row of another provider, whatever their names are', () => {
    const versions = [version([row(1n), row(2n, { provider: 'null' }), row(3n, { provider: '' })])];
    expect(inputOf(versions, ask())).toBe(1n);
    expect(inputOf(versions, ask({ provider: 'null' }))).toBe(2n);
    expect(inputOf(versions, ask({ provider: '' }))).toBe(3n);
  });

  it('tells rows apart that have the same digits', () => {
    const zero = { perCall: 0n, output: 0n, cacheRead: 0n };
    const one = { ...zero, provider: 'one' };
    const two = { ...zero, provider: 'two' };
    // Cache writes at 1 below 23 tokens, and at 12 below 3 tokens: 0,0,0,0,0,1 23,… and 0,0,0,0,0,12 3,…
    const versions = [
      version([
        row(0n, { ...one, cacheWrite: 1n }),
        row(0n, { ...one, cacheWrite: 0n, aboveInputTokens: 23n }),
        row(0n, { ...two, cacheWrite: 12n }),
        row(0n, { ...two, cacheWrite: 0n, aboveInputTokens: 3n }),
      ]),
    ];
    expect(inputOf(versions, ask())).toBeNull();
    expect(inputOf(versions, ask({ provider: 'one' }))).toBe(0n);
  });

  it('prices a call without provider by the model alone only where all providers agree', () => {
    const agree = [row(5n, { provider: 'azure' }), row(5n, { provider: 'openai' })];
    const differ = [row(5n, { provider: 'azure' }), row(6n, { provider: 'openai' })];
    expect(inputOf([version(agree)], ask())).toBe(5n);
    expect(inputOf([version(differ)], ask())).toBeNull();
    // A provider that has no row of its own is not priced by another's.
    expect(inputOf([version(differ)], ask({ provider: 'groq' }))).toBeNull();
  });
});

describe('a book laid over another', () => {
  const base = version([row(1n), row(9n, { model: 'o1' }), row(5n, { serviceTier: 'batch' })], {
    book: 'list',
  });

  it('has its own rows first and its base for the rest', () => {
    const own = version([row(2n)], { baseBook: 'list' });
    expect(inputOf([base, own], ask())).toBe(2n);
    expect(inputOf([base, own], ask({ model: 'o1' }))).toBe(9n);
  });

  it('takes the tier of its base before its own standard row', () => {
    const own = version([row(2n)], { baseBook: 'list' });
    expect(inputOf([base, own], ask({ serviceTier: 'batch' }))).toBe(5n);
  });

  it('names the version that the row came from, so that the entry can be recomputed', () => {
    const own = version([row(2n)], { baseBook: 'list' });
    const found = findCharge(buildCatalog([base, own]), 'standard', ask({ model: 'o1' }));
    expect(found?.version.book).toBe('list');
  });
});

describe('a cost-plus book', () => {
  const cost = version([row(2_500_001n, { book: 'list', provider: 'openai' })], {
    book: 'list',
    kind: 'cost',
  });

  it('charges the cost row times its factor, rounded half up once', () => {
    const plus = version([], { costFactor: 1_500_000n });
    // 2,500,001 x 1.5 = 3,750,001.5 → 3,750,002
    expect(inputOf([cost, plus], ask({ provider: 'openai' }))).toBe(3_750_002n);
  });

  it('lets a row of its own be the exception', () => {
    const plus = version([row(7n)], { costFactor: 1_500_000n });
    expect(inputOf([cost, plus], ask({ provider: 'openai' }))).toBe(7n);
  });

  it('has no price where the cost is not known', () => {
    const plus = version([], { costFactor: 1_500_000n });
    expect(inputOf([cost, plus], ask({ model: 'gpt-5' }))).toBeNull();
  });

  it('rounds the price of a call to whole microdollars, so that a millionth of it is exact', () => {
    // 0.000003 x 1.5 = 0.0000045 → 0.000005
    const rate = timesFactor(row(1n, { perCall: 3_000_000n }), 1_500_000n);
    expect(rate.perCall).toBe(5_000_000n);
  });
});

describe('cost books', () => {
  it('are asked in the order of their names, and the first that knows answers', () => {
    const a = version([row(1n, { model: 'o1' })], { book: 'a', kind: 'cost' });
    const b = version([row(2n), row(3n, { model: 'o1' })], { book: 'b', kind: 'cost' });
    const catalog = buildCatalog([b, a]);
    expect(findCost(catalog, 'USD', ask())?.rate.input).toBe(2n);
    expect(findCost(catalog, 'USD', ask({ model: 'o1' }))?.rate.input).toBe(1n);
  });

  it('are passed over in another currency', () => {
    const euro = version([row(1n)], { book: 'a', kind: 'cost', currency: 'EUR' });
    expect(findCost(buildCatalog([euro]), 'USD', ask())).toBeNull();
  });

  it('never charge', () => {
    const charge = version([row(1n)]);
    const cost = version([row(2n)], { book: 'list', kind: 'cost' });
    expect(buildCatalog([charge, cost]).costBooks).toEqual(['list']);
  });
});

describe('rows that only one of them may answer', () => {
  const found = (rates: readonly Rate[], question: Partial<PriceQuestion>) =>
    findCharge(buildCatalog([version(rates)]), 'standard', ask(question))?.rate;

  it('of another provider never price a call that names its own', () => {
    const east = row(1n, { provider: 'east' });
    expect(found([east], { provider: 'west' })).toBeUndefined();
    expect(found([east], { provider: null })).toBe(east);
  });

  it('of several providers that agree: the first by name prices a call that names none', () => {
    const west = [
      row(1n, { provider: 'west' }),
      row(2n, { provider: 'west', aboveInputTokens: 500n }),
    ];
    const east = [
      row(2n, { provider: 'east', aboveInputTokens: 500n }),
      row(1n, { provider: 'east' }),
    ];
    // Each lists its rows in an order of its own.
    expect(found([...west, ...east], { contextTokens: 400n })).toBe(east[1]);
    expect(found([...west, ...east], { contextTokens: 600n })).toBe(east[0]);
    expect(found([...east, ...west], { contextTokens: 600n })).toBe(east[0]);
  });

  it('of several lengths: the highest that holds, in whatever order they stand', () => {
    const rows = [
      row(3n, { aboveInputTokens: 500n }),
      row(2n, { aboveInputTokens: 100n }),
      row(1n),
    ];
    expect(found(rows, { contextTokens: 501n })).toBe(rows[0]);
    expect(found(rows, { contextTokens: 500n })).toBe(rows[1]);
    expect(found(rows, { contextTokens: 100n })).toBe(rows[2]);
  });
});

describe('a book laid over others', () => {
  it('takes the cost times the factor of a base that is cost-plus', () => {
    const versions = [
      version([row(1n, { model: 'exception' })], { baseBook: 'plus' }),
      version([], { book: 'plus', costFactor: 1_500_000n }),
      version([row(10n, { book: 'paid' })], { book: 'paid', kind: 'cost' }),
    ];
    // 10 p × 1.5
    expect(inputOf(versions, ask())).toBe(15n);
    expect(inputOf(versions, ask({ model: 'exception' }))).toBe(1n);
  });

  it('ends, even if two books were laid over one another', () => {
    const versions = [
      version([], { baseBook: 'other' }),
      version([], { book: 'other', baseBook: 'standard' }),
    ];
    expect(inputOf(versions, ask())).toBeNull();
  });
});

describe('a book at a discount', () => {
  const list = version([row(10n, { book: 'list' })], { book: 'list' });
  const reduced = version([row(7n, { model: 'own' })], {
    ...{ book: 'reduced', baseBook: 'list', baseFactor: 800_000n, caching: 'pass_through' },
  });

  it('takes its share off the rows of its base, and its own terms hold', () => {
    const found = findCharge(buildCatalog([list, reduced]), 'reduced', ask());
    // 10 p × 0.8
    expect(found?.rate.input).toBe(8n);
    expect(found?.version).toBe(reduced);
  });

  it('takes nothing off its own rows', () => {
    const found = findCharge(buildCatalog([list, reduced]), 'reduced', ask({ model: 'own' }));
    expect(found?.rate.input).toBe(7n);
    expect(found?.version).toBe(reduced);
  });

  it('is reached through a book without one', () => {
    const outer = version([], { book: 'outer', baseBook: 'reduced' });
    const found = findCharge(buildCatalog([list, reduced, outer]), 'outer', ask());
    expect(found?.rate.input).toBe(8n);
    expect(found?.version).toBe(reduced);
  });

  it('is the nearest of two', () => {
    const outer = version([], { book: 'outer', baseBook: 'reduced', baseFactor: 500_000n });
    expect(inputOf([list, reduced, outer], ask(), 'outer')).toBe(5n);
  });
});

describe('a row as a version charges by it', () => {
  const rate = row(10n, { book: 'list' });

  it('is that of its own book, or of a book without a factor, as it stands', () => {
    expect(rateOfVersion(version([], { book: 'list', baseFactor: 800_000n }), rate)).toBe(rate);
    expect(rateOfVersion(version([]), rate)).toBe(rate);
  });

  it('is that of another book at the discount, or times the factor of a cost', () => {
    expect(rateOfVersion(version([], { baseFactor: 800_000n }), rate).input).toBe(8n);
    expect(rateOfVersion(version([], { costFactor: 1_500_000n }), rate).input).toBe(15n);
  });

  it('keeps what has no price without one, and takes every unit times the factor', () => {
    const units = { images: 10n, searches: 4n };
    const none = { output: null, cacheRead: null, cacheWrite: null, input: null };
    const times = timesFactor(row(0n, { ...none, units }), 1_500_000n);
    expect(times).toMatchObject({ ...none, units: { images: 15n, searches: 6n } });
    expect(timesFactor(row(10n), 1_500_000n)).toMatchObject({
      ...{ input: 15n, output: 60n, cacheRead: 15n, cacheWrite: 15n, units: null },
    });
  });
});

describe('costs in another currency', () => {
  const cost = (book: string, currency: string, input: bigint) =>
    version([row(input, { book })], { book, kind: 'cost', currency });
  const rates = euroRates(1n, JANUARY, { USD: 1_200_000_000_000n, JPY: 160_000_000_000_000n });
  const costOf = (versions: readonly BookVersion[], exchange = [rates]) =>
    findCost(buildCatalog(versions, [], exchange), 'EUR', ask());

  it('are found with what converts them', () => {
    const found = costOf([cost('list', 'USD', 7n)]);
    expect(found?.rate.input).toBe(7n);
    expect(found?.conversion).toEqual({
      ...{ versionId: 1n, numerator: 1_000_000_000_000n, denominator: 1_200_000_000_000n },
    });
  });

  it('are asked only where the own currency has none', () => {
    const found = costOf([cost('a', 'USD', 7n), cost('z', 'EUR', 3n)]);
    expect([found?.rate.input, found?.conversion]).toEqual([3n, null]);
    expect(costOf([cost('z', 'EUR', 3n)], [])?.conversion).toBeNull();
  });

  it('are unknown without a rate of that time', () => {
    expect(costOf([cost('list', 'USD', 7n)], [])).toBeNull();
    expect(costOf([cost('list', 'CHF', 7n)])).toBeNull();
    const later = euroRates(2n, NOW + 1000, { USD: 1_200_000_000_000n });
    expect(costOf([cost('list', 'USD', 7n)], [later])).toBeNull();
  });

  it('are looked for by the names of the currencies, past those that are not known', () => {
    const books = [cost('a', 'USD', 7n), cost('b', 'JPY', 5n), cost('c', 'CHF', 3n)];
    expect(costOf(books)?.rate.input).toBe(5n);
    const elsewhere = version([row(9n, { model: 'o1' })], {
      ...{ book: 'b', kind: 'cost', currency: 'JPY' },
    });
    expect(costOf([cost('a', 'USD', 7n), elsewhere])?.rate.input).toBe(7n);
  });

  it('have no book that holds before its first version', () => {
    const later = version([row(7n, { book: 'list' })], {
      ...{ book: 'list', kind: 'cost', currency: 'USD', effectiveFrom: NOW + 1000 },
    });
    expect(costOf([later])).toBeNull();
    expect(costOf([later, cost('other', 'USD', 2n)])?.rate.input).toBe(2n);
  });
});

it('the default books stand newest first, and there is none where nobody named one', () => {
  const [first, second] = [
    { effectiveFrom: JANUARY, book: 'old' },
    { effectiveFrom: OCTOBER, book: 'new' },
  ];
  expect(buildCatalog([], [first, second]).defaults).toEqual([second, first]);
  expect(buildCatalog([], [second, first]).defaults).toEqual([second, first]);
  expect(buildCatalog([])).toMatchObject({ defaults: [], exchange: [] });
});
