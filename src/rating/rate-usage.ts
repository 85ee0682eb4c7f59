import type { Pico } from '../money.ts';
import type { FurtherUnit, UnitName } from '../units.ts';
import { FURTHER_UNITS, UNITS, unitOf } from '../units.ts';
import type { Rate } from './books/rate.ts';

/** Whole counts in disjoint units (R5, R21); negative in a reversal. */
export interface RatedTokens {
  readonly uncachedInput: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly output: bigint;
  /** Millionths of the call, 1,000,000 unless it is split over members (R7). */
  readonly callShare: bigint;
  /** Every other unit that was counted; null where there is none. */
  readonly units: UnitAmounts | null;
}

/** A whole number for some of the units beside text. */
export type UnitAmounts = Readonly<Partial<Record<FurtherUnit, bigint>>>;

export type Caching = 'work_done' | 'pass_through';

/** The parts of an amount; they add up to it exactly. Picodollars. */
export interface AmountParts {
  readonly uncachedInput: Pico;
  readonly cacheRead: Pico;
  readonly cacheWrite: Pico;
  readonly output: Pico;
  readonly calls: Pico;
  readonly units: UnitAmounts | null;
}

/**
 * Counts times rates, exactly: rates are whole picodollars a unit, so nothing is rounded here. Under
 * `work_done` what was cached or written is charged as the input that it is (R6). Null where something
 * was counted that has no price (R10).
 */
export function rateUsage(tokens: RatedTokens, rate: Rate, caching: Caching): AmountParts | null {
  const forWork = caching === 'work_done';
  const uncachedInput = times(tokens.uncachedInput, rate.input);
  const cacheRead = times(tokens.cacheRead, forWork ? rate.input : rate.cacheRead);
  const cacheWrite = times(tokens.cacheWrite, forWork ? rate.input : rate.cacheWrite);
  const output = times(tokens.output, rate.output);
  if (uncachedInput === null || cacheRead === null || cacheWrite === null || output === null) {
    return null;
  }
  const calls = (rate.perCall / 1_000_000n) * tokens.callShare;
  if (tokens.units === null) {
    return { uncachedInput, cacheRead, cacheWrite, output, calls, units: null };
  }
  const units = rateUnits(tokens.units, rate, caching);
  return units === null ? null : { uncachedInput, cacheRead, cacheWrite, output, calls, units };
}

/** Returns the names of the units that were counted and have no price. */
export function unpricedUnits(
  tokens: RatedTokens,
  rate: Rate,
  caching: Caching,
): readonly UnitName[] {
  return UNITS.map(({ name }) => name).filter(
    (name) => unitCount(tokens, name) !== 0n && priceOfUnit(name, rate, caching) === null,
  );
}

/** Returns how many of a unit were counted. */
export function unitCount(tokens: RatedTokens, name: UnitName): bigint {
  switch (name) {
    case 'input_tokens':
      return tokens.uncachedInput;
    case 'cache_read_tokens':
      return tokens.cacheRead;
    case 'cache_write_tokens':
      return tokens.cacheWrite;
    case 'output_tokens':
      return tokens.output;
    default:
      return tokens.units?.[name] ?? 0n;
  }
}

/** Returns all input tokens, whatever they carry. */
export function inputOf(tokens: Omit<RatedTokens, 'callShare'>): bigint {
  const { uncachedInput, cacheRead, cacheWrite, units } = tokens;
  return uncachedInput + cacheRead + cacheWrite + sumUnits(units, 'input');
}

/** Returns all output tokens, whatever they carry. */
export function outputOf(tokens: Omit<RatedTokens, 'callShare'>): bigint {
  return tokens.output + sumUnits(tokens.units, 'output');
}

/**
 * Returns the price of one of a unit, or of what it falls back to or is charged as (R21); null
 * where none is.
 */
export function priceOfUnit(name: UnitName, rate: Rate, caching: Caching): Pico | null {
  const { workDone, fallback } = unitOf(name);
  if (caching === 'work_done' && workDone !== null) return priceOfUnit(workDone, rate, caching);
  const own = ownPrice(name, rate);
  return own === null && fallback !== null ? priceOfUnit(fallback, rate, caching) : own;
}

function ownPrice(name: UnitName, rate: Rate): Pico | null {
  switch (name) {
    case 'input_tokens':
      return rate.input;
    case 'cache_read_tokens':
      return rate.cacheRead;
    case 'cache_write_tokens':
      return rate.cacheWrite;
    case 'output_tokens':
      return rate.output;
    default:
      return rate.units?.[name] ?? null;
  }
}

/** Tells whether the call alone has a price: whatever was counted would change nothing. */
export function isPricedByCall(rate: Rate): boolean {
  const text = [rate.input, rate.output, rate.cacheRead, rate.cacheWrite];
  return [...text, ...Object.values(rate.units ?? {})].every((price) => !price);
}

function rateUnits(units: UnitAmounts, rate: Rate, caching: Caching): UnitAmounts | null {
  const amounts: Partial<Record<FurtherUnit, Pico>> = {};
  for (const { name } of FURTHER_UNITS) {
    const count = units[name] ?? 0n;
    if (count === 0n) continue;
    const price = priceOfUnit(name, rate, caching);
    if (price === null) return null;
    amounts[name] = count * price;
  }
  return amounts;
}

/** Nothing of a unit costs nothing, whether it has a price or not. */
function times(count: bigint, price: Pico | null): Pico | null {
  if (count === 0n) return 0n;
  return price === null ? null : count * price;
}

/** Returns what usage comes to; null where something of it has no price. */
export function amountOf(tokens: RatedTokens, rate: Rate, caching: Caching): Pico | null {
  const parts = rateUsage(tokens, rate, caching);
  return parts === null ? null : sumParts(parts);
}

function sumParts(parts: AmountParts): Pico {
  const { uncachedInput, cacheRead, cacheWrite, output, calls, units } = parts;
  const text = uncachedInput + cacheRead + cacheWrite + output + calls;
  return units === null ? text : text + sumUnits(units);
}

/** Sums all amounts of further units, or those on one side of the call. */
function sumUnits(units: UnitAmounts | null, side?: 'input' | 'output' | 'call'): bigint {
  if (units === null) return 0n;
  return FURTHER_UNITS.filter((unit) => side === undefined || unit.side === side).reduce(
    (sum, { name }) => sum + (units[name] ?? 0n),
    0n,
  );
}
