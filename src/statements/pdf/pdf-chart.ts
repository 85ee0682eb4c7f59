import { dayLabels, tickLabels } from '../chart-labels.ts';
import { layOutChart } from '../daily-chart.ts';
import type { DailyView } from '../daily-view.ts';
import { SERIES_COLORS } from '../series-colors.ts';
import {
  FAINT,
  figure,
  PAGE,
  type Sheet,
  SOFT,
  shorten,
  swatch,
  widthOf,
  write,
  writeMiddle,
  writeRight,
} from './pdf-sheet.ts';

const BOX = { width: PAGE.right - PAGE.left, height: 84, below: 14 };

const LEGEND = { size: 8 };
const AXIS = { size: 7.5, color: SOFT };
const AXIS_GAP = 7;

/** Draws the same bars as in HTML, from the same geometry. */
export function drawChart(sheet: Sheet, daily: DailyView, currency: string): void {
  drawLegend(sheet, daily);
  figure(sheet, daily.summary, () => drawBars(sheet, daily, currency));
  sheet.y += BOX.height + 2;
  write(sheet, daily.caption, { ...AXIS, x: PAGE.left, y: sheet.y });
  sheet.y += 12;
}

function drawBars(sheet: Sheet, daily: DailyView, currency: string): void {
  // The ticks are the same whatever room is left of them.
  const labels = tickLabels(layOutChart(daily.days, { ...BOX, left: 0 }), currency);
  const left = Math.max(...labels.map((label) => widthOf(sheet, label, AXIS))) + AXIS_GAP;
  const layout = layOutChart(daily.days, { ...BOX, left });
  const { doc, y: top } = sheet;
  for (const [index, { y, amount }] of layout.ticks.entries()) {
    doc
      .moveTo(PAGE.left + left, top + y)
      .lineTo(PAGE.right, top + y)
      .lineWidth(0.6)
      .stroke(amount === 0n ? '#aab1b9' : FAINT);
    const place = { ...AXIS, x: PAGE.left + left - AXIS_GAP, y: top + y - 2.6 };
    writeRight(sheet, labels[index] ?? '', place);
  }
  for (const bar of layout.bars) {
    for (const { series, y, height } of bar.parts) {
      doc.rect(PAGE.left + bar.x, top + y, bar.width, height).fill(SERIES_COLORS[series] ?? SOFT);
    }
  }
  for (const { x, text } of dayLabels(layout, daily)) {
    writeMiddle(sheet, text, { ...AXIS, x: PAGE.left + x, y: top + layout.bottom + 5 });
  }
}

/** Wraps within the margins. */
function drawLegend(sheet: Sheet, daily: DailyView): void {
  let x: number = PAGE.left;
  for (const [series, name] of daily.series.entries()) {
    const text = shorten(sheet, name, { ...LEGEND, width: BOX.width - 12 });
    const width = widthOf(sheet, text, LEGEND) + 11;
    if (x > PAGE.left && x + width > PAGE.right) {
      x = PAGE.left;
      sheet.y += 12;
    }
    swatch(sheet, { x, y: sheet.y - 0.4, color: SERIES_COLORS[series] ?? SOFT });
    write(sheet, text, { ...LEGEND, x: x + 11, y: sheet.y });
    x += width + 14;
  }
  sheet.y += 13;
}
