import { DARK_SERIES_COLORS, SERIES_COLORS } from '../../statements/series-colors.ts';

/** The style of every page of the console and of the customer: at any width, light or dark, and on paper. */
export const STYLE_SHEET = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --ink: #16181d; --soft: #5b6472; --rule: #e2e5ea; --faint: #eff1f4;
  --link: #2a4fd0; --good: #0f7a4d; --good-fill: #159a63; --good-back: #e3f5ec; --warn: #8a5a00; --warn-fill: #d98e04; --warn-back: #fdf0d5; --bad: #b3261e;
  --bad-fill: #d6422f; --bad-back: #fde5e2; --plain-back: #eceef2; --zero: #aab1b9; --act: #16181d; --on-act: #fff; --line: #3554d1; }
@media (prefers-color-scheme: dark) { :root { --page: #0c0e12; --card: #15181e; --ink: #e9ecf1; --soft: #9aa4b2; --rule: #2a303a; --faint: #20252d;
  --link: #8ba6ff; --good: #5fd39b; --good-fill: #2fb57c; --good-back: #143224; --warn: #f0b94b; --warn-fill: #e0a02a; --warn-back: #382a0c; --bad: #ff8f84;
  --bad-fill: #ef6350; --bad-back: #3d1a17; --plain-back: #262c35; --zero: #565e69; --act: #e9ecf1; --on-act: #15181e; --line: #8ba6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
p, h1, h2, h3, ul, ol, dl, dd, figure, fieldset { margin: 0; padding: 0; }
ul { list-style: none; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
p a, td a, dd a { text-underline-offset: 2px; } h1 a, p a:not(.button) { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
.soft { color: var(--soft); }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 8px; z-index: 9; padding: 6px 12px; background: var(--card); }
.top { display: flex; align-items: center; gap: 6px 26px; padding: 0 28px; min-height: 52px; background: var(--card); border-bottom: 1px solid var(--rule); }
.brand { font-weight: 600; color: var(--ink); }
.top nav ul { display: flex; gap: 4px 22px; }
.top nav a { display: block; padding: 15px 0; color: var(--soft); }
.top nav a[aria-current] { color: var(--ink); font-weight: 600; box-shadow: inset 0 -2px var(--ink); }
.badge { color: var(--bad); font-weight: 600; }
.state { display: flex; align-items: center; gap: 14px; margin-left: auto; color: var(--soft); font-size: 13px; }
main { max-width: 1216px; margin: 0 auto; padding: 26px 28px 60px; }
h1 { font-size: 22px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 15px; font-weight: 600; }
h3 { font-size: 13px; font-weight: 600; margin-top: 14px; }
.head { display: flex; flex-wrap: wrap; align-items: flex-end; justify-content: space-between; gap: 10px 24px; margin-bottom: 18px; }
.head .sub { margin-top: 3px; color: var(--soft); } .head p a { text-decoration: underline; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.cards { display: flex; flex-wrap: wrap; gap: 14px; margin-bottom: 16px; }
.part { display: contents; }
.card, .panel { background: var(--card); border: 1px solid var(--rule); border-radius: 11px; }
.card { flex: 1 1 195px; min-width: min-content; max-width: 100%; padding: 15px 18px 14px; overflow-wrap: anywhere; }
.card h2 { font-size: 13px; font-weight: 400; color: var(--soft); }
.big { margin-top: 2px; font-size: 25px; line-height: 1.3; font-weight: 600; letter-spacing: -0.015em; overflow-wrap: break-word; }
.below-figure { margin-top: 3px; font-size: 13px; color: var(--soft); }
.up { color: var(--good); } .down, .below { color: var(--bad); }
.panel { padding: 18px 20px; margin-bottom: 16px; min-width: 0; }
.panel > header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 4px 20px; margin-bottom: 10px; }
.beside { color: var(--soft); font-size: 13px; } .beside > a:not(.button) { text-decoration: underline; }
.two { display: grid; grid-template-columns: minmax(0, 1.55fr) minmax(0, 1fr); gap: 16px; align-items: start; }
.even { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); gap: 16px; align-items: start; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th { text-align: left; font-weight: 400; }
thead th { padding: 0 0 8px 16px; font-size: 12px; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--rule); white-space: nowrap; vertical-align: bottom; }
thead th.figure { white-space: normal; } thead th a { color: inherit; white-space: nowrap; }
thead th[aria-sort="ascending"] a, thead th[aria-sort="descending"] a { color: var(--ink); }
td, tbody th, tfoot th { padding: 8px 0 8px 16px; border-bottom: 1px solid var(--faint); vertical-align: top; }
tr > :first-child { padding-left: 0; }
td, dd { overflow-wrap: break-word; } td > span { overflow-wrap: anywhere; } .panel > p + .scroll, form.row + .scroll, .scroll + .scroll { margin-top: 12px; } td time { white-space: nowrap; }
.rows td > a, .rows th > a, .cut { display: inline-block; max-width: clamp(150px, 15vw, 220px); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; } .rows td > a { max-width: clamp(140px, 14vw, 190px); }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { overflow-wrap: anywhere; min-width: 110px; }
tfoot > tr > * { font-weight: 600; border-top: 1px solid var(--rule); border-bottom: 0; }
.figure { text-align: right; white-space: nowrap; }
.spark { display: block; width: 120px; height: 26px; }
.spark polyline { fill: none; stroke: var(--line); stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
.bar { display: inline-block; width: 72px; height: 6px; border-radius: 3px; vertical-align: middle; }
.card .bar { display: block; width: 100%; margin: 8px 0 5px; }
.ways { text-align: right; }
.bar .track { fill: var(--plain-back); } .bar .good { fill: var(--good-fill); } .bar .warn { fill: var(--warn-fill); } .bar .bad { fill: var(--bad-fill); } .bar .plain { fill: var(--line); }
.bar + * { display: inline-block; min-width: 58px; }
.chip { display: inline-block; padding: 1px 9px; border-radius: 10px; font-size: 12px; font-weight: 600; line-height: 1.6; background: var(--plain-back); color: var(--soft); max-width: 240px; overflow-wrap: break-word; }
.chip.good { background: var(--good-back); color: var(--good); }
.chip.warn { background: var(--warn-back); color: var(--warn); }
.chip.bad { background: var(--bad-back); color: var(--bad); }
.dot { display: inline-block; width: 9px; height: 9px; margin-right: 9px; border-radius: 50%; background: var(--zero); }
.dot.good { background: var(--good-fill); } .dot.warn { background: var(--warn-fill); } .dot.bad { background: var(--bad-fill); }
.pipe li { display: flex; align-items: baseline; gap: 8px; padding: 6px 0; }
.pipe .value { margin-left: auto; font-weight: 600; text-align: right; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 2px 0 10px; font-size: 13px; }
.legend li { overflow-wrap: anywhere; }
.swatch { width: 10px; height: 10px; margin-right: 7px; } .swatch rect { rx: 2.5px; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart.narrow { display: none; }
.chart .grid { stroke: var(--faint); } .chart .zero { stroke: var(--zero); } .chart .axis { fill: var(--soft); font-size: 12px; }
.caption { margin-top: 6px; font-size: 12px; color: var(--soft); }
.none { padding: 22px 0; color: var(--soft); text-align: center; }
details { margin-top: 8px; font-size: 13px; } summary { color: var(--soft); cursor: pointer; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px 24px; }
dt { font-size: 12px; color: var(--soft); } dd { overflow-wrap: anywhere; }
pre, code { font: 12.5px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; padding: 12px 14px; background: var(--faint); border-radius: 8px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.hash { font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
button, .button { display: inline-block; padding: 7px 15px; border: 1px solid var(--act); border-radius: 7px; background: var(--act); color: var(--on-act); font: inherit; font-weight: 600; cursor: pointer; }
.button:hover { text-decoration: none; }
.second { background: var(--card); color: var(--ink); border-color: var(--rule); }
.danger { background: var(--bad-back); color: var(--bad); border-color: var(--bad-back); }
button.quiet { padding: 4px 8px; border: 0; background: none; color: var(--soft); font-weight: 400; }
button.quiet:hover { color: var(--ink); }
form.row { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: end; }
label, legend { display: block; font-size: 12px; color: var(--soft); }
fieldset { border: 0; min-width: 0; }
input, select, textarea { display: block; width: 100%; margin-top: 3px; padding: 7px 10px; border: 1px solid var(--zero); border-radius: 7px; background: var(--card); color: var(--ink); font: inherit; font-size: 14px; line-height: 20px; }
input[type="checkbox"] { display: inline-block; width: auto; margin: 0 7px 0 0; }
form.row label { flex: 0 1 190px; }
form.act { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px 18px; align-items: start; }
.scroll + form.act, .none + form.act, p + form.act, ul + form.act, dl + form.act { margin-top: 18px; }
form.act .wide { grid-column: 1 / -1; }
.hint { font-size: 12px; color: var(--soft); }
.notice { padding: 12px 16px; margin-bottom: 16px; border-radius: 9px; background: var(--plain-back); }
.notice.good { background: var(--good-back); } .notice.warn { background: var(--warn-back); } .notice.bad { background: var(--bad-back); }
.notice h2 + p { margin-top: 3px; }
.sign-in { max-width: 420px; margin: 9vh auto 0; padding: 26px 28px; }
.sign-in h1 { margin-bottom: 4px; } .sign-in form { margin-top: 18px; } .sign-in button { margin-top: 14px; width: 100%; }
.tabs { display: flex; flex-wrap: wrap; gap: 2px; } .tabs a { padding: 4px 11px; border: 1px solid var(--rule); border-radius: 7px; color: var(--soft); background: var(--card); }
.tabs a[aria-current] { color: var(--ink); font-weight: 600; background: var(--plain-back); }
.tree th { white-space: nowrap; } .tree .depth { color: var(--soft); }
.steps li { display: flex; gap: 12px; padding: 7px 0; border-bottom: 1px solid var(--faint); } .steps li:last-child { border: 0; } .steps .chip { flex: none; min-width: 84px; text-align: center; }
.pager { display: flex; justify-content: space-between; gap: 16px; margin-top: 12px; }
.seller { display: flex; gap: 14px; align-items: center; } .seller img, .seller .mark { flex: none; width: 40px; height: 40px; border-radius: 9px; object-fit: contain; }
.seller .mark { display: grid; place-items: center; background: var(--act); color: var(--on-act); font-weight: 600; font-size: 17px; } .seller p { font-weight: 600; }
.customer main { max-width: 996px; } .customer h1 { font-size: 14px; font-weight: 400; color: var(--soft); letter-spacing: 0; } .right { text-align: right; }
.customer .end { margin-top: 20px; text-align: center; color: var(--soft); overflow-wrap: anywhere; }
${SERIES_COLORS.map((color, series) => `.s${series} { fill: ${color}; }`).join('\n')}
@media (prefers-color-scheme: dark) { ${DARK_SERIES_COLORS.map((color, series) => `.s${series} { fill: ${color}; }`).join(' ')} }
@media (max-width: 900px) { .two { grid-template-columns: minmax(0, 1fr); } .rows td[data-title="Detail"] { min-width: 190px; } .ways { white-space: normal; } .top { flex-wrap: wrap; padding: 8px 18px 0; } .state { order: 1; } .top nav { order: 2; flex-basis: 100%; overflow-x: auto; }
  .top nav a { padding: 8px 0 10px; white-space: nowrap; } main { padding: 20px 18px 48px; } }
@media (max-width: 640px) {
  main { padding: 16px 12px 40px; } .top { padding: 8px 14px 0; } .state span { display: none; } .cards { gap: 10px; } .card { flex-basis: 40%; } .cards .card:first-child { flex-basis: 100%; }
  .panel { padding: 15px 14px; } .card { padding: 12px 14px; } .big { font-size: 21px; } .chart.full { display: none; } .chart.narrow { display: block; } .right { text-align: left; }
  .rows, .rows tbody, .rows tr, .rows td, .rows tbody th { display: block; } .rows thead, .rows .minor { display: none; }
  .rows tr { padding: 10px 0; border-bottom: 1px solid var(--rule); } .rows tr:last-child { border: 0; }
  .rows td, .rows tbody th { padding: 2px 0; border: 0; } .rows tbody th { font-weight: 600; }
  .rows td { display: flex; justify-content: flex-end; gap: 6px; text-align: right; white-space: normal; } .rows td::before { content: attr(data-title); margin-right: auto; padding-right: 10px; color: var(--soft); text-align: left; flex: none; }
  .rows td > .bar { align-self: center; flex: none; } .rows td > a, .rows th > a, .cut { max-width: 300px; }
  .tree td { display: flex; }
}
@media print { .top, .actions, form { display: none; } .card, .panel { break-inside: avoid; } body { background: none; } }
`;
