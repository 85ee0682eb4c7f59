import { DateTime } from 'luxon';
import PDFDocument from 'pdfkit';
import type { LabeledAmount, StatementView } from '../statement-view.ts';
import { drawChart } from './pdf-chart.ts';
import { drawLayers } from './pdf-layers.ts';
import {
  fits,
  heightOf,
  INK,
  PAGE,
  RULE,
  rule,
  type Sheet,
  SOFT,
  startPage,
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';
import { drawSection } from './pdf-table.ts';

const WIDTH = PAGE.right - PAGE.left;

/** The same page as the HTML on A4. The same statements give the same bytes: its date is the close's. */
export async function renderStatementPdf(views: readonly StatementView[]): Promise<Uint8Array> {
  const closedAt = views.at(-1)?.closedAt ?? '1970-01-01T00:00:00Z';
  const doc = new PDFDocument({
    size: 'A4',
    // From 1.4 on the library adds XMP metadata, and puts the title into that XML unescaped.
    pdfVersion: '1.3',
    // Pages break where the rows do, not where the library would.
    margin: 0,
    bufferPages: true,
    autoFirstPage: false,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: views.map((view) => view.title).join('; '),
      Author: views[0]?.issuer ?? '',
      Creator: 'Spanledger',
      CreationDate: DateTime.fromISO(closedAt).toJSDate(),
    },
  });
  const chunks: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    doc.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  const sheet: Sheet = { doc, y: PAGE.top };
  for (const view of views) drawStatement(sheet, view);
  numberPages(sheet, views);
  doc.end();
  await ended;
  return Buffer.concat(chunks);
}

function drawStatement(sheet: Sheet, view: StatementView): void {
  startPage(sheet);
  drawHead(sheet, view);
  drawFacts(sheet, view);
  drawDaily(sheet, view);
  for (const section of view.sections) drawSection(sheet, section, view.currency);
  drawTotals(sheet, view.totals);
  if (view.layers !== null) drawLayers(sheet, view.layers);
  drawBelow(sheet, view);
}

function drawHead(sheet: Sheet, view: StatementView): void {
  const { left, right, top } = PAGE;
  write(sheet, view.issuer, { size: 13, bold: true, x: left, y: top });
  write(sheet, 'Usage statement', { size: 8.5, color: SOFT, x: left, y: top + 17 });
  writeRight(sheet, 'Not a tax invoice', { size: 8.5, color: SOFT, x: right, y: top + 3 });
  const currency = `All amounts in ${view.currency}`;
  writeRight(sheet, currency, { size: 8.5, color: SOFT, x: right, y: top + 17 });
  const title = { size: 21, bold: true, x: left, y: top + 38, width: WIDTH };
  sheet.y = title.y + writeBlock(sheet, view.tenant, title) + 1;
  write(sheet, view.period, { size: 9, x: left, y: sheet.y });
  write(sheet, view.bounds, { size: 8.5, color: SOFT, x: left, y: sheet.y + 12 });
  sheet.y += 27;
}

const FACTS_AT = [208, 342, 455];

function drawFacts(sheet: Sheet, view: StatementView): void {
  rule(sheet, { y: sheet.y, color: RULE });
  const top = sheet.y + 9;
  const label = { size: 6.8, bold: true, color: SOFT, y: top };
  write(sheet, 'TOTAL DUE', { ...label, x: PAGE.left });
  write(sheet, view.due.amount, { size: 25, bold: true, x: PAGE.left, y: top + 12 });
  let bottom = top + 38;
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

function drawDaily(sheet: Sheet, { daily, currency }: StatementView): void {
  write(sheet, 'Daily usage by model', { size: 10.5, bold: true, x: PAGE.left, y: sheet.y });
  sheet.y += 16;
  if (daily.series.length > 0) drawChart(sheet, daily, currency);
  else write(sheet, daily.summary, { size: 8.5, color: SOFT, x: PAGE.left, y: sheet.y });
  sheet.y += daily.series.length > 0 ? 6 : 24;
}

const TOTALS_AT = 330;

function drawTotals(sheet: Sheet, totals: readonly LabeledAmount[]): void {
  if (!fits(sheet, totals.length * 13 + 22)) startPage(sheet);
  for (const { label, amount } of totals.slice(0, -1)) {
    write(sheet, label, { size: 8.5, x: TOTALS_AT, y: sheet.y });
    writeRight(sheet, amount, { size: 8.5, x: PAGE.right, y: sheet.y });
    sheet.y += 13;
  }
  const total = totals.at(-1);
  if (total === undefined) return;
  rule(sheet, { y: sheet.y + 1, color: INK, from: TOTALS_AT, width: 1 });
  const style = { size: 12, bold: true, y: sheet.y + 8 };
  write(sheet, total.label, { ...style, x: TOTALS_AT });
  writeRight(sheet, total.amount, { ...style, x: PAGE.right });
  sheet.y += 27;
}

const NOTE = { size: 7, color: SOFT };
const RECKONING_AT = 366;
const NOTES_WIDTH = RECKONING_AT - PAGE.left - 24;

/** Notes on the left, the way to the total on the right, the hash across. */
function drawBelow(sheet: Sheet, view: StatementView): void {
  const notesHeight = view.notes.reduce(
    (height, note) => height + heightOf(sheet, note, { ...NOTE, width: NOTES_WIDTH - 8 }) + 1,
    0,
  );
  const height = Math.max(notesHeight, view.reckoning.length * 11) + 34;
  if (!fits(sheet, height)) startPage(sheet);
  rule(sheet, { y: sheet.y, color: RULE });
  const top = sheet.y + 8;
  write(sheet, 'Notes', { ...NOTE, bold: true, color: INK, x: PAGE.left, y: top });
  let y = top + 13;
  for (const note of view.notes) {
    write(sheet, '•', { ...NOTE, x: PAGE.left, y });
    y += writeBlock(sheet, note, { ...NOTE, x: PAGE.left + 8, y, width: NOTES_WIDTH - 8 }) + 1;
  }
  const end = drawReckoning(sheet, view.reckoning, top);
  sheet.y = Math.max(y, end) + 5;
  const hash = `Manifest sha256:${view.manifestHash}, closed ${view.closedAt}`;
  write(sheet, hash, { ...NOTE, x: PAGE.left, y: sheet.y });
}

function drawReckoning(sheet: Sheet, rows: readonly LabeledAmount[], top: number): number {
  const title = { ...NOTE, bold: true, color: INK, x: RECKONING_AT, y: top };
  write(sheet, 'From the exact sum to the total', title);
  let y = top + 13;
  for (const [index, { label, amount }] of rows.entries()) {
    const isLast = index === rows.length - 1;
    if (isLast) rule(sheet, { y: y - 1.5, color: RULE, from: RECKONING_AT });
    const style = { ...NOTE, color: isLast ? INK : SOFT, y: isLast ? y + 2 : y };
    write(sheet, label, { ...style, x: RECKONING_AT });
    writeRight(sheet, amount, { ...style, x: PAGE.right });
    y += 11;
  }
  return y;
}

function numberPages(sheet: Sheet, views: readonly StatementView[]): void {
  const { doc } = sheet;
  const { count } = doc.bufferedPageRange();
  const owner = views.map((view) => view.title).join('; ');
  for (let page = 0; page < count; page += 1) {
    doc.switchToPage(page);
    const place = { ...NOTE, y: PAGE.footer };
    write(sheet, shortened(owner), { ...place, x: PAGE.left });
    writeRight(sheet, `Page ${page + 1} of ${count}`, { ...place, x: PAGE.right });
  }
}

/** What is left is enough to tell loose sheets apart, and surely short enough for one line. */
function shortened(owner: string): string {
  return owner.length > 80 ? `${owner.slice(0, 79)}…` : owner;
}
