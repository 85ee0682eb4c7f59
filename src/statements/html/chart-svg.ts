import { dayLabels, tickLabels } from '../chart-labels.ts';
import { type ChartWriting, USUAL_WRITING } from '../chart-writing.ts';
import { type ChartLayout, layOutChart } from '../daily-chart.ts';
import type { DailyView } from '../daily-view.ts';
import { escapeHtml } from './html-text.ts';

/** A page shows one of the two, so that the words of the axes can be read on any screen. */
const SIZES = {
  full: { width: 1160, height: 270 },
  wide: { width: 756, height: 210 },
  narrow: { width: 350, height: 190 },
} as const;
type ChartSize = keyof typeof SIZES;

/** The widest of system fonts need no more for a letter of an axis. */
const AXIS_LETTER = 7;
const AXIS_GAP = 10;

interface ChartPlace {
  /** It must be unique in the page. */
  readonly id: string;
  readonly currency: string;
  readonly size: ChartSize;
  /** Left out, the chart is written as statements are. */
  readonly writing?: ChartWriting;
}

/**
 * Renders the bars as inline SVG. Colors are classes `s0` to `s5` of the page's style sheet, since
 * a strict content security policy would refuse style attributes.
 */
export function renderChartSvg(
  daily: DailyView,
  { id, currency, size, writing = USUAL_WRITING }: ChartPlace,
): string {
  const box = { ...SIZES[size], left: 0, below: 18 };
  // The ticks are the same whatever room is left of them.
  const labels = tickLabels(layOutChart(daily.days, box), currency, writing);
  const letters = Math.max(...labels.map((label) => label.length));
  const left = Math.ceil(letters * AXIS_LETTER) + AXIS_GAP;
  const layout = layOutChart(daily.days, { ...box, left });
  return [
    `<svg class="chart ${size}" viewBox="0 0 ${box.width} ${box.height}" role="img" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">Daily usage by model</title>`,
    `<desc id="${id}-desc">${escapeHtml(daily.summary)}</desc>`,
    ...layout.ticks.map(
      ({ y, amount }, index) =>
        `<line class="${amount === 0n ? 'zero' : 'grid'}" x1="${left}" x2="${box.width}" y1="${y}" y2="${y}"/>` +
        `<text class="axis" x="${left - AXIS_GAP}" y="${y + 3.5}" text-anchor="end">${escapeHtml(labels[index] ?? '')}</text>`,
    ),
    ...layout.bars.map((bar) => renderBar(bar, daily)),
    ...dayLabels(layout, daily, writing).map(
      ({ x, text }) =>
        `<text class="axis" x="${x}" y="${box.height - 4}" text-anchor="middle">${escapeHtml(text)}</text>`,
    ),
    '</svg>',
  ].join('\n');
}

function renderBar(bar: ChartLayout['bars'][number], daily: DailyView): string {
  const [day = '', ...figures] = daily.rows[bar.day] ?? [];
  const parts = bar.parts.map(
    ({ series, y, height }) =>
      `<rect class="s${series}" x="${bar.x}" y="${y}" width="${bar.width}" height="${height}"/>`,
  );
  if (parts.length === 0) return '';
  const tip = [
    `${day}: ${figures.at(-1)}`,
    ...bar.parts.map(({ series }) => `${daily.series[series]} ${figures[series]}`),
  ].join('\n');
  return `<g><title>${escapeHtml(tip)}</title>${parts.join('')}</g>`;
}
