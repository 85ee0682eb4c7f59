import { PROOF_CHECKER, type Proof } from '../seals/check-proof.ts';
import { pageSha256 } from '../seals/page-sha256.ts';
import { STATEMENT_STYLE } from './statement-style.ts';

/**
 * One page with the proofs in it that checks them where it is opened: no server, no network, and the
 * same functions that "spanledger prove" runs.
 */
export function renderProofHtml(proofs: readonly Proof[]): string {
  // Within a script element only "<" could end it early.
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
<h1>Proof of a usage statement</h1>
<p class="caption">This page checks itself, here, without a network: that the entries below are among those that were sealed
when the period was closed, and that they sum to the lines of the statement. Compare the hash of the closed period with the one on the statement.</p>
<div id="proofs"></div>
<noscript><p>The check is a script; allow scripts for this file, or run "spanledger prove" on the JSON form.</p></noscript>
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
.verdict { margin-top: 18px; font-size: 18px; font-weight: 680; }
.holds { color: #1a7f37; }
.fails { color: #b42318; }
.steps td { white-space: normal; overflow-wrap: anywhere; }
.entries td, .entries th { font-size: 11px; padding: 2px 10px 2px 0; white-space: nowrap; }
`;

/** Names from the proof reach the page as text only. */
const PAGE_SCRIPT = `
const SHOWN = ['entry_id', 'event_id', 'occurred_at', 'requested_model', 'outcome', 'uncached_input_tokens', 'cache_read_tokens',
  'cache_write_tokens', 'output_tokens', 'charge'];
const MOST_SHOWN = 1000;
function add(parent, name, text, className) {
  const element = parent.appendChild(document.createElement(name));
  if (text !== undefined) element.textContent = text;
  if (className !== undefined) element.className = className;
  return element;
}
function addTable(parent, className, head, rows) {
  const table = add(add(parent, 'div', undefined, 'scroll'), 'table', undefined, className);
  const top = add(add(table, 'thead'), 'tr');
  for (const title of head) add(top, 'th', title);
  const body = add(table, 'tbody');
  for (const row of rows) {
    const line = add(body, 'tr');
    for (const cell of row) add(line, 'td', cell.text, cell.className);
  }
}
for (const proof of JSON.parse(document.getElementById('data').textContent)) {
  const section = add(document.getElementById('proofs'), 'section');
  const steps = checkProof(proof, pageSha256);
  const failed = steps.find((step) => !step.holds);
  add(section, 'p', failed === undefined ? 'The proof holds.' : 'The proof FAILS at step "' + failed.step + '".',
    failed === undefined ? 'verdict holds' : 'verdict fails');
  addTable(section, 'steps', ['Step', '', 'What was checked'], steps.map((step) => [
    { text: step.step }, { text: step.holds ? 'holds' : 'FAILS', className: step.holds ? 'holds' : 'fails' }, { text: step.detail }]));
  const entries = proof.entries.slice(0, MOST_SHOWN).map((entry) => readColumns(entry.shown, shownColumns()));
  add(section, 'h2', proof.entries.length + ' entries' + (proof.entries.length > MOST_SHOWN ? ', the first ' + MOST_SHOWN : '') +
    '; charges in picodollars');
  addTable(section, 'entries', SHOWN, entries.map((entry) => SHOWN.map((name) => ({ text: entry[name] }))));
}
`;
