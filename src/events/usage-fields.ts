import { z } from 'zod';
import type { FurtherUnit, FurtherUnits, UnitName } from '../units.ts';
import { countOnSide, FURTHER_UNITS, partsOf, UNITS } from '../units.ts';
import type { UsageCounts, UsageSource } from './event.ts';
import { totalInput, totalOutput } from './event.ts';
import { count, flag } from './schema-parts.ts';

/** The native event's `usage`: totals with their parts, as producers count, and how they are taken apart. */

const optionalCount = count.nullish();

/** A field that nobody knows was counted by somebody all the same, so that it is a refusal. */
export const usageSchema = z.strictObject(
  {
    input_tokens: optionalCount,
    output_tokens: optionalCount,
    cache_read_tokens: optionalCount,
    cache_write_tokens: optionalCount,
    reasoning_tokens: optionalCount,
    ...furtherFields(),
    estimated: flag().nullish(),
    assumed: flag().nullish(),
  },
  { error: 'an object {input_tokens, output_tokens, …}' },
);

type NativeUsage = z.infer<typeof usageSchema>;

function furtherFields(): Readonly<Record<FurtherUnit, typeof optionalCount>> {
  const fields = FURTHER_UNITS.map(({ name }) => [name, optionalCount]);
  return Object.fromEntries(fields) as Record<FurtherUnit, typeof optionalCount>;
}

/** Takes every part out of its total, so that no token is counted twice (R5, R21). */
export function readUsage(usage: NativeUsage | null): UsageCounts {
  const units = usage === null ? null : furtherUnits(usage);
  const cacheRead = usage?.cache_read_tokens ?? 0;
  const cacheWrite = usage?.cache_write_tokens ?? 0;
  const text = {
    uncachedInput: (usage?.input_tokens ?? 0) - cacheRead - cacheWrite,
    cacheRead,
    cacheWrite,
    output: usage?.output_tokens ?? 0,
    reasoning: usage?.reasoning_tokens ?? 0,
    units,
  };
  if (units === null) return text;
  return {
    ...text,
    uncachedInput: text.uncachedInput - countOf(units, PARTS.input_tokens),
    cacheRead: cacheRead - countOf(units, PARTS.cache_read_tokens),
    cacheWrite: cacheWrite - countOf(units, PARTS.cache_write_tokens),
    output: text.output - countOf(units, PARTS.output_tokens),
  };
}

/** Puts every part into its total again, as an event has them: `readUsage` makes the same counts of it. */
export function writeUsage(counts: UsageCounts): TotalsWithParts {
  const units = counts.units ?? NO_UNITS;
  return {
    input_tokens: totalInput(counts),
    output_tokens: totalOutput(counts),
    cache_read_tokens: counts.cacheRead + countOf(units, PARTS.cache_read_tokens),
    cache_write_tokens: counts.cacheWrite + countOf(units, PARTS.cache_write_tokens),
    reasoning_tokens: counts.reasoning,
    ...units,
  };
}

/** Counts as an event gives them, each total with its parts in it. */
export type TotalsWithParts = Readonly<Partial<Record<UnitName | 'reasoning_tokens', number>>>;

const NO_UNITS: FurtherUnits = {};

/** The further units that each total of text holds. */
const PARTS = {
  input_tokens: furtherPartsOf('input_tokens'),
  cache_read_tokens: furtherPartsOf('cache_read_tokens'),
  cache_write_tokens: furtherPartsOf('cache_write_tokens'),
  output_tokens: furtherPartsOf('output_tokens'),
};

function furtherPartsOf(total: UnitName): readonly FurtherUnit[] {
  return FURTHER_UNITS.filter(({ partOf }) => partOf === total).map(({ name }) => name);
}

function countOf(units: FurtherUnits, names: readonly FurtherUnit[]): number {
  return names.reduce((sum, name) => sum + (units[name] ?? 0), 0);
}

/** Answers null where there are none, which is nearly always, so that no object is made. */
function furtherUnits(usage: NativeUsage): FurtherUnits | null {
  let found: Partial<Record<FurtherUnit, number>> | null = null;
  // The fields that are there are few; asking for each that may be would be felt on the hot path.
  for (const name in usage) {
    if (!isFurtherUnit(name)) continue;
    const counted = usage[name] ?? 0;
    if (counted === 0) continue;
    found ??= {};
    found[name] = counted;
  }
  return found;
}

const FURTHER_NAMES: ReadonlySet<string> = new Set(FURTHER_UNITS.map(({ name }) => name));

function isFurtherUnit(name: string): name is FurtherUnit {
  return FURTHER_NAMES.has(name);
}

/** What each count alone allows but all of them together do not; names the part and its total. */
export function findUsageContradiction(
  usage: NativeUsage | null,
  counts: UsageCounts,
  operation: string | null = null,
): string | null {
  if (usage === null) return null;
  const missing = findMissingTotal(usage, operation);
  if (missing !== null) return missing;
  if (counts.units !== null) {
    const above = findPartsAbove(usage);
    if (above !== null) return above;
  } else if (counts.uncachedInput < 0) {
    return `usage.input_tokens: ${usage.input_tokens} is below cache_read_tokens + cache_write_tokens; input_tokens includes cache tokens`;
  }
  if (counts.reasoning > counts.output) {
    return `usage.reasoning_tokens: ${counts.reasoning} is above ${textOutput(usage, counts)}; output_tokens includes reasoning tokens`;
  }
  return null;
}

function textOutput(usage: NativeUsage, counts: UsageCounts): string {
  if (countOnSide(counts.units, 'output') === 0) return `output_tokens ${counts.output}`;
  const parts = givenParts(usage, 'output_tokens').join(' + ');
  return `output_tokens ${usage.output_tokens} without ${parts}, which is ${counts.output}`;
}

/** Kinds of call that give out no tokens: no count of them is a count of none. */
const WITHOUT_OUTPUT: ReadonlySet<string> = new Set(['embeddings', 'rerank', 'moderation']);

/** Both totals are wanted as soon as any token is counted; a call may count none, but pictures. */
function findMissingTotal(usage: NativeUsage, operation: string | null): string | null {
  const hasInput = usage.input_tokens != null;
  const hasNoOutput = operation !== null && WITHOUT_OUTPUT.has(operation);
  const hasOutput = usage.output_tokens != null || (hasInput && hasNoOutput);
  if (hasInput && hasOutput) return null;
  if (!hasInput && !hasOutput && TOKEN_FIELDS.every((name) => usage[name] == null)) return null;
  return `usage.${hasInput ? 'output' : 'input'}_tokens: is missing; it must be a whole number from 0 to 1000000000000`;
}

const TOKEN_FIELDS = [
  ...UNITS.filter(({ side }) => side !== 'call').map(({ name }) => name),
  'reasoning_tokens',
] as const;

function findPartsAbove(usage: NativeUsage): string | null {
  for (const { name: total } of UNITS) {
    const names = givenParts(usage, total);
    const sum = names.reduce((all, name) => all + (usage[name] ?? 0), 0);
    const whole = usage[total] ?? 0;
    if (sum > whole) {
      return `usage.${names.join(' + ')}: ${sum} is above ${total} ${whole}; ${total} includes ${names.join(' and ')}`;
    }
  }
  return null;
}

function givenParts(usage: NativeUsage, total: UnitName): readonly UnitName[] {
  return partsOf(total)
    .map(({ name }) => name)
    .filter((name) => (usage[name] ?? 0) > 0);
}

export function readUsageSource(usage: NativeUsage | null): UsageSource {
  if (usage?.estimated === true) return 'estimated';
  return usage?.assumed === true ? 'assumed' : 'reported';
}
