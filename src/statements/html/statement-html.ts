import { hash } from 'node:crypto';
import type { LayerTable } from '../layer-table.ts';
import type { AlignedFigure, LineGroup, LineView } from '../line-groups.ts';
import type { StatementView } from '../statement-view.ts';
import type { Link } from '../words/head-words.ts';
import type { LabeledAmount, LineSection } from '../words/section-words.ts';
import { renderChartSvg } from './chart-svg.ts';
import { escapeHtml, isolate } from './html-text.ts';
import { STATEMENT_STYLE } from './statement-style.ts';

/**
 * Renders one page that needs nothing but itself: no script, no request, and a policy that allows
 * neither. Several statements follow each other, each on a new sheet of paper.
 */
export function renderStatementHtml(views: readonly StatementView[]): string {
  const title = views.map((view) => view.title).join('; ');
  // A picture is in the page itself, or not there.
  const pictures = views.some(({ logo }) => logo !== null) ? '; img-src data:' : '';
  const style = hash('sha256', STATEMENT_STYLE, 'base64');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${style}'${pictures}">`,
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
    view.mark === null ? '<main>' : '<main class="preview">',
    renderHead(view),
    renderDaily(view, `daily-${index + 1}`),
    ...view.sections.map((section) => renderSection(section, view.currency)),
    renderTotals(view.totals),
    renderComparison(view.comparison),
    `<div class="beside">${view.shares.map(renderShares).join('\n')}</div>`,
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
  const number = view.number === null ? '' : `<p>${escapeHtml(view.number)}</p>`;
  const mark = view.mark === null ? '' : `<p class="mark">${escapeHtml(view.mark)}</p>\n`;
  const logo = view.logo === null ? '' : `<img class="logo" src="${escapeHtml(view.logo)}" alt="">`;
  const { issuer, customer } = view;
  return `<header>
${mark}<div class="top"><div>${logo}<p class="issuer">${isolate(issuer.name)}</p>${renderLines(issuer.lines)}</div>
<div class="right soft"><p class="kind">${escapeHtml(view.kind)}</p>${number}<p>Not a tax invoice</p>${view.support.map(renderLink).join('')}</div></div>
<h1${customer.name.length > 60 ? ' class="long"' : ''}>${isolate(customer.name)}</h1>${renderLines(customer.lines)}
<p>${escapeHtml(view.period)}</p>
<p class="soft">${escapeHtml(view.bounds)}. All amounts in ${escapeHtml(view.currency)}.</p>
<dl class="facts">${renderDue(view.due)}
${facts.join('\n')}</dl>${renderProjection(view.projection)}${view.invoices.map(renderLink).join('')}
</header>`;
}

function renderLines(lines: readonly string[]): string {
  return lines.map((line) => `<p class="soft line">${isolate(line)}</p>`).join('');
}

function renderLink({ text, to }: Link): string {
  if (to === null) return `<p class="soft">${isolate(text)}</p>`;
  return `<p class="link"><a href="${escapeHtml(to)}" rel="noopener noreferrer">${isolate(text)}</a></p>`;
}

function renderProjection(projection: StatementView['projection']): string {
  if (projection === null) return '';
  const { label, amount, method } = projection;
  return `\n<p class="projection"><strong>${escapeHtml(label)} ${escapeHtml(amount)}</strong> <span class="soft">${escapeHtml(method)}</span></p>`;
}

/** A long amount is set smaller, so that it stands on one line of the narrowest screen. */
function renderDue({ label, amount, note }: StatementView['due']): string {
  const size = amount.length <= 13 ? 'due' : amount.length <= 20 ? 'due long' : 'due longer';
  const remark = note === null ? '' : `<dd class="remark">${escapeHtml(note)}</dd>`;
  return `<div class="total"><dt>${escapeHtml(label)}</dt><dd class="${size}">${escapeHtml(amount)}</dd>${remark}</div>`;
}

function renderDaily({ daily, currency }: StatementView, id: string): string {
  const heading = '<h2>Daily usage by model</h2>';
  if (daily.series.length === 0) {
    return `<section>${heading}<p class="none">${escapeHtml(daily.summary)}</p></section>`;
  }
  const legend = daily.series.map((name, series) => `<li>${swatch(series)}${isolate(name)}</li>`);
  const columns = ['Day', ...daily.series, 'All'].map(
    (name, index) => `<th scope="col"${index > 0 ? ' class="figure"' : ''}>${isolate(name)}</th>`,
  );
  const labels = [...daily.series, 'All'].map(escapeHtml);
  const cell = (figure: string, index: number) =>
    `<td class="figure${figure === '0.00' ? ' nothing' : ''}" data-label="${labels[index] ?? ''}">${figure}</td>`;
  const row = ([day = '', ...figures]: readonly string[]) =>
    `<tr><th scope="row">${day}</th>${figures.map(cell).join('')}</tr>`;
  return `<section>
<div class="over">${heading}<ul class="legend">${legend.join('')}</ul></div>
${renderChartSvg(daily, { id, currency, size: 'wide' })}
${renderChartSvg(daily, { id: `${id}-narrow`, currency, size: 'narrow' })}
<p class="caption">${escapeHtml(daily.caption)}</p>
<details><summary>The exact figures behind the bars</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Exact charge by day and model"><table class="days"><thead><tr>${columns.join('')}</tr></thead>
<tbody>${daily.rows.map(row).join('\n')}</tbody>
<tfoot>${row(daily.sums)}</tfoot></table></div></details>
</section>`;
}

function renderSection(section: LineSection, currency: string): string {
  const explanation =
    section.explanation === null
      ? ''
      : `<p class="explanation">${escapeHtml(section.explanation)}</p>`;
  const remarks = section.remarks.map(
    ({ label, amount }) =>
      `<li>${escapeHtml(label)} <span class="figure">(${escapeHtml(amount)})</span></li>`,
  );
  const list = remarks.length === 0 ? '' : `<ul class="remarks">${remarks.join('')}</ul>`;
  const head = `<div class="over"><h2>${escapeHtml(section.title)}</h2></div>${explanation}${list}`;
  if (section.groups.length === 0) return `<section>${head}</section>`;
  return `<section>
${head}
<table class="lines">
<thead><tr><th scope="col">Model</th><th scope="col">Meter</th><th scope="col" class="figure">Quantity</th><th scope="col" class="figure">${escapeHtml(currency)} per 1M</th><th scope="col" class="figure">Exact</th><th scope="col" class="figure">Amount</th></tr></thead>
${section.groups.map(renderGroup).join('\n')}
</table>
</section>`;
}

function renderGroup(group: LineGroup): string {
  const subtotal =
    group.subtotal === null
      ? ''
      : `<span class="soft">${escapeHtml(group.subtotal)}<span class="wide"> together</span></span>`;
  const name = `<th scope="rowgroup" rowspan="${group.lines.length}"><span class="name">${group.series === null ? '' : swatch(group.series)}${isolate(group.model)}</span>${subtotal}</th>`;
  const rows = group.lines.map(
    (line, index) =>
      `<tr${line.quantity === '' ? ' class="unpriced"' : ''}>${index === 0 ? name : ''}${renderCells(line)}</tr>`,
  );
  return `<tbody>${rows.join('\n')}</tbody>`;
}

/** A phone shows quantity, rate and exact amount as one sum below the words, and the amount beside them. */
function renderCells(line: LineView): string {
  const unit =
    line.rateUnit === '' ? '<span class="narrow"> / 1M</span>' : escapeHtml(line.rateUnit);
  const isPriced = line.quantity !== '';
  return [
    `<td class="meter">${escapeHtml(line.meter)}</td>`,
    `<td class="figure quantity">${escapeHtml(line.quantity)}</td>`,
    `<td class="figure rate">${isPriced ? '<span class="narrow">× </span>' : ''}${aligned(line.rate)}${isPriced ? unit : ''}</td>`,
    `<td class="figure exact">${isPriced ? '<span class="narrow">= </span>' : ''}${aligned(line.exact)}</td>`,
    `<td class="figure amount">${escapeHtml(line.amount)}</td>`,
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

function renderComparison(comparison: StatementView['comparison']): string {
  if (comparison === null) return '';
  const { summary, models } = comparison;
  const changes = models.map(
    ({ label, amount }) =>
      `<li>${isolate(label)} <span class="figure">${escapeHtml(amount)}</span></li>`,
  );
  const list = changes.length === 0 ? '' : `<ul class="changes">${changes.join('')}</ul>`;
  return `<section><h2>Compared with the period before</h2><p class="compared">${escapeHtml(summary)}</p>${list}</section>`;
}

function renderShares({ title, of, rows, total }: StatementView['shares'][number]): string {
  const row = ({ name, calls, amount }: (typeof rows)[number]) =>
    `<tr><th scope="row">${isolate(name)}</th><td class="figure">${escapeHtml(calls)}</td><td class="figure amount">${escapeHtml(amount)}</td></tr>`;
  return `<section>
<div class="over"><h2>${escapeHtml(title)}</h2></div>
<table class="shares"><thead><tr><th scope="col">${escapeHtml(of)}</th><th scope="col" class="figure">Calls</th><th scope="col" class="figure">Amount</th></tr></thead>
<tbody>${rows.map(row).join('\n')}</tbody><tfoot>${row(total)}</tfoot></table>
</section>`;
}

function renderLayers({ title, explanation, rows }: LayerTable): string {
  const row = ({ name, tokens, exact }: LayerTable['rows'][number]) =>
    `<tr><th scope="row">${escapeHtml(name)}</th><td class="figure">${escapeHtml(tokens)}</td><td class="figure">${escapeHtml(exact)}</td></tr>`;
  return `<section>
<div class="over"><h2>${escapeHtml(title)}</h2></div><p class="explanation">${escapeHtml(explanation.join(' '))}</p>
<table class="by-token"><thead><tr><th scope="col">Layer</th><th scope="col" class="figure">Tokens</th><th scope="col" class="figure">Exact</th></tr></thead>
<tbody>${rows.map(row).join('\n')}</tbody></table>
</section>`;
}

function renderBelow(view: StatementView): string {
  return `<footer class="below">
<div><h2>Notes</h2><ul>${view.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n')}</ul></div>
<div><h2>From the exact sum to the total</h2><table><tbody>${view.reckoning.map(renderAmount).join('\n')}</tbody></table></div>
${renderGlossary(view.glossary)}<p class="hash">${escapeHtml(view.basis)}</p>
</footer>`;
}

function renderGlossary(glossary: StatementView['glossary']): string {
  if (glossary.length === 0) return '';
  const words = glossary.map(
    ({ word, meaning }) => `<div><dt>${escapeHtml(word)}</dt><dd>${escapeHtml(meaning)}</dd></div>`,
  );
  return `<div class="glossary"><h2>Words</h2><dl>${words.join('\n')}</dl></div>\n`;
}

function renderAmount({ label, amount }: LabeledAmount): string {
  return `<tr><th scope="row">${escapeHtml(label)}</th><td class="figure">${escapeHtml(amount)}</td></tr>`;
}

function swatch(series: number): string {
  return `<svg class="swatch" aria-hidden="true"><rect class="s${series}" width="9" height="9"/></svg>`;
}
