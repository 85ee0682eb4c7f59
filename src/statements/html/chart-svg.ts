import { dayLabels, formatTick } from '../chart-labels.ts';
import { type ChartLayout, layOutChart } from '../daily-chart.ts';
import type { DailyView } from '../daily-view.ts';
import { escapeHtml } from './html-text.ts';

const WIDTH = 756;
const HEIGHT = 210;
const BOX = { width: WIDTH, height: HEIGHT, left: 46, below: 18 };

/**
 * The bars as inline SVG. Colors are classes `s0` to `s5` of the page's style sheet, since a strict
 * content security policy would refuse style attributes. `id` must be unique in the page.
 */
export function renderChartSvg(
  daily: DailyView,
  of: { readonly id: string; readonly currency: string },
): string {
  const layout = layOutChart(daily.days, BOX);
  return [
    `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${of.id}-title ${of.id}-desc">`,
    `<title id="${of.id}-title">Daily usage by model</title>`,
    `<desc id="${of.id}-desc">${escapeHtml(daily.summary)}</desc>`,
    ...layout.ticks.map(
      ({ y, amount }) =>
        `<line class="${amount === 0n ? 'zero' : 'grid'}" x1="${BOX.left}" x2="${WIDTH}" y1="${y}" y2="${y}"/>` +
        `<text class="axis" x="${BOX.left - 10}" y="${y + 3.5}" text-anchor="end">${formatTick(amount, of.currency)}</text>`,
    ),
    ...layout.bars.map((bar) => renderBar(bar, daily)),
    ...dayLabels(layout, daily).map(
      ({ x, text }) =>
        `<text class="axis" x="${x}" y="${HEIGHT - 4}" text-anchor="middle">${text}</text>`,
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
