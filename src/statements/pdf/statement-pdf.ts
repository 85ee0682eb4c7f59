import { DateTime } from 'luxon';
import PDFDocument from 'pdfkit';
import type { LabeledAmount, StatementView } from '../statement-view.ts';
import { drawChart } from './pdf-chart.ts';
import { drawLayers } from './pdf-layers.ts';
import {
  artifact,
  fits,
  heightOf,
  INK,
  PAGE,
  type Place,
  RULE,
  rule,
  type Sheet,
  SOFT,
  type Style,
  shorten,
  startPage,
  widthOf,
  within,
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';
import { drawSection } from './pdf-table.ts';

const WIDTH = PAGE.right - PAGE.left;

/**
 * The same page as the HTML on A4, tagged for screen readers. The same statements give the same bytes where
 * the fonts are the same: its date is the close's. Further fonts come from `folders`, or else from the system.
 */
export async function renderStatementPdf(
  views: readonly StatementView[],
  folders: readonly string[] = [],
): Promise<Uint8Array> {
  const datedAt = views.at(-1)?.datedAt ?? '1970-01-01T00:00:00Z';
  const doc = new PDFDocument({
    size: 'A4',
    pdfVersion: '1.7',
    tagged: true,
    // Pages break where the rows do, not where the library would.
    margin: 0,
    bufferPages: true,
    autoFirstPage: false,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: views.map(plainTitle).join('; '),
      Author: isPlain(views[0]?.issuer ?? '') ? (views[0]?.issuer ?? '') : 'Spanledger',
      Creator: 'Spanledger',
      CreationDate: DateTime.fromISO(datedAt).toJSDate(),
    },
  });
  const chunks: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    doc.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  const root = doc.struct('Document');
  doc.addStructure(root);
  const sheet = {
    doc,
    folders,
    y: PAGE.top,
    element: root,
    isLeaf: false,
    missed: false,
    widths: new Map<string, number>(),
  };
  for (const view of views) within(sheet, 'Sect', () => drawStatement(sheet, view));
  root.end();
  numberPages(sheet, views);
  doc.end();
  await ended;
  return Buffer.concat(chunks);
}

/** The library puts the title into XML as it is, so that a name which would be markup there is left out. */
function plainTitle(view: StatementView): string {
  return isPlain(view.title) ? view.title : `${view.kind} ${view.number ?? ''}`.trim();
}

function isPlain(text: string): boolean {
  return !/[<>&\p{C}]/u.test(text);
}

function drawStatement(sheet: Sheet, view: StatementView): void {
  startPage(sheet);
  drawHead(sheet, view);
  drawFacts(sheet, view);
  drawProjection(sheet, view);
  drawDaily(sheet, view);
  for (const section of view.sections) drawSection(sheet, section, view.currency);
  // A last page of notes alone would be an orphan: the total goes with them.
  if (view.layers === null && !fits(sheet, totalsHeight(view.totals) + belowHeight(sheet, view))) {
    startPage(sheet);
  }
  within(sheet, 'Table', () => drawTotals(sheet, view.totals));
  if (view.layers !== null) drawLayers(sheet, view.layers);
  drawBelow(sheet, view);
}

function drawHead(sheet: Sheet, view: StatementView): void {
  const { left, right, top } = PAGE;
  write(sheet, view.issuer, { size: 13, bold: true, x: left, y: top });
  write(sheet, view.kind, { size: 8.5, color: SOFT, x: left, y: top + 17 });
  if (view.number !== null) {
    writeRight(sheet, view.number, { size: 8.5, color: SOFT, x: right, y: top + 3 });
  }
  writeRight(sheet, 'Not a tax invoice', { size: 8.5, color: SOFT, x: right, y: top + 17 });
  const size = view.tenant.length > LONG_NAME ? 12 : 21;
  const title = { size, bold: true, x: left, y: top + 38, width: WIDTH };
  within(sheet, 'H1', () => {
    sheet.y = title.y + writeBlock(sheet, view.tenant, title) + 3;
  });
  write(sheet, view.period, { size: 9, x: left, y: sheet.y });
  const bounds = `${view.bounds}. All amounts in ${view.currency}.`;
  write(sheet, bounds, { size: 8.5, color: SOFT, x: left, y: sheet.y + 12 });
  sheet.y += 27;
}

const LONG_NAME = 60;

const FACTS_AT = [208, 352, 455];

function drawFacts(sheet: Sheet, view: StatementView): void {
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

function drawProjection(sheet: Sheet, { projection }: StatementView): void {
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

function drawDaily(sheet: Sheet, { daily, currency }: StatementView): void {
  const heading = { size: 10.5, bold: true, x: PAGE.left, y: sheet.y };
  within(sheet, 'H2', () => write(sheet, 'Daily usage by model', heading));
  sheet.y += 16;
  if (daily.series.length > 0) drawChart(sheet, daily, currency);
  else write(sheet, daily.summary, { size: 8.5, color: SOFT, x: PAGE.left, y: sheet.y });
  sheet.y += daily.series.length > 0 ? 6 : 24;
}

function totalsHeight(totals: readonly LabeledAmount[]): number {
  return totals.length * 13 + 22;
}

function drawTotals(sheet: Sheet, totals: readonly LabeledAmount[]): void {
  if (!fits(sheet, totalsHeight(totals))) startPage(sheet);
  const from = startOf(sheet, totals, { size: 12, bold: true, usual: 330 });
  for (const row of totals.slice(0, -1)) {
    drawAmount(sheet, row, { size: 8.5, x: from, y: sheet.y });
    sheet.y += 13;
  }
  const total = totals.at(-1);
  if (total === undefined) return;
  rule(sheet, { y: sheet.y + 1, color: INK, from, width: 1 });
  drawAmount(sheet, total, { size: 12, bold: true, x: from, y: sheet.y + 8 });
  sheet.y += 27;
}

/** Where labels begin, so that none runs into its amount. */
function startOf(
  sheet: Sheet,
  rows: readonly LabeledAmount[],
  { usual, ...style }: Style & { readonly usual: number },
): number {
  const widths = rows.map(
    ({ label, amount }) => widthOf(sheet, label, style) + widthOf(sheet, amount, style),
  );
  return Math.min(usual, PAGE.right - Math.max(...widths) - 14);
}

/** A row of two cells, from `x` to the right margin. */
function drawAmount(sheet: Sheet, { label, amount }: LabeledAmount, place: Place): void {
  within(sheet, 'TR', () => {
    within(sheet, 'TD', () => write(sheet, label, place));
    within(sheet, 'TD', () => writeRight(sheet, amount, { ...place, x: PAGE.right }));
  });
}

const NOTE = { size: 7, color: SOFT };

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

function belowHeight(sheet: Sheet, view: StatementView): number {
  const notesHeight = notesOf(sheet, view).reduce(
    (height, note) =>
      height + heightOf(sheet, note, { ...NOTE, width: notesWidth(sheet, view) }) + 1,
    0,
  );
  return Math.max(notesHeight, view.reckoning.length * 11) + 34;
}

/** Notes on the left, the way to the total on the right, the hash across. */
function drawBelow(sheet: Sheet, view: StatementView): void {
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

const MARK = { size: 8.5, bold: true, color: '#8f4d00' };

function numberPages(sheet: Sheet, views: readonly StatementView[]): void {
  const { doc } = sheet;
  const { count } = doc.bufferedPageRange();
  const owner = views.map((view) => view.title).join('; ');
  const mark = views.find((view) => view.mark !== null)?.mark ?? null;
  for (let page = 0; page < count; page += 1) {
    doc.switchToPage(page);
    const place = { ...NOTE, y: PAGE.footer };
    artifact(sheet, 'Pagination', () => {
      write(sheet, shorten(sheet, owner, { ...NOTE, width: WIDTH - 80 }), {
        ...place,
        x: PAGE.left,
      });
      writeRight(sheet, `Page ${page + 1} of ${count}`, { ...place, x: PAGE.right });
      if (mark !== null) writeRight(sheet, mark, { ...MARK, x: PAGE.right, y: 20 });
    });
  }
}
