import { formatDecimal, parseDecimal } from '../money.ts';
import { Refusal } from '../refusal.ts';

/** Whole tokens of one tenant in disjoint buckets (R5). */
export interface TokenSums {
  readonly uncachedInput: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly output: bigint;
}

/** What a token of each bucket weighs, in millionths. */
export type TokenWeights = TokenSums;

/** The buckets by the names that price books give them. */
export const BUCKETS: readonly { readonly name: string; readonly key: keyof TokenSums }[] = [
  { name: 'input', key: 'uncachedInput' },
  { name: 'cache_read', key: 'cacheRead' },
  { name: 'cache_write', key: 'cacheWrite' },
  { name: 'output', key: 'output' },
];

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
    const isKnown = BUCKETS.some((bucket) => bucket.name === name);
    if (!isKnown || given.has(name) || weight === null || weight < 0n) refuseWeights(pair);
    given.set(name, weight);
  }
  const input = given.get('input');
  const output = given.get('output');
  if (input === undefined || output === undefined) return refuseWeights(text);
  const cacheRead = given.get('cache_read') ?? input;
  const cacheWrite = given.get('cache_write') ?? input;
  const weights = { uncachedInput: input, cacheRead, cacheWrite, output };
  if (BUCKETS.every(({ key }) => weights[key] === 0n)) refuseWeights(text);
  return weights;
}

function refuseWeights(text: string): never {
  throw new Refusal(
    'bad_request',
    `"${text}" gives no weights of tokens`,
    'write them as input=1,cache_read=0.1,cache_write=1.25,output=5: not negative, at most six decimals, input and output at the least',
  );
}

/** The weights as `parseWeights` reads them. */
export function formatWeights(weights: TokenWeights): string {
  return BUCKETS.map(({ name, key }) => `${name}=${trimmed(weights[key])}`).join(',');
}

function trimmed(weight: bigint): string {
  return formatDecimal(weight, DECIMALS).replace(/\.?0+$/, '');
}

/** What tokens weigh, in millionths. */
export function weigh(tokens: TokenSums, weights: TokenWeights): bigint {
  return BUCKETS.reduce((sum, { key }) => sum + tokens[key] * weights[key], 0n);
}
