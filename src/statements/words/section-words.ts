import type { ManifestLine } from '../../ledger/closes/manifest-lines.ts';
import type { SeriesOf } from '../daily-view.ts';
import { lateWords, remarksOf } from '../late-words.ts';
import { groupLines, type LineGroup } from '../line-groups.ts';
import type { StatementDocument } from '../statement-answer.ts';
import { isUsageLine } from '../statement-document.ts';
import { formatExact } from '../statement-format.ts';

export interface LineSection {
  readonly title: string;
  readonly explanation: string | null;
  /** What of the lines are corrections, or why they are there: a sentence and an exact amount each. */
  readonly remarks: readonly LabeledAmount[];
  readonly groups: readonly LineGroup[];
}

export interface LabeledAmount {
  readonly label: string;
  readonly amount: string;
}

/** The heading of what belongs to a period that nobody was billed for. */
export const NOT_DUE = 'Not due';

/** The heading of what no call caused. */
export const ADJUSTMENTS = 'Adjustments';

/** The heading of what several customers cause together. */
export const SHARED_SPEND = 'Shared spend';

/** Shares of pools, of this period or of an earlier one: no call of the customer's caused them alone. */
export function sharedSpendOf(
  statement: Pick<StatementDocument, 'lines' | 'late_lines'>,
): readonly ManifestLine[] {
  return [...statement.lines, ...statement.late_lines].filter(
    ({ meter }) => meter === 'allocation',
  );
}

/** Returns the reasons of shared spend. */
export function sharedReasonsOf({
  allocations,
}: Pick<StatementDocument, 'allocations'>): readonly LabeledAmount[] {
  return allocations.map(({ pool, reason, exact }) => ({
    label: `${pool}: ${reason}`,
    amount: formatExact(exact),
  }));
}

/** Credits and fees, of this period or of an earlier one, stand together under a heading of their own. */
export function adjustmentsOf(
  statement: Pick<StatementDocument, 'lines' | 'late_lines'>,
): readonly ManifestLine[] {
  return [...statement.lines, ...statement.late_lines].filter(
    ({ meter }) => meter === 'adjustment',
  );
}

export function sectionsOf(
  document: StatementDocument,
  seriesOf: SeriesOf,
): readonly LineSection[] {
  const { currency } = document;
  const own = document.lines.filter(isUsageLine);
  const late = document.late_lines.filter(isUsageLine);
  const adjustments = adjustmentsOf(document);
  const sections: LineSection[] = [
    {
      title: 'Usage by model',
      remarks: remarksOf(document, false),
      explanation: own.length > 0 ? null : 'Nothing was charged for this period.',
      groups: groupLines(own, { seriesOf, currency }),
    },
  ];
  if (late.length > 0) {
    sections.push({
      ...lateWords(document, late),
      // Its days are not among the bars, so it has no colors.
      groups: groupLines(late, { seriesOf: () => null, currency }),
    });
  }
  const shared = sharedSpendOf(document);
  if (shared.length > 0) {
    sections.push({
      title: SHARED_SPEND,
      remarks: sharedReasonsOf(document),
      explanation: 'Your part of costs that several customers cause together.',
      groups: groupLines(shared, { seriesOf, currency }),
    });
  }
  if (adjustments.length > 0) {
    sections.push({
      title: ADJUSTMENTS,
      remarks: [],
      explanation: 'Credits and fees that no call caused, each with its reason.',
      groups: groupLines(adjustments, { seriesOf: () => null, currency }),
    });
  }
  for (const { currency: metered, lines } of document.not_due) {
    sections.push({
      title: metered === currency ? NOT_DUE : `${NOT_DUE} (${metered})`,
      remarks: [],
      explanation:
        'Late usage and corrections of a period that was closed in shadow mode: they are metered, and nothing is due for them. They are in no sum of this statement.',
      groups: groupLines(lines, { seriesOf: () => null, currency: metered }),
    });
  }
  return sections;
}
