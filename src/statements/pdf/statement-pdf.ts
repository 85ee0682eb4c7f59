import { DateTime } from 'luxon';
import PDFDocument from 'pdfkit';
import type { StatementView } from '../statement-view.ts';
import { drawAmount, startOf } from './pdf-amounts.ts';
import { belowHeight, drawBelow, NOTE } from './pdf-below.ts';
import { drawChart } from './pdf-chart.ts';
import { drawBeneath, drawFacts, drawHead } from './pdf-head.ts';
import { drawLayers } from './pdf-layers.ts';
import { COMPARISON_HEIGHT, drawComparison, drawShares } from './pdf-shares.ts';
import {
  artifact,
  fits,
  INK,
  PAGE,
  rule,
  type Sheet,
  SOFT,
  shorten,
  startPage,
  within,
  write,
  writeRight,
} from './pdf-sheet.ts';
import { drawSection } from './pdf-table.ts';

const WIDTH = PAGE.right - PAGE.left;

/**
 * Renders the same page as the HTML on A4, tagged for screen readers. The same statements give the
 * same bytes where the fonts are the same: its date is the close's. Further fonts come from
 * `folders`, or else from the system.
 */
export async function renderStatementPdf(
  views: readonly StatementView[],
  folders: readonly string[] = [],
): Promise<Uint8Array> {
  const datedAt = views.at(-1)?.datedAt ?? '1970-01-01T00:00:00Z';
  const author = views[0]?.issuer.name ?? '';
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
      Author: isPlain(author) ? author : 'Spanledger',
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
  drawBeneath(sheet, view);
  drawDaily(sheet, view);
  for (const section of view.sections) drawSection(sheet, section, view.currency);
  const last = view.shares.at(-1);
  // A last page of notes alone would be an orphan: what stands before them goes with them.
  const notes = view.layers === null ? belowHeight(sheet, view) : 0;
  if (last === undefined && !fits(sheet, totalsHeight(view) + notes)) startPage(sheet);
  within(sheet, 'Table', () => drawTotals(sheet, view));
  drawComparison(sheet, view.comparison);
  for (const table of view.shares) {
    drawShares(sheet, table, table === last ? notes : 0);
  }
  if (view.layers !== null) drawLayers(sheet, view.layers);
  drawBelow(sheet, view);
}

function drawDaily(sheet: Sheet, { daily, currency }: StatementView): void {
  const heading = { size: 10.5, bold: true, x: PAGE.left, y: sheet.y };
  within(sheet, 'H2', () => write(sheet, 'Daily usage by model', heading));
  sheet.y += 16;
  if (daily.series.length > 0) drawChart(sheet, daily, currency);
  else write(sheet, daily.summary, { size: 8.5, color: SOFT, x: PAGE.left, y: sheet.y });
  sheet.y += daily.series.length > 0 ? 6 : 24;
}

/** What compares the total with another one stands by it. */
function totalsHeight({ totals, comparison }: StatementView): number {
  return totals.length * 13 + 22 + (comparison === null ? 0 : COMPARISON_HEIGHT);
}

function drawTotals(sheet: Sheet, view: StatementView): void {
  const { totals } = view;
  if (!fits(sheet, totalsHeight(view))) startPage(sheet);
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
