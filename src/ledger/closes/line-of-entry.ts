import type { EntryGroup, ManifestLine } from './manifest-lines.ts';
import { describeLine, exactLines } from './manifest-lines.ts';

/** What an entry puts into one line of its period's statement; decimal strings, exact. */
export interface LinePart {
  /**
   * The line's place in the manifest, counted from 1. Null where corrections of one period cancel out
   * so that no line is left.
   */
  readonly line: number | null;
  readonly meter: ManifestLine['meter'];
  readonly quantity: string;
  readonly rate: string;
  readonly exact: string;
}

/**
 * Returns the lines of its closed period in which an entry stands, and with how much: one line for
 * each bucket that it was charged for. The parts sum to the entry's charge, and the parts of all
 * entries to their lines. What was not charged, or is not due, stands in no line.
 */
export function linesOfEntry(
  entry: EntryGroup,
  lines: readonly ManifestLine[],
): readonly LinePart[] {
  if (!entry.due) return [];
  return exactLines(entry).map((line) => {
    const part = describeLine(line);
    const index = lines.findIndex((candidate) => lineKey(candidate) === lineKey(part));
    const { meter, quantity, rate, exact } = part;
    return { line: index < 0 ? null : index + 1, meter, quantity, rate, exact };
  });
}

/** Returns all that tells one line of a manifest from another. */
function lineKey(line: Omit<ManifestLine, 'quantity' | 'exact' | 'amount'>): string {
  return JSON.stringify([line.late, line.model, line.service_tier, line.meter, line.rate]);
}
