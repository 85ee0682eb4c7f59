import { type FurtherUnit, UNITS, type UnitName } from '../units.ts';
import { isCount } from './foreign/foreign-count.ts';
import type { NativeUsage } from './foreign/foreign-usage.ts';
import type { JsonObject } from './foreign/foreign-value.ts';

/**
 * Returns the usage of a call that was reported twice: each side of it as the report has it that divides it further,
 * where the two agree in what both count. Null where the kept report says all that there is, or where the other one
 * contradicts it, so that nobody knows which of them is right.
 */
export function finerUsage(kept: NativeUsage, other: NativeUsage): NativeUsage | null {
  const [own, given] = [kept.usage ?? {}, other.usage ?? {}];
  if (!areCounts(own) || !areCounts(given)) return null;
  if (!hasAny(own)) return hasAny(given) ? other : null;
  const open = SIDES.filter((side) => !doAgree(side, own, given));
  if (!open.every((side) => isLeftOut(side, own, given))) return null;
  if (!SIDES.some((side) => !open.includes(side) && isCounted(side, own, given))) return null;
  const taken = SIDES.filter((side) => isFiner(side, own, given)).flatMap(namesOf);
  if (SEARCHES.every((name) => countOf(own, name) === 0 && countOf(given, name) > 0)) {
    taken.push(...SEARCHES);
  }
  if (taken.length === 0) return null;
  const others = Object.entries(own).filter(([name]) => !taken.includes(name));
  const finer = Object.entries(given).filter(([name]) => taken.includes(name));
  return {
    usage: Object.fromEntries([...others, ...finer]),
    // Two readings that come to the same prove each other; of what one leaves out the other is no proof.
    assumed: open.length === 0 ? kept.assumed && other.assumed : kept.assumed || other.assumed,
    unexplained: (taken.includes(OUTPUT.total) ? other : kept).unexplained,
  };
}

/** Tells whether two reports count the same input and the same output, though one may count parts that the other lacks. */
export function isOneUse(one: JsonObject, other: JsonObject): boolean {
  const isSame = (side: Side) => isCounted(side, one, other) && doAgree(side, one, other);
  // Nearly every pair differs in its output, and spans in a long chain make hundreds of thousands of pairs.
  return isSame(OUTPUT) && isSame(INPUT) && areCounts(one) && areCounts(other);
}

type Counted = UnitName | 'reasoning_tokens';

/** A total of a call with its parts. */
interface Side {
  readonly total: Counted;
  readonly parts: readonly Counted[];
  /** The parts that some producers count beside the total, and leave out where they know only the total. */
  readonly beside: readonly Counted[];
}

const INPUT: Side = {
  total: 'input_tokens',
  parts: partsOn('input'),
  beside: ['cache_read_tokens', 'cache_write_tokens'],
};
const OUTPUT: Side = {
  total: 'output_tokens',
  parts: ['reasoning_tokens', ...partsOn('output')],
  beside: ['reasoning_tokens'],
};
const SIDES = [INPUT, OUTPUT];

/**
 * Searches are charged beside any tokens. Other counts that are in no total measure the same as the tokens do, such as
 * the characters of a speech, and are left to the report that is kept.
 */
const SEARCHES: readonly FurtherUnit[] = ['searches'];

function partsOn(side: 'input' | 'output'): readonly UnitName[] {
  return UNITS.filter((unit) => unit.side === side && unit.partOf !== null).map(({ name }) => name);
}

function namesOf({ total, parts }: Side): string[] {
  return [total, ...parts];
}

function doAgree(side: Side, one: JsonObject, other: JsonObject): boolean {
  const [first, second] = [countOf(one, side.total), countOf(other, side.total)];
  return first === second || isLessParts(side, one, other) || isLessParts(side, other, one);
}

function isCounted({ total }: Side, one: JsonObject, other: JsonObject): boolean {
  return countOf(one, total) > 0 || countOf(other, total) > 0;
}

/** Tells whether one total is the other without just those parts that are counted beside it. */
function isLessParts({ total, beside }: Side, less: JsonObject, whole: JsonObject): boolean {
  let parts = 0;
  for (const name of beside) parts += countOf(whole, name);
  if (parts === 0 || countOf(less, total) + parts !== countOf(whole, total)) return false;
  return beside.every((name) => isEqualOrLacking(countOf(less, name), countOf(whole, name)));
}

function isLeftOut({ total }: Side, one: JsonObject, other: JsonObject): boolean {
  return countOf(one, total) === 0 || countOf(other, total) === 0;
}

function isFiner({ total, parts }: Side, own: JsonObject, given: JsonObject): boolean {
  const pairs = parts.map((name) => [countOf(own, name), countOf(given, name)] as const);
  if (!pairs.every(([mine, others]) => isEqualOrLacking(mine, others))) return false;
  const [less, whole] = [countOf(own, total), countOf(given, total)];
  return whole > less || (whole === less && pairs.some(([mine, others]) => mine < others));
}

function isEqualOrLacking(count: number, whole: number): boolean {
  return count === 0 || count === whole;
}

/** What is no count is refused by its name later on, as the kept report has it. */
function areCounts(usage: JsonObject): boolean {
  return Object.values(usage).every((count) => count === undefined || isCount(count));
}

function hasAny(usage: JsonObject): boolean {
  return Object.values(usage).some((count) => isCount(count) && count > 0);
}

function countOf(usage: JsonObject, name: Counted): number {
  const count = usage[name];
  return isCount(count) ? count : 0;
}
