import { readLogo } from '../../issuer/logo.ts';
import type { StatementView } from '../statement-view.ts';
import {
  artifact,
  INK,
  PAGE,
  RULE,
  rule,
  type Sheet,
  SOFT,
  shorten,
  widthOf,
  within,
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';

const WIDTH = PAGE.right - PAGE.left;

/** Draws who sends the statement, whom it is for, and of which time it is. */
export function drawHead(sheet: Sheet, view: StatementView): void {
  const { left, right, top } = PAGE;
  const soft = { size: 8.5, color: SOFT };
  let y = top;
  if (view.logo !== null) y += drawLogo(sheet, view.logo, y) + 5;
  write(sheet, view.issuer.name, { size: 13, bold: true, x: left, y });
  y += 17;
  for (const line of view.issuer.lines) {
    write(sheet, line, { ...soft, x: left, y });
    y += LINE_HEIGHT;
  }
  writeRight(sheet, view.kind, { size: 8.5, bold: true, x: right, y: top + 1 });
  let rightY = top + 1 + LINE_HEIGHT;
  const number = view.number === null ? [] : [view.number];
  for (const line of [...number, 'Not a tax invoice', ...view.support.map(({ text }) => text)]) {
    const text = shorten(sheet, line, { ...soft, width: 250 });
    writeRight(sheet, text, { ...soft, x: right, y: rightY });
    rightY += LINE_HEIGHT;
  }
  y = Math.max(y, rightY) + 4;
  const { name, lines } = view.customer;
  const title = { size: name.length > LONG_NAME ? 12 : 21, bold: true, x: left, y, width: WIDTH };
  within(sheet, 'H1', () => {
    sheet.y = y + writeBlock(sheet, name, title) + 3;
  });
  for (const line of lines) {
    sheet.y += writeBlock(sheet, line, { ...soft, x: left, y: sheet.y, width: WIDTH });
  }
  if (lines.length > 0) sheet.y += 3;
  write(sheet, view.period, { size: 9, x: left, y: sheet.y });
  const bounds = `${view.bounds}. All amounts in ${view.currency}.`;
  write(sheet, bounds, { ...soft, x: left, y: sheet.y + 12 });
  sheet.y += 27;
}

const LINE_HEIGHT = 11;
const LOGO = { width: 140, height: 38 };

/** Draws the picture within its bounds, and answers its height. It says nothing that the name beside it does not. */
function drawLogo(sheet: Sheet, uri: string, y: number): number {
  const { bytes, width, height } = readLogo(uri);
  const scale = Math.min(LOGO.width / width, LOGO.height / height, 1);
  artifact(sheet, 'Layout', () => {
    sheet.doc.image(bytes, PAGE.left, y, { width: width * scale, height: height * scale });
  });
  return height * scale;
}

const LONG_NAME = 60;

const FACTS_AT = [208, 352, 455];

export function drawFacts(sheet: Sheet, view: StatementView): void {
  rule(sheet, { y: sheet.y, color: RULE });
  const top = sheet.y + 9;
  const label = { size: 6.8, bold: true, color: SOFT, y: top };
  const { due } = view;
  write(sheet, due.label.toUpperCase(), { ...label, x: PAGE.left });
  const amount = { size: dueSize(sheet, due.amount), bold: true, x: PAGE.left, y: top + 12 };
  write(sheet, due.amount, amount);
  let bottom = top + 38;
  if (due.note !== null) {
    const width = (FACTS_AT[0] ?? PAGE.right) - PAGE.left - 12;
    const place = { size: 8.5, color: SOFT, x: PAGE.left, y: bottom + 2, width };
    bottom += writeBlock(sheet, due.note, place) + 2;
  }
  for (const [index, fact] of view.facts.entries()) {
    const x = FACTS_AT[index] ?? PAGE.left;
    const width = (FACTS_AT[index + 1] ?? PAGE.right) - x - (index === 2 ? 0 : 12);
    write(sheet, fact.label.toUpperCase(), { ...label, x });
    let y = top + 12;
    for (const [place, line] of fact.lines.entries()) {
      const color = place === 0 ? INK : SOFT;
      y += writeBlock(sheet, line, { size: 8.5, color, x, y, width });
    }
    bottom = Math.max(bottom, y);
  }
  sheet.y = bottom + 4;
  rule(sheet, { y: sheet.y, color: RULE });
  sheet.y += 13;
}

/** Draws what the whole period would come to, and which invoices bill it. */
export function drawBeneath(sheet: Sheet, { projection, invoices }: StatementView): void {
  for (const { text, to } of invoices) drawLink(sheet, text, to);
  if (projection === null) return;
  const { label, amount, method } = projection;
  const place = { size: 8.5, x: PAGE.left, y: sheet.y - 5, width: WIDTH };
  sheet.y += writeBlock(sheet, `${label} ${amount}. ${method}`, place) + 4;
}

/** An amount of any size stays on its line, beside the facts. */
function dueSize(sheet: Sheet, amount: string): number {
  const room = (FACTS_AT[0] ?? PAGE.right) - PAGE.left - 12;
  const width = widthOf(sheet, amount, { size: 25, bold: true });
  return width <= room ? 25 : Math.max(9, (25 * room) / width);
}

function drawLink(sheet: Sheet, text: string, to: string | null): void {
  const place = { size: 8.5, x: PAGE.left, y: sheet.y - 5 };
  write(sheet, text, to === null ? place : { ...place, color: LINK });
  if (to !== null) sheet.doc.link(place.x, place.y, widthOf(sheet, text, place), 10, to);
  sheet.y += 13;
}

const LINK = '#3554d1';
