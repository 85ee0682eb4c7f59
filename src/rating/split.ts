import type { EventMember, UsageCounts, UsageEvent } from '../events/event.ts';
import { totalInput, totalOutput } from '../events/event.ts';
import { allocate } from '../money.ts';
import type { FurtherUnit, FurtherUnits } from '../units.ts';
import { FURTHER_UNITS } from '../units.ts';

/** One member's part of a batched request; the parts of a split sum to the span, exactly (law 2). */
export interface SplitPart {
  readonly usage: UsageCounts;
  /** Millionths of the call; the parts sum to 1,000,000. */
  readonly callShare: number;
}

export const WHOLE_CALL = 1_000_000;

/**
 * Splits every unit over the members in whole units by the largest-remainder method (R7). The weights
 * of a side are the members' own tokens on that side where any member reports some; else their
 * `weight`; else equal. A member that is silent where others speak weighs nothing. What is counted by
 * the call follows the members' parts of the tokens, and without tokens their `weight`.
 */
export function splitUsage(event: UsageEvent, members: readonly EventMember[]): SplitPart[] {
  const { usage } = event;
  const input = weightsOf(members, (member) => member.inputTokens);
  const output = weightsOf(members, (member) => member.outputTokens);
  const uncachedInput = divide(usage.uncachedInput, input);
  const cacheRead = divide(usage.cacheRead, input);
  const cacheWrite = divide(usage.cacheWrite, input);
  const text = divide(usage.output, output);
  // Reasoning is a part of the text: shared out by the text, it never exceeds a member's own.
  const reasoning = divide(usage.reasoning, text.map(BigInt));
  const ofTokens = splitUnits(usage.units, { input, output });
  const parts = members.map((_, index) => ({
    uncachedInput: partAt(uncachedInput, index),
    cacheRead: partAt(cacheRead, index),
    cacheWrite: partAt(cacheWrite, index),
    output: partAt(text, index),
    reasoning: partAt(reasoning, index),
    units: ofTokens === null ? null : partAt(ofTokens, index),
  }));
  const call = callWeights(parts, members);
  const ofCall = splitUnits(usage.units, { call });
  const shares = divide(WHOLE_CALL, call);
  return parts.map((part, index) => ({
    usage: { ...part, units: joined(part.units, ofCall === null ? null : partAt(ofCall, index)) },
    callShare: partAt(shares, index),
  }));
}

type SideWeights = Readonly<Partial<Record<'input' | 'output' | 'call', readonly bigint[]>>>;

/** Each member's counts of the units on the given sides; null where the call has no further unit. */
function splitUnits(units: FurtherUnits | null, weights: SideWeights): FurtherUnits[] | null {
  if (units === null) return null;
  const split = FURTHER_UNITS.flatMap(({ name, side }) => {
    const ofSide = weights[side];
    const total = units[name] ?? 0;
    return ofSide === undefined || total === 0 ? [] : [{ name, counts: divide(total, ofSide) }];
  });
  const members = Object.values(weights)[0]?.length ?? 0;
  return Array.from({ length: members }, (_, index) =>
    Object.fromEntries(
      split
        .map(({ name, counts }): [FurtherUnit, number] => [name, partAt(counts, index)])
        .filter(([, count]) => count > 0),
    ),
  );
}

function joined(tokens: FurtherUnits | null, ofCall: FurtherUnits | null): FurtherUnits | null {
  const units = { ...tokens, ...ofCall };
  return Object.keys(units).length === 0 ? null : units;
}

function divide(total: number, weights: readonly bigint[]): number[] {
  return allocate(BigInt(total), weights).map(Number);
}

/** A part that is missing would charge a member for nothing, or for everything. */
function partAt<Part>(parts: readonly Part[], index: number): Part {
  const part = parts[index];
  if (part === undefined) throw new Error(`member ${index} has no part of its call`);
  return part;
}

/** A member's part of the call itself follows its part of the tokens. */
function callWeights(parts: readonly UsageCounts[], members: readonly EventMember[]): bigint[] {
  const tokens = parts.map((part) => totalInput(part) + totalOutput(part));
  return tokens.some((count) => count > 0) ? tokens.map(BigInt) : ownWeights(members);
}

function weightsOf(
  members: readonly EventMember[],
  ownTokens: (member: EventMember) => number | null,
): bigint[] {
  if (members.some((member) => (ownTokens(member) ?? 0) > 0)) {
    return members.map((member) => BigInt(ownTokens(member) ?? 0));
  }
  return ownWeights(members);
}

/** Weights may be fractions, however small: as whole numbers of one power of ten they keep their ratio. */
function ownWeights(members: readonly EventMember[]): bigint[] {
  const weights = members.map((member) => scientific(member.weight ?? 0));
  const least = Math.min(...weights.map(({ exponent }) => exponent));
  return weights.map(({ digits, exponent }) => digits * 10n ** BigInt(exponent - least));
}

/** Returns a number as JSON writes it, as whole digits times a power of ten: 0.25 is 25 × 10⁻². */
function scientific(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '0', power = '0'] = String(value).split('e');
  const [whole = '0', decimals = ''] = mantissa.split('.');
  return { digits: BigInt(whole + decimals), exponent: Number(power) - decimals.length };
}
