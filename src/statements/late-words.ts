import type { ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { exactPico } from '../money.ts';
import { counted } from '../text/counted.ts';
import type { StatementCorrection, StatementDocument } from './statement-answer.ts';
import { formatExact, formatMonth } from './statement-format.ts';

/** What stands above the lines of earlier periods. */
export interface LateWords {
  readonly title: string;
  readonly explanation: string;
  readonly remarks: readonly { readonly label: string; readonly amount: string }[];
}

/**
 * A correction is no late usage, and a customer must not read it as such: the heading says which of the
 * two there is, and each correction is told with its month and its reason.
 */
export function lateWords(
  document: Pick<StatementDocument, 'corrections'>,
  lines: readonly ManifestLine[],
): LateWords {
  const remarks = remarksOf(document, true);
  const corrections = document.corrections.filter(({ late }) => late);
  if (corrections.length === 0) {
    return { title: 'Late usage of earlier periods', explanation: LATE, remarks };
  }
  if (sumExact(corrections) === sumExact(lines)) {
    return { title: 'Corrections of earlier periods', explanation: CORRECTED, remarks };
  }
  const title = 'Late usage and corrections of earlier periods';
  return { title, explanation: `${LATE} ${CORRECTED}`, remarks };
}

function sumExact(of: readonly { readonly exact: string }[]): bigint {
  return of.reduce((sum, { exact }) => sum + exactPico(exact), 0n);
}

const LATE =
  'Calls that completed in a period that was closed when they arrived bill here, at the prices of their own day.';
const CORRECTED =
  'What was billed for a period that is closed is put right here; the lines show the difference.';

/**
 * Returns the corrections of earlier periods, or of the period itself, each as a sentence with its
 * amount.
 */
export function remarksOf(
  { corrections }: Pick<StatementDocument, 'corrections'>,
  late: boolean,
): LateWords['remarks'] {
  return corrections
    .filter((correction) => correction.late === late)
    .map((correction) => ({
      label: sentenceOf(correction),
      amount: formatExact(correction.exact),
    }));
}

function sentenceOf({ month, reason, taken_back, replaced, exact }: StatementCorrection): string {
  const count = Math.max(taken_back, replaced);
  const calls = `${counted(count, 'call')} of ${formatMonth(month)}`;
  if (taken_back === 0) return `${calls} added: ${reason}`;
  if (replaced > 0) return `${calls} corrected: ${reason}`;
  return exactPico(exact) < 0n
    ? `Credit for ${calls}: ${reason}`
    : `${calls} taken back: ${reason}`;
}
