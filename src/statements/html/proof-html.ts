import { PROOF_CHECKER } from '../../seals/proofs/check-proof.ts';
import { pageSha256 } from '../../seals/proofs/page-sha256.ts';
import type { Proof } from '../../seals/proofs/proof.ts';
import { FURTHER_UNITS, pricedTogether } from '../../units.ts';
import { STATEMENT_STYLE } from './statement-style.ts';

/**
 * Renders one page with the proofs in it that checks them where it is opened: no server, no
 * network, and the same functions that the command line runs.
 */
export function renderProofHtml(proofs: readonly Proof[]): string {
  // Inside a script element only "<" could end it early.
  const data = JSON.stringify(proofs).replaceAll('<', '\\u003c');
  const functions = [...PROOF_CHECKER, pageSha256].map(String).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Proof of a usage statement</title>
<style>${STATEMENT_STYLE}${PAGE_STYLE}</style>
</head>
<body>
<main>
<p class="issuer">Proof of a usage statement</p>
<p class="soft">This page checks itself, here, without a network: that the entries below are among those that were sealed
when the period was closed, and that they sum to the lines of the statement. Compare the hash of the closed period with the one on the statement.</p>
<div id="proofs"></div>
<noscript><p>The check is a script; allow scripts for this file, or have the JSON form checked at a terminal.</p></noscript>
</main>
<script type="application/json" id="data">${data}</script>
<script>
${functions}
${PAGE_SCRIPT}
</script>
</body>
</html>
`;
}

const PAGE_STYLE = `
.verdict { margin-top: 14px; font-size: 18px; font-weight: 680; }
.holds { color: var(--good); }
.fails { color: var(--bad); }
.steps td:first-child, .steps td:nth-child(2) { white-space: nowrap; }
.steps td:last-child { width: 100%; overflow-wrap: anywhere; }
.steps, .entries { margin-top: 12px; }
.entries td, .entries th { padding-left: 12px; font-size: 11px; white-space: nowrap; }
.entries th.figure { text-align: right; }
.steps td:first-child, .entries td:first-child, .entries th:first-child { padding-left: 0; }
`;

/** The words of each unit beside text, and how many of it are one of what the words name. */
const UNIT_WORDS = Object.fromEntries(
  FURTHER_UNITS.map((unit) => {
    const together = unit.price.per === 'second' ? Number(pricedTogether(unit)) : 1;
    return [unit.name, { words: unit.words, together }];
  }),
);

/** Names from the proof reach the page as text only. */
const PAGE_SCRIPT = `
const SHOWN = { entry_id: 'Entry', event_id: 'Event', occurred_at: 'Completed at', requested_model: 'Model', outcome: 'Outcome',
  uncached_input_tokens: 'Input', cache_read_tokens: 'Cache read', cache_write_tokens: 'Cache write', output_tokens: 'Output',
  units: 'Other units', charge: 'Charge' };
const UNITS = ${JSON.stringify(UNIT_WORDS)};
const FIGURES = /_tokens$|^charge$/;
const MOST_SHOWN = 1000;
function add(parent, name, text, className) {
  const element = parent.appendChild(document.createElement(name));
  if (text !== undefined) element.textContent = text;
  if (className !== undefined) element.className = className;
  return element;
}
function addTable(parent, className, head, rows) {
  const scroll = add(parent, 'div', undefined, 'scroll');
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', 'Table: ' + className);
  const table = add(scroll, 'table', undefined, className);
  const top = add(add(table, 'thead'), 'tr');
  for (const cell of head) add(top, 'th', cell.text, cell.className);
  const body = add(table, 'tbody');
  for (const row of rows) {
    const line = add(body, 'tr');
    for (const cell of row) add(line, 'td', cell.text, cell.className);
  }
}
const RIGHT_TO_LEFT = /[\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc]/;
function isolated(text, name) {
  return RIGHT_TO_LEFT.test(name) ? text.replaceAll(name, '\\u2068' + name + '\\u2069') : text;
}
function plural(count, one, many) {
  return count + ' ' + (count === 1 ? one : many);
}
function readManifest(proof) {
  try {
    return JSON.parse(proof.manifest);
  } catch {
    return {};
  }
}
function inMajorUnit(pico) {
  const digits = pico.replace('-', '').padStart(13, '0');
  return (pico.startsWith('-') ? '-' : '') + digits.slice(0, -12) + '.' + digits.slice(-12);
}
function unitsText(text) {
  return Object.entries(JSON.parse(text || '{}')).map(([name, count]) => {
    const { words, together } = UNITS[name] || { words: [name, name], together: 1 };
    return count / together + ' ' + words[count === together ? 0 : 1];
  }).join(', ');
}
function cellText(name, entry) {
  if (name === 'units') return unitsText(entry.units);
  return name === 'charge' ? inMajorUnit(entry.charge) : entry[name];
}
function addHead(section, proof, frozen, failed) {
  add(section, 'h1', frozen.tenant_id);
  add(section, 'p', frozen.starts_at + ' to ' + frozen.ends_at + ', ' + frozen.time_zone, 'soft');
  add(section, 'p', failed === undefined ? 'The proof holds.' : 'The proof FAILS at step "' + failed.step + '".',
    failed === undefined ? 'verdict holds' : 'verdict fails');
  const facts = add(section, 'dl', undefined, 'facts');
  const lines = plural(proof.lines.length, 'line', 'lines');
  for (const [title, text] of [['Total of the statement', frozen.charge_total + ' ' + frozen.currency],
    ['Proven here', lines + ', ' + plural(proof.entries.length, 'entry', 'entries')],
    ['In the whole period', plural(frozen.entries, 'entry', 'entries')]]) {
    const fact = add(facts, 'div');
    add(fact, 'dt', title);
    add(fact, 'dd', text);
  }
}
for (const proof of JSON.parse(document.getElementById('data').textContent)) {
  const section = add(document.getElementById('proofs'), 'section');
  const frozen = readManifest(proof);
  const steps = checkProof(proof, pageSha256);
  addHead(section, proof, frozen, steps.find((step) => !step.holds));
  addTable(add(section, 'section'), 'steps', [{ text: 'Step' }, { text: 'Result' }, { text: 'What was checked' }], steps.map((step) => [
    { text: step.step }, { text: step.holds ? 'holds' : 'FAILS', className: step.holds ? 'holds' : 'fails' }, { text: isolated(step.detail, frozen.tenant_id) }]));
  const entries = proof.entries.slice(0, MOST_SHOWN).map((entry) => readColumns(entry.shown, shownColumns()));
  const list = add(section, 'section');
  add(list, 'h2', plural(proof.entries.length, 'entry', 'entries') +
    (proof.entries.length > MOST_SHOWN ? ', the first ' + MOST_SHOWN : '') + '; charges in ' + frozen.currency);
  const cell = (name, text) => ({ text, className: FIGURES.test(name) ? 'figure' : undefined });
  addTable(list, 'entries', Object.entries(SHOWN).map(([name, title]) => cell(name, title)), entries.map((entry) =>
    Object.keys(SHOWN).map((name) => cell(name, cellText(name, entry)))));
}
`;
