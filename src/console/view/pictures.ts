import { html, raw } from 'hono/html';
import { exactPico } from '../../money.ts';
import { USUAL_WRITING } from '../../statements/chart-writing.ts';
import { type DailyFigures, rankSeries, viewDaily } from '../../statements/daily-view.ts';
import { renderChartSvg } from '../../statements/html/chart-svg.ts';
import type { Html } from './amounts.ts';

const SPARK = { width: 120, height: 26, edge: 3 };

/** Renders the course of some days as a line; said in words by whoever stands around it. */
export function sparkline(amounts: readonly string[], label: string): Html {
  const values = amounts.map((amount) => Number(exactPico(amount)));
  const most = Math.max(1, ...values);
  const least = Math.min(0, ...values);
  const step = (SPARK.width - 2 * SPARK.edge) / Math.max(1, values.length - 1);
  const scale = (SPARK.height - 2 * SPARK.edge) / (most - least);
  const points = values.map((value, day) => {
    const x = tidy(SPARK.edge + day * step);
    return `${x},${tidy(SPARK.height - SPARK.edge - (value - least) * scale)}`;
  });
  return html`<svg class="spark" viewBox="0 0 ${SPARK.width} ${SPARK.height}" role="img" aria-label="${label}"><polyline points="${points.join(' ')}"/></svg>`;
}

/** Renders a part of a whole as a bar; the figure stands beside it, so the bar is not read out. */
export function bar(percentage: string | null, tone: 'good' | 'warn' | 'bad' | 'plain'): Html {
  const share = percentage === null ? 0 : Math.min(100, Math.abs(Number(percentage)));
  return html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="6"/><rect class="${tone}" width="${share}" height="6"/></svg>`;
}

/** Renders stacked bars a day by model, with their legend and the exact figures behind them. */
export function dailyChart(figures: DailyFigures, id: string, writing = USUAL_WRITING): Html {
  const ranking = rankSeries(figures);
  const daily = viewDaily(figures, ranking, writing);
  if (daily.series.length === 0) return html`<p class="none">${daily.summary}</p>`;
  const { currency } = figures;
  const legend = daily.series.map(
    (name, series) =>
      html`<li><svg class="swatch" aria-hidden="true"><rect class="s${series}" width="10" height="10"/></svg><bdi>${name}</bdi></li>`,
  );
  const heads = ['Day', ...daily.series, 'All'].map(
    (name, index) =>
      html`<th scope="col"${index > 0 ? raw(' class="figure"') : ''}><bdi>${name}</bdi></th>`,
  );
  const row = ([day = '', ...cells]: readonly string[]) =>
    html`<tr><th scope="row">${day}</th>${cells.map((cell) => html`<td class="figure">${cell}</td>`)}</tr>`;
  return html`<ul class="legend">${legend}</ul>
${raw(renderChartSvg(daily, { id, currency, size: 'full', writing }))}
${raw(renderChartSvg(daily, { id: `${id}-narrow`, currency, size: 'narrow', writing }))}
<p class="caption">${daily.caption}</p>
<details><summary>The exact figures behind the bars</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Exact charge by day and model"><table><thead><tr>${heads}</tr></thead><tbody>${daily.rows.map(row)}</tbody><tfoot>${row(daily.sums)}</tfoot></table></div></details>`;
}

function tidy(length: number): number {
  return Math.round(length * 10) / 10;
}
