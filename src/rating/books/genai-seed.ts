import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';
import { DateTime } from 'luxon';
import type { InstantMs } from '../../clock.ts';
import type { RateOf } from '../../units.ts';
import { OUTPUT_IMAGE_NOTE, withOutputImages } from './genai-images.ts';
import { EVENT_PROVIDERS, type Offer, offersOf } from './genai-names.ts';
import { decimalPrice, priceAbove } from './genai-price.ts';
import { HALF_PRICE_NOTE, withHalfPrices } from './genai-tiers.ts';
import {
  type PriceBookDocument,
  type PriceBookModel,
  parsePriceBook,
} from './price-book-document.ts';

/**
 * Makes a cost book of the prices that the package `@pydantic/genai-prices` carries, for a person to
 * review and import. It is a seed and not a source of truth: the package warns that its prices may be
 * wrong, and a newer version of it changes prices of the past too, so a book names its version and is
 * never made again under usage that it has already priced.
 */

export interface SeedOptions {
  readonly book: string;
  /** RFC 3339 with an offset: where the first version begins. */
  readonly effectiveFrom: string;
  /** The package knows no other. */
  readonly currency: 'USD';
}

export const SEED_SOURCE = '@pydantic/genai-prices 0.1.8';

/**
 * Returns the versions of a cost book, ascending: the prices that hold at `effectiveFrom`, then one
 * version for each later date from which the package knows another price. Each holds every model.
 * What the package's prices lose on the way is said in `notes`. Refuses a book or an instant that
 * does not fit the price book's schema.
 */
export function seedCostBook(options: SeedOptions): readonly PriceBookDocument[] {
  const from = DateTime.fromISO(options.effectiveFrom, { zone: 'utc' }).toMillis();
  const offers = Object.entries(EVENT_PROVIDERS).flatMap(([id, names]) => offersOf(id, names));
  const later = new Set(
    offers.flatMap(({ model }) => startDates(model)).filter((date) => dayMs(date) > from),
  );
  const documents = [version(options, options.effectiveFrom, rowsAt(offers, from))];
  for (const date of [...later].sort()) {
    const next = version(options, `${date}T00:00:00Z`, rowsAt(offers, dayMs(date)));
    // A date can concern prices of what a book has no unit for.
    const unchanged = JSON.stringify(next.models) === JSON.stringify(documents.at(-1)?.models);
    if (!unchanged) documents.push(next);
  }
  return documents;
}

interface Rows {
  readonly models: PriceBookModel[];
  /** What the rows do not carry, by the note that says so. */
  readonly losses: Losses;
}

interface Losses {
  readonly leftOut: Set<string>;
  readonly dearestHour: Set<string>;
  readonly inputOnly: Set<string>;
  readonly rounded: Set<string>;
  readonly otherUnits: Set<string>;
}

function rowsAt(offers: readonly Offer[], at: InstantMs): Rows {
  const losses: Losses = {
    leftOut: new Set(),
    dearestHour: new Set(),
    inputOnly: new Set(),
    rounded: new Set(),
    otherUnits: new Set(),
  };
  const models: PriceBookModel[] = [];
  for (const { packageId, providers, names, model } of offers) {
    const label = `${providers[0]} ${model.id}`;
    const priced = tariffsOf(label, pricesAt(label, model, { at, losses }), losses);
    const standard = priced.map((tariff) => withImages(model.id, tariff));
    const tariffs = withHalfPrices(packageId, model.id, standard);
    for (const provider of providers) {
      for (const name of names) {
        for (const tariff of tariffs) models.push({ provider, model: name, ...tariff });
      }
    }
  }
  return { models, losses };
}

/**
 * The prices in force at an instant. A price for certain hours belongs to the dated price that it
 * follows in the list; where there are such, the dearest hour's stands for the whole day, so that a
 * cost is never understated.
 */
function pricesAt(
  label: string,
  model: ModelInfo,
  { at, losses }: { at: InstantMs; losses: Losses },
): ModelPrice {
  const list: readonly ConditionalPrice[] = Array.isArray(model.prices)
    ? model.prices
    : [{ prices: model.prices }];
  const byHour = ({ constraint }: ConditionalPrice) => constraint?.type === 'time_of_date';
  const current = list.findLastIndex((price) => !byHour(price) && startOf(price) <= at);
  const following = list.slice(current + 1);
  const nextDated = following.findIndex((price) => !byHour(price));
  const hours = following.slice(0, nextDated === -1 ? undefined : nextDated);
  if (hours.length > 0) losses.dearestHour.add(label);
  const inForce = [...list.slice(Math.max(current, 0), current + 1), ...hours];
  const [dearest] = inForce.toSorted((a, b) => inputPrice(b.prices) - inputPrice(a.prices));
  return dearest?.prices ?? {};
}

function startOf({ constraint }: ConditionalPrice): InstantMs {
  return constraint?.type === 'start_date'
    ? dayMs(constraint.start_date)
    : Number.NEGATIVE_INFINITY;
}

function inputPrice(prices: ModelPrice): number {
  const price = prices['input_mtok'] ?? 0;
  return typeof price === 'number' ? price : price.base;
}

type Tariff = Omit<PriceBookModel, 'provider' | 'model'>;

/** The package's names of prices of a million that a row can say, and ours. */
const PER_MILLION: Readonly<Record<string, RateOf<'million'>>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cache_read',
  cache_write_mtok: 'cache_write',
  cache_write_1h_mtok: 'cache_write_1h',
  input_audio_mtok: 'input_audio',
  input_image_mtok: 'input_image',
  input_video_mtok: 'input_video',
  cache_audio_read_mtok: 'cache_read_audio',
  cache_image_read_mtok: 'cache_read_image',
  output_audio_mtok: 'output_audio',
  output_image_mtok: 'output_image',
  output_video_mtok: 'output_video',
};

/** The same for prices of a thousand. */
const PER_THOUSAND: Readonly<Record<string, RateOf<'thousand'>>> = {
  web_searches_kcount: 'searches',
  rerank_searches_kcount: 'search_units',
  input_document_kpages: 'pages',
};

/** The package's names of an hour of audio, which it gives by both where it gives one. */
const AUDIO_HOURS = ['audio_hours', 'input_audio_hours'] as const;

/** The units of the package that a row of a price book can say. */
const CARRIED: ReadonlySet<string> = new Set([
  ...Object.keys(PER_MILLION),
  ...Object.keys(PER_THOUSAND),
  ...AUDIO_HOURS,
  'requests_kcount',
]);

/**
 * Returns one tariff, and one more for each size of input from which the package prices otherwise.
 */
function tariffsOf(label: string, prices: ModelPrice, losses: Losses): readonly Tariff[] {
  // No price is not a price of zero (R10), except where the model's name says that it is free.
  const free = label.endsWith(':free') && Object.keys(prices).length === 0;
  if (!free && Object.keys(prices).every((unit) => !CARRIED.has(unit))) {
    losses.leftOut.add(label);
    return [];
  }
  if (prices['input_mtok'] !== undefined && prices['output_mtok'] === undefined) {
    losses.inputOnly.add(label);
  }
  for (const unit of Object.keys(prices)) if (!CARRIED.has(unit)) losses.otherUnits.add(unit);
  const starts = Object.values(prices).flatMap((price) =>
    typeof price === 'object' ? price.tiers.map(({ start }) => start) : [],
  );
  return [...new Set([0, ...starts])].map((above) => {
    const rate = (unit: string, per = 1n, decimals = 6) =>
      decimalPrice(priceAbove(prices[unit], above), { per, decimals }, (note) =>
        losses.rounded.add(`${label} ${unit} ${note}`),
      );
    const group = <Rate extends string>(names: Readonly<Record<string, Rate>>) =>
      Object.fromEntries(
        Object.entries(names)
          .filter(([unit]) => prices[unit] !== undefined)
          .map(([unit, name]) => [name, rate(unit)]),
      );
    const perMillion = free ? { input: '0', output: '0' } : withCachedImages(group(PER_MILLION));
    const perThousand = group(PER_THOUSAND);
    const hours = AUDIO_HOURS.find((unit) => prices[unit] !== undefined);
    return {
      service_tier: 'standard',
      above_input_tokens: above,
      per_call: rate('requests_kcount', 1000n),
      ...(Object.keys(perMillion).length === 0 ? {} : { per_million: perMillion }),
      ...(Object.keys(perThousand).length === 0 ? {} : { per_thousand: perThousand }),
      ...(hours === undefined ? {} : { per_second: { audio: rate(hours, 3600n, 9) } }),
    };
  });
}

function withImages(modelId: string, tariff: Tariff): Tariff {
  const { per_million } = tariff;
  return per_million === undefined
    ? tariff
    : { ...tariff, per_million: withOutputImages(modelId, per_million) };
}

/** Images that cost what text costs do so from a cache, too. */
function withCachedImages(
  prices: Readonly<Partial<Record<RateOf<'million'>, string>>>,
): Readonly<Partial<Record<RateOf<'million'>, string>>> {
  const { cache_read, input_image } = prices;
  if (cache_read === undefined || input_image !== undefined) return prices;
  return { cache_read_image: cache_read, ...prices };
}

function version(options: SeedOptions, effectiveFrom: string, rows: Rows): PriceBookDocument {
  return parsePriceBook({
    book: options.book,
    kind: 'cost',
    currency: options.currency,
    effective_from: effectiveFrom,
    caching: 'pass_through',
    source: SEED_SOURCE,
    notes: notesOn(rows.losses),
    models: rows.models,
  });
}

function notesOn(losses: Losses): string {
  const list = (items: ReadonlySet<string>) => [...items].join(', ');
  const dearest =
    losses.dearestHour.size > 0 && `At the price of the dearest hour: ${list(losses.dearestHour)}.`;
  const rounded =
    losses.rounded.size > 0 &&
    `Rounded half up to the decimals of a price: ${list(losses.rounded)}.`;
  const notes = [
    'Seeded from a package whose prices may be wrong: review them.',
    HALF_PRICE_NOTE,
    OUTPUT_IMAGE_NOTE,
    `${losses.leftOut.size} models without a price were left out.`,
    `${losses.inputOnly.size} models have a price of input alone, as embeddings have; output of them has none.`,
    `Prices by other units were not carried over: ${list(losses.otherUnits)}.`,
    dearest,
    rounded,
  ];
  return notes.filter((note) => note !== false).join(' ');
}

function startDates({ prices }: ModelInfo): readonly string[] {
  if (!Array.isArray(prices)) return [];
  return prices.flatMap(({ constraint }) =>
    constraint?.type === 'start_date' ? [constraint.start_date] : [],
  );
}

function dayMs(date: string): InstantMs {
  return DateTime.fromISO(date, { zone: 'utc' }).toMillis();
}
