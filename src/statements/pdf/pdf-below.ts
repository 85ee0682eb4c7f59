import type { StatementView } from '../statement-view.ts';
import { drawAmount, startOf } from './pdf-amounts.ts';
import {
  artifact,
  fits,
  heightOf,
  INK,
  PAGE,
  RULE,
  rule,
  type Sheet,
  SOFT,
  startPage,
  within,
  write,
  writeBlock,
} from './pdf-sheet.ts';

export const NOTE = { size: 7, color: SOFT };

function reckoningAt(sheet: Sheet, view: StatementView): number {
  return startOf(sheet, view.reckoning, { ...NOTE, usual: 366 });
}

function notesWidth(sheet: Sheet, view: StatementView): number {
  return reckoningAt(sheet, view) - PAGE.left - 32;
}

const UNSHOWN =
  'No font here has some of the characters of a name. They are in the HTML form of this statement.';

/** What was drawn above decides whether characters were missed. */
function notesOf(sheet: Sheet, view: StatementView): readonly string[] {
  return sheet.missed ? [...view.notes, UNSHOWN] : view.notes;
}

export function belowHeight(sheet: Sheet, view: StatementView): number {
  const notesHeight = notesOf(sheet, view).reduce(
    (height, note) =>
      height + heightOf(sheet, note, { ...NOTE, width: notesWidth(sheet, view) }) + 1,
    0,
  );
  return Math.max(notesHeight, view.reckoning.length * 11) + glossaryHeight(sheet, view) + 34;
}

/** Notes on the left, the way to the total on the right, the words and the hash across. */
export function drawBelow(sheet: Sheet, view: StatementView): void {
  if (!fits(sheet, belowHeight(sheet, view))) startPage(sheet);
  rule(sheet, { y: sheet.y, color: RULE });
  const top = sheet.y + 8;
  write(sheet, 'Notes', { ...NOTE, bold: true, color: INK, x: PAGE.left, y: top });
  let y = top + 13;
  within(sheet, 'L', () => {
    for (const note of notesOf(sheet, view)) {
      artifact(sheet, 'Layout', () => write(sheet, '•', { ...NOTE, x: PAGE.left, y }));
      const place = { ...NOTE, x: PAGE.left + 8, y, width: notesWidth(sheet, view) };
      within(sheet, 'LI', () => {
        y += writeBlock(sheet, note, place) + 1;
      });
    }
  });
  const end = drawReckoning(sheet, view, top);
  sheet.y = Math.max(y, end) + 5;
  drawGlossary(sheet, view);
  write(sheet, view.basis, { ...NOTE, x: PAGE.left, y: sheet.y });
}

function drawReckoning(sheet: Sheet, view: StatementView, top: number): number {
  const rows = view.reckoning;
  const from = reckoningAt(sheet, view);
  const title = { ...NOTE, bold: true, color: INK, x: from, y: top };
  write(sheet, 'From the exact sum to the total', title);
  let y = top + 13;
  within(sheet, 'Table', () => {
    for (const [index, row] of rows.entries()) {
      const isLast = index === rows.length - 1;
      if (isLast) rule(sheet, { y: y - 1.5, color: RULE, from });
      const color = isLast ? INK : SOFT;
      drawAmount(sheet, row, { ...NOTE, color, x: from, y: isLast ? y + 2 : y });
      y += 11;
    }
  });
  return y;
}

const GLOSSARY_WIDTH = PAGE.right - PAGE.left;

function glossaryHeight(sheet: Sheet, { glossary }: StatementView): number {
  return glossary.length === 0
    ? 0
    : 7 + heightOf(sheet, textOf(glossary), { ...NOTE, width: GLOSSARY_WIDTH });
}

function drawGlossary(sheet: Sheet, { glossary }: StatementView): void {
  if (glossary.length === 0) return;
  const place = { ...NOTE, x: PAGE.left, y: sheet.y, width: GLOSSARY_WIDTH };
  sheet.y += writeBlock(sheet, textOf(glossary), place) + 7;
}

function textOf(glossary: StatementView['glossary']): string {
  return `Words. ${glossary.map(({ word, meaning }) => `${word}: ${meaning}.`).join(' ')}`;
}
