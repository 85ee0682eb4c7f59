import { hash } from 'node:crypto';
import type { LayerTable } from '../layer-table.ts';
import type { AlignedFigure, LineGroup, LineView } from '../line-groups.ts';
import type { LabeledAmount, LineSection, StatementView } from '../statement-view.ts';
import { renderChartSvg } from './chart-svg.ts';
import { escapeHtml, isolate } from './html-text.ts';
import { STATEMENT_STYLE } from './statement-style.ts';

/**
 * One page that needs nothing but itself: no script, no request, and a policy that allows neither.
 * Several statements follow each other, each on a new sheet of paper.
 */
export function renderStatementHtml(views: readonly StatementView[]): string {
  const title = views.map((view) => view.title).join('; ');
  const style = hash('sha256', STATEMENT_STYLE, 'base64');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${style}'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STATEMENT_STYLE}</style>`,
    '</head>',
    '<body>',
    ...views.map(renderOne),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function renderOne(view: StatementView, index: number): string {
  return [
    '<main>',
    renderHead(view),
    renderDaily(view, `daily-${index + 1}`),
    ...view.sections.map((section) => renderSection(section, view.currency)),
    renderTotals(view.totals),
    ...(view.layers === null ? [] : [renderLayers(view.layers)]),
    renderBelow(view),
    '</main>',
  ].join('\n');
}

function renderHead(view: StatementView): string {
  const facts = view.facts.map(
    ({ label, lines }) =>
      `<div><dt>${escapeHtml(label)}</dt>${lines.map((line) => `<dd>${escapeHtml(line)}</dd>`).join('')}</div>`,
  );
  return `<header>
<div class="top"><div><p class="issuer">${isolate(view.issuer)}</p><p class="soft">Usage statement</p></div>
<div class="right soft"><p>Not a tax invoice</p><p>All amounts in ${escapeHtml(view.currency)}</p></div></div>
<h1>${isolate(view.tenant)}</h1>
<p>${escapeHtml(view.period)}</p>
<p class="soft">${escapeHtml(view.bounds)}</p>
<dl class="facts"><div><dt>Total due</dt><dd class="due">${escapeHtml(view.total)}</dd></div>
${facts.join('\n')}</dl>
</header>`;
}

function renderDaily({ daily, currency }: StatementView, id: string): string {
  const heading = '<h2>Daily usage by model</h2>';
  if (daily.series.length === 0) {
    return `<section>${heading}<p class="none">${escapeHtml(daily.summary)}</p></section>`;
  }
  const legend = daily.series.map((name, series) => `<li>${swatch(series)}${isolate(name)}</li>`);
  const columns = ['UTC day', ...daily.series, 'All'].map(
    (name, index) => `<th scope="col"${index > 0 ? ' class="figure"' : ''}>${isolate(name)}</th>`,
  );
  const row = ([day = '', ...figures]: readonly string[]) =>
    `<tr><th scope="row">${day}</th>${figures.map((figure) => `<td class="figure">${figure}</td>`).join('')}</tr>`;
  return `<section>
<div class="over">${heading}<ul class="legend">${legend.join('')}</ul></div>
<div class="scroll" tabindex="0" role="region" aria-label="Daily usage by model">${renderChartSvg(daily, { id, currency })}</div>
<p class="caption">${escapeHtml(daily.caption)}</p>
<details><summary>The exact figures behind the bars</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Exact charge by day and model"><table><thead><tr>${columns.join('')}</tr></thead>
<tbody>${daily.rows.map(row).join('\n')}</tbody>
<tfoot>${row(daily.sums)}</tfoot></table></div></details>
</section>`;
}

function renderSection(section: LineSection, currency: string): string {
  const explanation =
    section.explanation === null
      ? ''
      : `<p class="explanation">${escapeHtml(section.explanation)}</p>`;
  const head = `<div class="over"><h2>${escapeHtml(section.title)}</h2></div>${explanation}`;
  if (section.groups.length === 0) return `<section>${head}</section>`;
  return `<section>
${head}
<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(section.title)}"><table class="lines">
<thead><tr><th scope="col">Model</th><th scope="col">Meter</th><th scope="col" class="figure">Quantity</th><th scope="col" class="figure">${escapeHtml(currency)} per 1M</th><th scope="col" class="figure">Exact</th><th scope="col" class="figure">Amount</th></tr></thead>
${section.groups.map(renderGroup).join('\n')}
</table></div>
</section>`;
}

function renderGroup(group: LineGroup): string {
  const subtotal =
    group.subtotal === null ? '' : `<div class="soft">${escapeHtml(group.subtotal)} together</div>`;
  const name = `<th scope="rowgroup" rowspan="${group.lines.length}">${group.series === null ? '' : swatch(group.series)}${isolate(group.model)}${subtotal}</th>`;
  const rows = group.lines.map(
    (line, index) => `<tr>${index === 0 ? name : ''}${renderCells(line)}</tr>`,
  );
  return `<tbody>${rows.join('\n')}</tbody>`;
}

function renderCells(line: LineView): string {
  return [
    `<td>${escapeHtml(line.meter)}</td>`,
    `<td class="figure">${escapeHtml(line.quantity)}</td>`,
    `<td class="figure">${aligned(line.rate)}${escapeHtml(line.rateUnit)}</td>`,
    `<td class="figure exact">${aligned(line.exact)}</td>`,
    `<td class="figure">${escapeHtml(line.amount)}</td>`,
  ].join('');
}

/** Invisible zeros put the decimal points of a column below each other. */
function aligned({ text, lacking }: AlignedFigure): string {
  if (lacking === 0) return escapeHtml(text);
  return `${escapeHtml(text)}<span class="lacking" aria-hidden="true">${'0'.repeat(lacking)}</span>`;
}

function renderTotals(totals: readonly LabeledAmount[]): string {
  return `<table class="totals"><caption hidden>Total</caption><tbody>${totals.map(renderAmount).join('\n')}</tbody></table>`;
}

function renderLayers({ title, explanation, rows }: LayerTable): string {
  const row = ({ name, tokens, exact }: LayerTable['rows'][number]) =>
    `<tr><th scope="row">${escapeHtml(name)}</th><td class="figure">${escapeHtml(tokens)}</td><td class="figure">${escapeHtml(exact)}</td></tr>`;
  return `<section>
<div class="over"><h2>${escapeHtml(title)}</h2></div><p class="explanation">${escapeHtml(explanation.join(' '))}</p>
<table><thead><tr><th scope="col">Layer</th><th scope="col" class="figure">Tokens</th><th scope="col" class="figure">Exact</th></tr></thead>
<tbody>${rows.map(row).join('\n')}</tbody></table>
</section>`;
}

function renderBelow(view: StatementView): string {
  return `<footer class="below">
<div><h2>Notes</h2><ul>${view.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n')}</ul></div>
<div><h2>From the exact sum to the total</h2><table><tbody>${view.reckoning.map(renderAmount).join('\n')}</tbody></table></div>
<p class="hash">Manifest sha256:${escapeHtml(view.manifestHash)}, closed ${escapeHtml(view.closedAt)}</p>
</footer>`;
}

function renderAmount({ label, amount }: LabeledAmount): string {
  return `<tr><th scope="row">${escapeHtml(label)}</th><td class="figure">${escapeHtml(amount)}</td></tr>`;
}

function swatch(series: number): string {
  return `<svg class="swatch" aria-hidden="true"><rect class="s${series}" width="9" height="9"/></svg>`;
}
