/**
 * Reads a count as a number; producers that know only text (Spring AI, AutoGen, Claude Code) write
 * its digits.
 */
export function countOf(value: unknown): unknown {
  if (typeof value !== 'string') return Number.isNaN(value) ? undefined : (value ?? undefined);
  if (NOTHING.test(value)) return undefined;
  return /^\s*\d{1,16}(?:\.0+)?\s*$/.test(value) ? Number(value) : value;
}

/** What languages write for a count that they do not have; older AI SDKs add up what is not there. */
const NOTHING = /^\s*(?:nan|none|null|undefined)?\s*$/i;

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Turns seconds, with a fraction or in text, into whole milliseconds; anything else is handed on.
 */
export function millisecondsOf(seconds: unknown): unknown {
  const number = typeof seconds === 'string' && seconds.trim() !== '' ? Number(seconds) : seconds;
  if (typeof number !== 'number' || !Number.isFinite(number)) return seconds ?? undefined;
  return Math.round(number * 1000);
}

/** The sum of the counts that are given; undefined where none is. What is no count is handed on. */
export function sumOf(values: readonly unknown[]): unknown {
  const counts = values.map(countOf).filter((value) => value !== undefined);
  if (counts.length === 0) return undefined;
  const wrong = counts.find((value) => !isCount(value));
  return wrong === undefined
    ? counts.reduce((sum: number, value) => sum + Number(value), 0)
    : wrong;
}
