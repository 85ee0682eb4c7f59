import { expect, it } from 'vitest';
import type { ManifestLayers } from '../../src/ledger/closes/manifest-layers.ts';
import { renderStatementHtml } from '../../src/statements/html/statement-html.ts';
import { viewLayers } from '../../src/statements/layer-table.ts';
import { renderStatementPdf } from '../../src/statements/pdf/statement-pdf.ts';
import type { StatementDocument } from '../../src/statements/statement-answer.ts';
import { renderStatementCsv } from '../../src/statements/statement-csv.ts';
import { renderStatementText } from '../../src/statements/statement-text.ts';
import { viewStatement } from '../../src/statements/statement-view.ts';
import { pdfPages } from './pdf/pdf-text.ts';
import { sampleStatement } from './sample.ts';

/** 1,000,000 x 3.00 + 100,000 x 12.00 a million = 3.00 + 1.20, by layer. */
const LAYERS: ManifestLayers = {
  calls: 1200,
  scaled_calls: 35,
  lines: [
    { layer: 'prompt', tokens: '600000', exact: '1.8' },
    { layer: 'tool', tokens: '400000', exact: '1.2' },
    { layer: 'memory', tokens: '0', exact: '0' },
    { layer: 'response', tokens: '100000', exact: '1.2' },
    { layer: 'other', tokens: '0', exact: '0' },
  ],
};

const USAGE = { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 100_000 };
const WITHOUT = sampleStatement([USAGE]);
const WITH: StatementDocument = { ...WITHOUT, layers: LAYERS };
const viewOf = (document: StatementDocument) => [viewStatement(document, null)];

/** All words of the pages; a line that breaks is one text with the next. */
async function pdfText(document: StatementDocument): Promise<string> {
  return pdfPages(await renderStatementPdf(viewOf(document)))
    .flat()
    .join(' ');
}

it('a statement of calls without layers says nothing of them, in any form', async () => {
  const forms = [
    renderStatementText(WITHOUT),
    renderStatementHtml(viewOf(WITHOUT)),
    renderStatementCsv([WITHOUT]),
    await pdfText(WITHOUT),
  ];
  for (const form of forms) expect(form).not.toMatch(/layer/i);
});

it('its text has a row for each layer with usage, and says how many were scaled', () => {
  const [, after = ''] = renderStatementText(WITH).split('LAYER');
  expect(after.split('\n').slice(0, 7)).toEqual([
    '                                                            TOKENS    EXACT',
    'Prompt                                                          600,000     1.80',
    'Tool results                                                    400,000     1.20',
    'Response                                                        100,000     1.20',
    'What the lines above come to by layer, as 1,200 calls tell them.',
    'Scaled: the layers of 35 of them did not sum to the usage, and share it out by',
    'proportion.',
  ]);
});

it.each([
  [-1, -1, 'some of them'],
  [0, 2, 'some of them'],
  [2, 3, 'some of them'],
  [2, -1, 'some of them'],
  [2, 2, '2 of them'],
  [3, 0, null],
])(
  'it counts no calls of which corrections took back as many or more: %d, %d scaled',
  (calls, scaled_calls, some) => {
    const { explanation } = viewLayers({ ...LAYERS, calls, scaled_calls });
    const told = calls > 0 ? `${calls} calls tell` : 'calls and their corrections tell';
    expect(explanation).toEqual([
      `What the lines above come to by layer, as ${told} them.`,
      ...(some === null
        ? []
        : [
            `Scaled: the layers of ${some} did not sum to the usage, and share it out by proportion.`,
          ]),
    ]);
  },
);

it('its HTML and its PDF have the same rows', async () => {
  const html = renderStatementHtml(viewOf(WITH));
  expect(html).toContain(
    '<th scope="row">Tool results</th><td class="figure">400,000</td><td class="figure">1.20</td>',
  );
  expect(html).toContain('Scaled: the layers of 35');
  const text = await pdfText(WITH);
  for (const words of [
    'Usage by token layer',
    'Tool results',
    '400,000',
    'Scaled: the layers of 35',
  ]) {
    expect(text).toContain(words);
  }
});

it('its CSV has rows of layers without an amount, so that the amounts still add up to the total', () => {
  const rows = renderStatementCsv([WITH])
    .split('\r\n')
    .map((row) => row.split(','));
  const layers = rows.filter((row) => row[5] === 'layer');
  expect(layers.map((row) => row.slice(8, 14))).toEqual(
    LAYERS.lines.map(({ layer, tokens, exact }) => [layer, tokens, '', '', exact, '']),
  );
});
