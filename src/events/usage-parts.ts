import type { ReportedCounts } from './foreign/foreign-usage.ts';
import { withoutAbsent } from './foreign/foreign-value.ts';

type Part = Exclude<keyof ReportedCounts, 'input' | 'output' | 'total'>;

/** Parts of a total, and what is counted beside any. */
const PARTS: readonly Part[] = [
  ...(['cacheRead', 'cacheWrite', 'cacheWrite1h', 'reasoning'] as const),
  ...(['inputAudio', 'inputImage', 'inputVideo'] as const),
  ...(['cacheReadAudio', 'cacheReadImage', 'cacheReadVideo'] as const),
  ...(['outputAudio', 'outputImage', 'outputVideo'] as const),
  ...(['searches', 'searchUnits', 'pages'] as const),
];

/** What measures the same as tokens do, so that it only describes a call that is counted in tokens. */
const MEASURES: readonly Part[] = ['images', 'audioMs', 'videoMs', 'characters'];

/** Returns what a second telling of a call's usage adds to the totals of the first. */
export function finerParts(counts: ReportedCounts): ReportedCounts {
  return picked(counts, PARTS);
}

/** Returns the same for a call of which no tokens are counted. */
export function measuresOf(counts: ReportedCounts): ReportedCounts {
  return picked(counts, [...PARTS, ...MEASURES]);
}

function picked(counts: ReportedCounts, names: readonly Part[]): ReportedCounts {
  return withoutAbsent(Object.fromEntries(names.map((name) => [name, counts[name] ?? undefined])));
}
