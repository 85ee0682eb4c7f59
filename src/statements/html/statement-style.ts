import { DARK_SERIES_COLORS, SERIES_COLORS } from '../series-colors.ts';

/** The style sheet of a statement: for a screen of any width, light or dark, and for A4. */
export const STATEMENT_STYLE = `
:root { color-scheme: light; --page: #f4f5f7; --paper: #fff; --card: #fff; --ink: #1f2328; --soft: #626b75; --rule: #d9dde2; --faint: #eceff2;
  --zero: #aab1b9; --good: #1a7f37; --bad: #b42318; --warn: #8f4d00; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
main { max-width: 884px; min-width: min-content; margin: 24px auto; padding: 56px 64px; background: var(--paper); box-shadow: 0 1px 4px rgb(0 0 0 / 12%); }
p, h1, h2, dl, dd, ul { margin: 0; padding: 0; }
.soft { color: var(--soft); }
.top { display: flex; justify-content: space-between; gap: 24px; margin-bottom: 30px; }
.issuer { font-size: 18px; font-weight: 650; }
.issuer, .line { overflow-wrap: anywhere; }
.right { text-align: right; }
.logo { display: block; max-width: 200px; max-height: 56px; margin-bottom: 8px; }
h1 + .soft { margin-top: 2px; }
h1 ~ p:not(.soft) { margin-top: 8px; }
a { color: inherit; text-underline-offset: 2px; overflow-wrap: anywhere; }
.link { overflow-wrap: anywhere; }
.facts ~ .link, .facts ~ .soft { margin-top: 10px; }
.compared { margin-top: 6px; }
.changes { display: flex; flex-wrap: wrap; gap: 2px 20px; margin-top: 3px; list-style: none; color: var(--soft); }
.changes li { overflow-wrap: anywhere; }
.changes .figure { color: var(--ink); }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 0 40px; }
.shares { table-layout: fixed; }
.shares th:nth-child(2) { width: 25%; }
.shares th:nth-child(3) { width: 36%; }
.shares td:nth-child(2) { color: var(--soft); }
.kind { color: var(--ink); font-weight: 650; }
.glossary { grid-column: 1 / -1; }
.glossary dl { columns: 2; column-gap: 40px; }
.glossary dl > div { break-inside: avoid; padding-bottom: 3px; }
.glossary dt { display: inline; font-size: inherit; letter-spacing: 0; text-transform: none; color: var(--ink); }
.glossary dt::after { content: ": "; }
.glossary dd { display: inline; }
.mark { margin: -24px 0 26px; padding: 7px 12px; border: 1px solid var(--warn); border-radius: 6px; color: var(--warn); font-weight: 650; }
.projection { margin-top: 12px; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 680; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h1.long { font-size: 18px; }
h2 { font-size: 14px; font-weight: 650; }
.facts { display: flex; flex-wrap: wrap; gap: 14px 24px; margin-top: 16px; padding: 12px 0 14px;
  border: solid var(--rule); border-width: 1px 0; }
dt, thead th { color: var(--soft); font-size: 10px; font-weight: 600; letter-spacing: 0.06em; text-transform: uppercase; }
.facts dd:not(:nth-of-type(1)) { color: var(--soft); }
.facts dd { overflow-wrap: anywhere; }
.facts > div { flex: 1 1 130px; }
.facts > div:nth-child(2) { flex: 1.5 1 175px; }
.facts > .total { flex: 1.4 0 auto; }
.facts > .total:has(.long, .longer) { flex-basis: 100%; }
.facts .due { font-size: 35px; line-height: 1.25; font-weight: 680; letter-spacing: -0.01em; white-space: nowrap; }
.facts .remark { color: var(--soft); }
section { margin-top: 24px; }
.over { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 4px 28px; margin-bottom: 10px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; font-size: 11.5px; }
.legend li { overflow-wrap: anywhere; }
.swatch { flex: none; display: inline-block; width: 9px; height: 9px; margin-right: 7px; }
.swatch rect { width: 9px; height: 9px; rx: 2px; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.narrow { display: none; }
.chart .grid { stroke: var(--faint); }
.chart .zero { stroke: var(--zero); }
.caption { margin-top: 5px; font-size: 11.5px; color: var(--soft); }
.chart .axis { fill: var(--soft); font-size: 10.5px; }
.none { margin-top: 10px; padding: 26px 0; border: solid var(--faint); border-width: 1px 0; color: var(--soft); text-align: center; }
.scroll { overflow-x: auto; contain: inline-size; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 400; vertical-align: top; }
td, tbody th, tfoot th { padding: 4.2px 0 4.2px 18px; border-bottom: 1px solid var(--faint); vertical-align: top; }
thead th { padding: 0 0 6px 18px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child { padding-left: 0; }
th { overflow-wrap: anywhere; }
.lines tbody th { width: 28%; }
.lines .meter { min-width: 104px; }
.lines th > span { display: block; min-width: 116px; }
.lines td, .lines thead th { padding-left: 14px; }
.lines thead th:first-child { padding-left: 0; }
.lines th > .soft { font-size: 11.5px; white-space: nowrap; }
.lines th > .name:has(.swatch) + .soft { padding-left: 16px; }
.explanation { margin: -6px 0 10px; color: var(--soft); }
.remarks { margin: -4px 0 12px; padding-left: 16px; overflow-wrap: anywhere; }
.remarks .figure { color: var(--soft); }
.figure { text-align: right; white-space: nowrap; }
.lines tbody td { color: var(--soft); }
.lines tbody td.figure { color: var(--ink); }
.lines tbody tr:last-child > *, .lines tbody th { border-bottom-color: var(--rule); }
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
@media screen and (max-width: 640px) {
  body { background: var(--paper); font-size: 14px; }
  main { min-width: 0; margin: 0; padding: 20px 16px 28px; box-shadow: none; }
  main + main { margin-top: 24px; border-top: 8px solid var(--page); }
  .wide { display: none; }
  .narrow { display: inline; }
  .chart.narrow { display: block; }
  .top { margin-bottom: 18px; }
  .mark { margin: 0 0 18px; }
  h1 { font-size: 24px; }
  h1.long { font-size: 16px; }
  h2 { font-size: 15px; }
  .unpriced .exact { display: none; }
  .facts, .lines tbody { padding: 14px 16px; border: 1px solid var(--rule); border-radius: 12px; background: var(--card); }
  .facts > div { flex-basis: 40%; }
  .facts > div:nth-child(2) { flex-basis: 100%; }
  .facts > .total { flex: 1 1 100%; }
  .facts .due { font-size: min(35px, 9.4vw); }
  .facts .long { font-size: min(30px, 6.6vw); }
  .facts .longer { font-size: min(22px, 4.4vw); white-space: normal; }
  .lines, .lines tbody, .lines tr { display: block; width: auto; }
  .lines thead { display: none; }
  .lines tbody { margin-bottom: 12px; padding: 4px 16px; }
  .lines tr { display: flex; flex-wrap: wrap; padding: 9px 0; border-bottom: 1px solid var(--rule); }
  .lines tr:last-child { border: 0; }
  .lines tbody tr > * { padding: 0; border: 0; }
  .lines tbody th { flex: 1 0 100%; width: auto; display: flex; justify-content: space-between; gap: 16px; margin-bottom: 9px; padding-bottom: 9px;
    border-bottom: 1px solid var(--rule); font-weight: 650; }
  .lines th > span { min-width: 0; }
  .lines th > .soft { flex: none; color: var(--ink); font-size: 14px; }
  .lines th > .name:has(.swatch) + .soft { padding: 0; }
  .lines tr::after { content: ""; order: 2; flex-basis: 100%; }
  .lines tbody td.meter { order: 0; flex: 1 1 45%; min-width: 0; color: var(--ink); }
  .lines tbody td.amount { order: 1; margin-left: auto; }
  .lines tbody td.quantity, .lines tbody td.rate, .lines tbody td.exact { order: 3; color: var(--soft); text-align: left; }
  .lines tbody td.quantity, .lines tbody td.rate { padding-right: 0.3em; }
  .lines tbody td:empty { display: none; }
  .lacking { display: none; }
  .days, .days tbody, .days tfoot, .days tr, .days td { display: block; }
  .days thead, .days .nothing { display: none; }
  .days tr { padding: 6px 0; border-bottom: 1px solid var(--rule); }
  .days tbody tr:not(:has(td:not(.nothing))) { display: none; }
  .days tr > * { padding: 0; border: 0; }
  .days td { display: flex; justify-content: space-between; gap: 16px; }
  .days td::before { content: attr(data-label); color: var(--soft); overflow-wrap: anywhere; white-space: normal; text-align: left; }
  .shares tr > :not(:first-child), .by-token tr > :not(:first-child) { padding-left: 10px; }
  .shares th:nth-child(2) { width: 23%; }
  .shares th:nth-child(3) { width: 44%; }
  .shares .figure { white-space: normal; overflow-wrap: anywhere; }
  .by-token { font-size: 12px; }
  .by-token tbody th { overflow-wrap: normal; }
  .totals { width: 100%; }
  .glossary dl { columns: 1; }
  .top { flex-wrap: wrap; gap: 6px 24px; }
  .right { text-align: left; }
  .below { grid-template-columns: minmax(0, 1fr); font-size: 12px; }
  .below h2 { font-size: 12px; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --page: #0b0c0f; --paper: #101216; --card: #181b21; --ink: #eceef1; --soft: #9ba4af; --rule: #2d323b; --faint: #23272e;
    --zero: #565e69; --good: #57c878; --bad: #ff8d80; --warn: #f5b13d; }
  main { box-shadow: 0 0 0 1px var(--faint); }
${DARK_SERIES_COLORS.map((color, series) => `  .s${series} { fill: ${color}; }`).join('\n')}
}
@page { size: A4; margin: 12mm 17mm 15mm; }
@page preview { @top-right { content: "Preview, not final"; font: bold 10px system-ui, sans-serif; color: #8f4d00; } }
@page { @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 9px system-ui, sans-serif; color: #6a737d; } }
@media print {
  body { background: none; font-size: 10px; line-height: 1.35; }
  .top { margin-bottom: 12px; }
  .issuer { font-size: 15px; }
  h1 { font-size: 24px; }
  h2 { font-size: 12px; }
  section { margin-top: 11px; }
  .facts { flex-wrap: nowrap; margin-top: 10px; padding: 8px 0 9px; }
  .facts .due { font-size: 26px; }
  dt, thead th { font-size: 8.5px; }
  .legend, .caption, .lines th .soft { font-size: 9.5px; }
  .over { margin-bottom: 6px; }
  .lines td, .lines tbody th { padding-top: 1.5px; padding-bottom: 1.5px; }
  .totals { margin-top: 10px; }
  .totals tr:last-child th, .totals tr:last-child td { font-size: 14px; padding-top: 6px; }
  .below, .below h2 { font-size: 8.5px; }
  .below { grid-template-columns: 1.25fr 1fr; margin-top: 12px; padding-top: 8px; }
  .below h2 { margin-bottom: 3px; }
  main { max-width: none; min-width: 0; margin: 0; padding: 0; box-shadow: none; }
  main.preview { page: preview; }
  .mark { margin: 0 0 10px; padding: 3px 8px; }
  main + main { break-before: page; }
  details { display: none; }
  .scroll { overflow: visible; contain: none; }
  thead { display: table-header-group; }
  tr, .chart, .facts, .totals, .below { break-inside: avoid; }
  h2, .over { break-after: avoid; }
}
`;
