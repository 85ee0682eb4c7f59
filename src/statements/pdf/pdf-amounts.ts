import type { LabeledAmount } from '../words/section-words.ts';
import {
  PAGE,
  type Place,
  type Sheet,
  type Style,
  widthOf,
  within,
  write,
  writeRight,
} from './pdf-sheet.ts';

/** Returns where labels begin, so that none runs into its amount. */
export function startOf(
  sheet: Sheet,
  rows: readonly LabeledAmount[],
  { usual, ...style }: Style & { readonly usual: number },
): number {
  const widths = rows.map(
    ({ label, amount }) => widthOf(sheet, label, style) + widthOf(sheet, amount, style),
  );
  return Math.min(usual, PAGE.right - Math.max(...widths) - 14);
}

/** Draws a row of two cells, from `x` to the right margin. */
export function drawAmount(sheet: Sheet, { label, amount }: LabeledAmount, place: Place): void {
  within(sheet, 'TR', () => {
    within(sheet, 'TD', () => write(sheet, label, place));
    within(sheet, 'TD', () => writeRight(sheet, amount, { ...place, x: PAGE.right }));
  });
}
