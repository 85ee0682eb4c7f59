import { countOf, isCount } from './foreign/foreign-count.ts';
import type { Inclusion, ReportedCounts } from './foreign/foreign-usage.ts';
import { at, firstGiven, isObject, type JsonObject } from './foreign/foreign-value.ts';

/**
 * Anthropic divides an answer into the steps that it took, in `iterations` beside its totals. What the totals hold:
 *
 * | step                            | in the totals | model           | so it is                        |
 * |---------------------------------|---------------|-----------------|---------------------------------|
 * | message                         | yes           | the call's      | counted already                 |
 * | compaction                      | no            | the call's      | added, its cache with it        |
 * | advisor_message, any other      | no            | may be another  | named as apart, usage assumed   |
 *
 * Some versions of LiteLLM add compactions to the totals themselves: the output tells, which is all of a step's.
 * A step's input has no cached tokens in it, which stand beside it.
 */
export function withSteps(reading: Counted, usage: unknown): Counted {
  const steps = stepsIn(usage);
  if (steps.length === 0) return reading;
  const of = (name: string) => steps.filter(({ type }) => type === name);
  const others = steps.filter(({ type }) => type !== 'message' && type !== 'compaction');
  const [messages, compactions] = [sumOf(of('message')), sumOf(of('compaction'))];
  const { counts, inclusion } = reading;
  const output = whole(counts.output);
  const isHeld = compactions.output > 0 && output === messages.output + compactions.output;
  const isChecked = of('message').length === 0 || output === messages.output || isHeld;
  // Of compactions that are held already, nobody says whether their cache is.
  const isKnown = isChecked && !(isHeld && compactions.read + compactions.written > 0);
  const apart = tokensOf(sumOf(others));
  const isWhole = isKnown && apart === 0;
  return {
    counts: isHeld || tokensOf(compactions) === 0 ? counts : plus(counts, inclusion, compactions),
    inclusion: isWhole ? inclusion : { ...inclusion, apart: (inclusion.apart ?? 0) + apart },
  };
}

interface Counted {
  readonly counts: ReportedCounts;
  readonly inclusion: Inclusion;
}

interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly read: number;
  readonly written: number;
  /** A part of what was written. */
  readonly writtenFor1h: number;
}

interface Step extends Tokens {
  readonly type: unknown;
}

function stepsIn(usage: unknown): readonly Step[] {
  const iterations = firstGiven(at(usage, 'iterations'), at(usage, 'usage', 'iterations'));
  return Array.isArray(iterations) ? iterations.filter(isObject).map(stepOf) : [];
}

function stepOf(step: JsonObject): Step {
  const writtenFor1h = whole(at(step, 'cache_creation', 'ephemeral_1h_input_tokens'));
  const split = whole(at(step, 'cache_creation', 'ephemeral_5m_input_tokens')) + writtenFor1h;
  return {
    type: at(step, 'type'),
    input: whole(at(step, 'input_tokens')),
    output: whole(at(step, 'output_tokens')),
    read: whole(at(step, 'cache_read_input_tokens')),
    written: Math.max(whole(at(step, 'cache_creation_input_tokens')), split),
    writtenFor1h,
  };
}

function sumOf(steps: readonly Step[]): Tokens {
  const sum = (part: keyof Tokens) => steps.reduce((all, step) => all + step[part], 0);
  return {
    input: sum('input'),
    output: sum('output'),
    read: sum('read'),
    written: sum('written'),
    writtenFor1h: sum('writtenFor1h'),
  };
}

function tokensOf({ input, output, read, written }: Tokens): number {
  return input + output + read + written;
}

/** A total that is no count is left for the schema to refuse by name. */
function plus(counts: ReportedCounts, { cache }: Inclusion, added: Tokens): ReportedCounts {
  const cached = cache === 'beside' ? 0 : added.read + added.written;
  const more = {
    input: added.input + cached,
    output: added.output,
    total: tokensOf(added),
    cacheRead: added.read,
    cacheWrite: added.written,
    cacheWrite1h: added.writtenFor1h,
  };
  const sums = Object.entries(more).flatMap(([name, count]): [string, unknown][] => {
    const own = countOf(counts[name as keyof typeof more]);
    if (own === undefined && (count === 0 || name === 'total')) return [];
    return isCount(own ?? 0) ? [[name, Number(own ?? 0) + count]] : [];
  });
  return { ...counts, ...Object.fromEntries(sums) };
}

function whole(value: unknown): number {
  const count = countOf(value);
  return isCount(count) ? count : 0;
}
