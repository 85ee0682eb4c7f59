import { SERIES_COLORS } from '../series-colors.ts';

/** The style sheet of a statement: for a screen of any width, and for A4. */
export const STATEMENT_STYLE = `
:root { color-scheme: light; --ink: #1f2328; --soft: #6a737d; --rule: #d9dde2; --faint: #eceff2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f7; color: var(--ink);
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
main { max-width: 884px; margin: 24px auto; padding: 56px 64px; background: #fff; box-shadow: 0 1px 4px rgb(0 0 0 / 12%); }
p, h1, h2, dl, dd, ul { margin: 0; padding: 0; }
.soft { color: var(--soft); }
.top { display: flex; justify-content: space-between; gap: 24px; margin-bottom: 30px; }
.issuer { font-size: 18px; font-weight: 650; }
.right { text-align: right; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 680; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 14px; font-weight: 650; }
.facts { display: grid; grid-template-columns: 1.35fr 1.15fr 1fr 1fr; gap: 20px; margin-top: 16px; padding: 12px 0 14px;
  border: solid var(--rule); border-width: 1px 0; }
dt, thead th { color: var(--soft); font-size: 10px; font-weight: 600; letter-spacing: 0.06em; text-transform: uppercase; }
.facts dd:not(:nth-of-type(1)) { color: var(--soft); }
.facts dd { overflow-wrap: anywhere; }
.facts .due { font-size: 35px; line-height: 1.25; font-weight: 680; letter-spacing: -0.01em; }
section { margin-top: 24px; }
.over { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 4px 28px; margin-bottom: 10px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; font-size: 11.5px; }
.legend li { overflow-wrap: anywhere; }
.swatch { display: inline-block; width: 9px; height: 9px; margin-right: 7px; }
.swatch rect { width: 9px; height: 9px; rx: 2px; }
.chart { display: block; width: 100%; height: auto; }
.chart .grid { stroke: var(--faint); }
.chart .zero { stroke: #aab1b9; }
.caption { margin-top: 5px; font-size: 11.5px; color: var(--soft); }
.chart .axis { fill: var(--soft); font-size: 10.5px; }
.none { margin-top: 10px; padding: 26px 0; border: solid var(--faint); border-width: 1px 0; color: var(--soft); text-align: center; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 400; vertical-align: top; }
td, tbody th, tfoot th { padding: 4.2px 0 4.2px 18px; border-bottom: 1px solid var(--faint); vertical-align: top; }
thead th { padding: 0 0 6px 18px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child { padding-left: 0; }
th { overflow-wrap: anywhere; }
.lines tbody th { width: 31%; }
.lines th .soft { font-size: 11.5px; }
.lines th .swatch ~ .soft { padding-left: 16px; }
.explanation { margin: -6px 0 10px; color: var(--soft); }
.figure { text-align: right; white-space: nowrap; }
.lines tbody td { color: var(--soft); }
.lines tbody td.figure { color: var(--ink); }
.lines tbody td.exact { color: var(--soft); }
.lacking { visibility: hidden; }
.totals { width: min(360px, 100%); margin: 16px 0 0 auto; }
.totals th, .totals td { border: 0; padding: 2.5px 0; }
.totals tr:last-child th, .totals tr:last-child td { padding-top: 8px; font-size: 17px; font-weight: 680; }
.totals tr:last-child th, .totals tr:last-child td { border-top: 1.5px solid var(--ink); }
.totals tr:nth-last-child(2) > * { padding-bottom: 7px; }
.below { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 8px 40px; margin-top: 30px; padding-top: 14px;
  border-top: 1px solid var(--rule); font-size: 11px; color: var(--soft); }
.below h2 { margin-bottom: 5px; font-size: 11px; color: var(--ink); }
.below th, .below td { padding: 1.5px 0; border: 0; }
.below tr:last-child > * { color: var(--ink); border-top: 1px solid var(--rule); }
.below ul { padding-left: 14px; }
.below .hash { grid-column: 1 / -1; overflow-wrap: anywhere; }
details { margin-top: 6px; font-size: 11.5px; }
summary { color: var(--soft); cursor: pointer; }
details table { margin-top: 8px; font-size: 11px; }
details tbody th { white-space: nowrap; }
details thead th { white-space: normal; overflow-wrap: anywhere; text-transform: none; letter-spacing: 0; }
tfoot > tr > * { font-weight: 650; }
${SERIES_COLORS.map((color, series) => `.s${series} { fill: ${color}; }`).join('\n')}
@media (max-width: 640px) {
  main { margin: 0; padding: 24px 18px; }
  .facts, .below { grid-template-columns: minmax(0, 1fr); }
  .lines { min-width: 640px; }
  .chart { min-width: 520px; }
}
@page { size: A4; margin: 12mm 17mm 15mm; }
@page { @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 9px system-ui, sans-serif; color: #6a737d; } }
@media print {
  body { background: #fff; font-size: 10px; line-height: 1.35; }
  .top { margin-bottom: 12px; }
  .issuer { font-size: 15px; }
  h1 { font-size: 24px; }
  h2 { font-size: 12px; }
  section { margin-top: 11px; }
  .facts { margin-top: 10px; padding: 8px 0 9px; }
  .facts .due { font-size: 29px; }
  dt, thead th { font-size: 8.5px; }
  .legend, .caption, .lines th .soft { font-size: 9.5px; }
  .over { margin-bottom: 6px; }
  .lines td, .lines tbody th { padding-top: 1.5px; padding-bottom: 1.5px; }
  .totals { margin-top: 10px; }
  .totals tr:last-child th, .totals tr:last-child td { font-size: 14px; padding-top: 6px; }
  .below, .below h2 { font-size: 8.5px; }
  .below { grid-template-columns: 1.25fr 1fr; margin-top: 12px; padding-top: 8px; }
  .below h2 { margin-bottom: 3px; }
  main { max-width: none; margin: 0; padding: 0; box-shadow: none; }
  main + main { break-before: page; }
  details { display: none; }
  .scroll { overflow: visible; }
  thead { display: table-header-group; }
  tr, .chart, .facts, .totals, .below { break-inside: avoid; }
  h2, .over { break-after: avoid; }
}
`;
