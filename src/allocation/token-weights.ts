import { formatDecimal, parseDecimal } from '../money.ts';
import { Refusal } from '../refusal.ts';
import type { UnitName } from '../units.ts';
import { pricedTogether, UNITS } from '../units.ts';

/**
 * Whole tokens of one tenant in disjoint buckets (R5), whatever they carry: those of sound and pictures are in
 * the bucket of their side, and what of them was cached or written in that of the cache.
 */
export interface TokenSums {
  readonly uncachedInput: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly output: bigint;
}

/** Counts of what is no token, such as pictures and seconds, each by its unit. */
export type UnitSums = Readonly<Partial<Record<UnitName, bigint>>>;

/** What a token of each bucket weighs, in millionths, and what one of each other unit does: nothing, unless it is said. */
export interface TokenWeights extends TokenSums {
  readonly units?: UnitSums;
}

/** The buckets by the names that price books give them. */
export const BUCKETS: readonly { readonly name: string; readonly key: keyof TokenSums }[] = [
  { name: 'input', key: 'uncachedInput' },
  { name: 'cache_read', key: 'cacheRead' },
  { name: 'cache_write', key: 'cacheWrite' },
  { name: 'output', key: 'output' },
];

/** What is no token, by the names that statements give it: of time, a second weighs. */
const OTHER_UNITS = UNITS.filter(({ side }) => side === 'call');

/**
 * The defaults are what most price lists have: output at five times the input, reading a cache at a
 * tenth of it.
 */
export const DEFAULT_WEIGHTS: TokenWeights = {
  uncachedInput: 1_000_000n,
  cacheRead: 100_000n,
  cacheWrite: 1_250_000n,
  output: 5_000_000n,
};

const DECIMALS = 6;

/**
 * Reads weights such as `input=1,cache_read=0.1,output=5`. A cache bucket that is left out weighs what
 * input weighs, as it is priced in a price book; `input` and `output` must be there.
 */
export function parseWeights(text: string): TokenWeights {
  const given = new Map<string, bigint>();
  for (const pair of text.split(',')) {
    const [name = '', value = ''] = pair.split('=').map((part) => part.trim());
    const weight = parseDecimal(value, DECIMALS);
    const isKnown =
      BUCKETS.some((bucket) => bucket.name === name) ||
      OTHER_UNITS.some(({ meter }) => meter === name);
    if (!isKnown || given.has(name) || weight === null || weight < 0n) refuseWeights(pair);
    given.set(name, weight);
  }
  const input = given.get('input');
  const output = given.get('output');
  if (input === undefined || output === undefined) return refuseWeights(text);
  const cacheRead = given.get('cache_read') ?? input;
  const cacheWrite = given.get('cache_write') ?? input;
  const weights = { uncachedInput: input, cacheRead, cacheWrite, output };
  const units = OTHER_UNITS.flatMap(({ name, meter }) => {
    const weight = given.get(meter);
    return weight === undefined ? [] : [[name, weight] as const];
  });
  const isNothing = [...Object.values(weights), ...units.map(([, weight]) => weight)];
  if (isNothing.every((weight) => weight === 0n)) refuseWeights(text);
  return units.length === 0 ? weights : { ...weights, units: Object.fromEntries(units) };
}

function refuseWeights(text: string): never {
  throw new Refusal(
    'bad_request',
    `"${text}" is not a list of token weights`,
    `write them as input=1,cache_read=0.1,cache_write=1.25,output=5: not negative, at most six decimals, with at least input and output; further ones are ${OTHER_UNITS.map(({ meter }) => meter).join(', ')}`,
  );
}

/** Formats the weights as `parseWeights` reads them. */
export function formatWeights(weights: TokenWeights): string {
  const buckets = BUCKETS.map(({ name, key }) => `${name}=${trimmed(weights[key])}`);
  const others = OTHER_UNITS.flatMap(({ name, meter }) => {
    const weight = weights.units?.[name];
    return weight === undefined ? [] : [`${meter}=${trimmed(weight)}`];
  });
  return [...buckets, ...others].join(',');
}

function trimmed(weight: bigint): string {
  return formatDecimal(weight, DECIMALS).replace(/\.?0+$/, '');
}

/**
 * Returns what tokens and other units weigh, in millionths; of a part of a second the whole
 * millionths.
 */
export function weigh(tokens: TokenSums, weights: TokenWeights, units: UnitSums = {}): bigint {
  const ofTokens = BUCKETS.reduce((sum, { key }) => sum + tokens[key] * weights[key], 0n);
  return OTHER_UNITS.reduce((sum, unit) => {
    const each = unit.price.per === 'second' ? pricedTogether(unit) : 1n;
    return sum + ((units[unit.name] ?? 0n) * (weights.units?.[unit.name] ?? 0n)) / each;
  }, ofTokens);
}
