/**
 * The one table of units: what providers count and take money for. Events are read by it, usage is
 * split and rated by it, and the ledger, statements, reports and laws take their units from it. A new
 * unit is one more row here. A count of a unit never holds what another unit counts: the parts of a
 * total are taken out of it when an event is read.
 */
const TABLE = {
  /** Text into the model: what of the whole input no other unit counts. */
  input_tokens: {
    side: 'input',
    partOf: null,
    price: { per: 'million', rate: 'input' },
    fallback: null,
    workDone: null,
    meter: 'input',
    words: ['input token', 'input tokens'],
  },
  cache_read_tokens: {
    side: 'input',
    partOf: 'input_tokens',
    price: { per: 'million', rate: 'cache_read' },
    fallback: 'input_tokens',
    workDone: 'input_tokens',
    meter: 'cache_read',
    words: ['cached input', 'cached input'],
  },
  /**
   * The tokens that are written to the provider's cache for its usual time, which is five minutes.
   */
  cache_write_tokens: {
    side: 'input',
    partOf: 'input_tokens',
    price: { per: 'million', rate: 'cache_write' },
    fallback: 'input_tokens',
    workDone: 'input_tokens',
    meter: 'cache_write',
    words: ['cache write', 'cache write'],
  },
  /** Text out of the model, its reasoning included: what no other unit counts of the output. */
  output_tokens: {
    side: 'output',
    partOf: null,
    price: { per: 'million', rate: 'output' },
    fallback: null,
    workDone: null,
    meter: 'output',
    words: ['output token', 'output tokens'],
  },
  cache_write_1h_tokens: {
    side: 'input',
    partOf: 'cache_write_tokens',
    price: { per: 'million', rate: 'cache_write_1h' },
    fallback: 'input_tokens',
    workDone: 'input_tokens',
    meter: 'cache_write_1h',
    words: ['one-hour cache write', 'one-hour cache write'],
  },
  input_audio_tokens: {
    side: 'input',
    partOf: 'input_tokens',
    price: { per: 'million', rate: 'input_audio' },
    fallback: null,
    workDone: null,
    meter: 'input_audio',
    words: ['audio input token', 'audio input tokens'],
  },
  input_image_tokens: {
    side: 'input',
    partOf: 'input_tokens',
    price: { per: 'million', rate: 'input_image' },
    fallback: 'input_tokens',
    workDone: null,
    meter: 'input_image',
    words: ['image input token', 'image input tokens'],
  },
  input_video_tokens: {
    side: 'input',
    partOf: 'input_tokens',
    price: { per: 'million', rate: 'input_video' },
    fallback: 'input_tokens',
    workDone: null,
    meter: 'input_video',
    words: ['video input token', 'video input tokens'],
  },
  cache_read_audio_tokens: {
    side: 'input',
    partOf: 'cache_read_tokens',
    price: { per: 'million', rate: 'cache_read_audio' },
    fallback: 'input_audio_tokens',
    workDone: 'input_audio_tokens',
    meter: 'cache_read_audio',
    words: ['cached audio input', 'cached audio input'],
  },
  cache_read_image_tokens: {
    side: 'input',
    partOf: 'cache_read_tokens',
    price: { per: 'million', rate: 'cache_read_image' },
    fallback: 'input_image_tokens',
    workDone: 'input_image_tokens',
    meter: 'cache_read_image',
    words: ['cached image input', 'cached image input'],
  },
  output_audio_tokens: {
    side: 'output',
    partOf: 'output_tokens',
    price: { per: 'million', rate: 'output_audio' },
    fallback: null,
    workDone: null,
    meter: 'output_audio',
    words: ['audio output token', 'audio output tokens'],
  },
  output_image_tokens: {
    side: 'output',
    partOf: 'output_tokens',
    price: { per: 'million', rate: 'output_image' },
    fallback: null,
    workDone: null,
    meter: 'output_image',
    words: ['image output token', 'image output tokens'],
  },
  output_video_tokens: {
    side: 'output',
    partOf: 'output_tokens',
    price: { per: 'million', rate: 'output_video' },
    fallback: null,
    workDone: null,
    meter: 'output_video',
    words: ['video output token', 'video output tokens'],
  },
  images: {
    side: 'call',
    partOf: null,
    price: { per: 'one', rate: 'per_image' },
    fallback: null,
    workDone: null,
    meter: 'images',
    words: ['image', 'images'],
  },
  audio_ms: {
    side: 'call',
    partOf: null,
    price: { per: 'second', rate: 'audio' },
    fallback: null,
    workDone: null,
    meter: 'audio_seconds',
    words: ['second of audio', 'seconds of audio'],
  },
  video_ms: {
    side: 'call',
    partOf: null,
    price: { per: 'second', rate: 'video' },
    fallback: null,
    workDone: null,
    meter: 'video_seconds',
    words: ['second of video', 'seconds of video'],
  },
  characters: {
    side: 'call',
    partOf: null,
    price: { per: 'million', rate: 'characters' },
    fallback: null,
    workDone: null,
    meter: 'characters',
    words: ['character', 'characters'],
  },
  pages: {
    side: 'call',
    partOf: null,
    price: { per: 'thousand', rate: 'pages' },
    fallback: null,
    workDone: null,
    meter: 'pages',
    words: ['page', 'pages'],
  },
  searches: {
    side: 'call',
    partOf: null,
    price: { per: 'thousand', rate: 'searches' },
    fallback: null,
    workDone: null,
    meter: 'searches',
    words: ['web search', 'web searches'],
  },
  search_units: {
    side: 'call',
    partOf: null,
    price: { per: 'thousand', rate: 'search_units' },
    fallback: null,
    workDone: null,
    meter: 'search_units',
    words: ['search unit', 'search units'],
  },
} as const satisfies Readonly<Record<string, UnitRow>>;

/** A unit by the field of an event's `usage` that counts it; its name everywhere. */
export type UnitName = keyof typeof TABLE;

/** The units that nearly every call has; events and entries keep them in fields of their own. */
type TextUnit = 'input_tokens' | 'cache_read_tokens' | 'cache_write_tokens' | 'output_tokens';

/** Every other unit, which few calls have. */
export type FurtherUnit = Exclude<UnitName, TextUnit>;

/** Counts of further units by their names; a unit that is not there counts nothing. */
export type FurtherUnits = Readonly<Partial<Record<FurtherUnit, number>>>;

/** The keys under which a price book has prices for so many of a unit. */
export type RateOf<Per extends UnitPrice['per']> = Extract<
  (typeof TABLE)[UnitName]['price'],
  { readonly per: Per }
>['rate'];

/** How lines of closed periods name units. */
export type UnitMeter = (typeof TABLE)[UnitName]['meter'];

export interface Unit extends UnitRow {
  readonly name: UnitName;
  readonly meter: UnitMeter;
  readonly partOf: UnitName | null;
  readonly fallback: UnitName | null;
  readonly workDone: UnitName | null;
}

interface UnitRow {
  /** The side whose weights split it over the members of a batched request. */
  readonly side: 'input' | 'output' | 'call';
  /** The total that an event counts it in, too; totals stand in totals of their own. */
  readonly partOf: string | null;
  readonly price: UnitPrice;
  /** The unit whose price holds where a book has none for this one; null leaves it without a price. */
  readonly fallback: string | null;
  /** The unit that it is charged as where a book charges for work done: what was cached or written. */
  readonly workDone: string | null;
  /** What a line of a closed period is called that counts it; frozen with the period. */
  readonly meter: string;
  /** What a customer reads, of one and of several. */
  readonly words: readonly [one: string, several: string];
}

/**
 * The place in a price book where the price of a unit stands, and how many of the unit that price
 * is for.
 */
export interface UnitPrice {
  /** A second is a thousand of its unit, which is a millisecond. */
  readonly per: 'million' | 'thousand' | 'one' | 'second';
  readonly rate: string;
}

/** All units in their fixed order: of lines, of hashed text, and of columns. A new one goes last. */
export const UNITS: readonly Unit[] = Object.entries(TABLE).map(([name, row]) => ({
  name: name as UnitName,
  ...row,
}));

const TEXT_UNITS: ReadonlySet<string> = new Set<TextUnit>([
  'input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'output_tokens',
]);

function isFurther(unit: Unit): unit is Unit & { readonly name: FurtherUnit } {
  return !TEXT_UNITS.has(unit.name);
}

/** The units that events and entries keep in a map, in their fixed order. */
export const FURTHER_UNITS = UNITS.filter(isFurther);

const BY_NAME: ReadonlyMap<UnitName, Unit> = new Map(UNITS.map((unit) => [unit.name, unit]));

/** Returns a unit's row. */
export function unitOf(name: UnitName): Unit {
  const unit = BY_NAME.get(name);
  if (unit === undefined) throw new Error(`there is no unit ${name}`);
  return unit;
}

const BY_METER: ReadonlyMap<string, Unit> = new Map(UNITS.map((unit) => [unit.meter, unit]));

/** Returns the unit that a line counts; null of a line that counts none, such as calls. */
export function unitOfMeter(meter: string): Unit | null {
  return BY_METER.get(meter) ?? null;
}

/** Returns how many of a unit its price is for; of time, a unit is a millisecond. */
export function pricedTogether({ price }: Unit): bigint {
  return PRICED_TOGETHER[price.per];
}

const PRICED_TOGETHER = { million: 1_000_000n, thousand: 1_000n, one: 1n, second: 1_000n } as const;

/** Returns the units that a total holds directly, such as the audio of the input. */
export function partsOf(total: UnitName): readonly Unit[] {
  return UNITS.filter((unit) => unit.partOf === total);
}

/** Counts what of further units stands on one side of a call. */
export function countOnSide(units: FurtherUnits | null, side: Unit['side']): number {
  if (units === null) return 0;
  let sum = 0;
  for (const unit of FURTHER_UNITS) if (unit.side === side) sum += units[unit.name] ?? 0;
  return sum;
}
