import { html } from 'hono/html';
import { exportFocus } from '../../exports/focus/export-focus.ts';
import { focusRequest } from '../../exports/focus/focus-answer.ts';
import { exportJournal } from '../../exports/journal/export-journal.ts';
import { journalRequest } from '../../exports/journal/journal-answer.ts';
import { renderJournal } from '../../exports/journal/journal-text.ts';
import type { Parts } from '../../parts.ts';
import { readRequest } from '../../request.ts';
import { PRIVATE } from '../console-headers.ts';
import { monthText } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { actLink, address, dataTable, headOf, link, panel, tabs } from '../view/table.ts';
import { type ConsolePage, said } from './page-asked.ts';

/** The files that other systems of finance read in, each as `export` writes it. */
const EXPORTS = {
  'focus.csv': {
    title: 'FOCUS 1.3, CSV',
    about:
      'one row for each charge, corrections as rows of their own, and a tag for each dimension',
    type: 'text/csv; charset=utf-8',
  },
  'journal.csv': {
    title: 'Journal, CSV',
    about: 'one balanced double entry for each closed period',
    type: 'text/csv; charset=utf-8',
  },
  'journal.beancount': {
    title: 'Journal, beancount',
    about: 'the same in the language of beancount',
    type: 'text/plain; charset=utf-8',
  },
} as const;
export type ExportName = keyof typeof EXPORTS;

/** Tells whether a name is that of one of the files. */
export function isExportName(name: string): name is ExportName {
  return Object.hasOwn(EXPORTS, name);
}

/** Shows the exports of a month for other systems. */
export const exportsPage: ConsolePage = {
  path: '/console/exports',
  async render({ query, freshness, mayAct }): Promise<Page> {
    const month = said(query, 'month') ?? freshness.ended_month;
    // Of a month that runs nothing is closed yet.
    const months = [...new Set([freshness.ended_month, month])];
    const head = headOf('Exports', `the closed periods that begin in ${monthText(month)}`, [
      tabs(
        'Month',
        months.map((name) => ({
          words: monthText(name),
          href: address('/console/exports', { month: name }),
          isTaken: name === month,
        })),
      ),
      actLink({ mayAct }, 'Who sends the statements', { act: 'set-issuer' }),
    ]);
    const rows = Object.entries(EXPORTS).map(([name, of]) => ({ name, ...of }));
    const body = dataTable({
      caption: 'Files of the month',
      rows,
      empty: '',
      columns: [
        {
          title: 'File',
          cell: ({ name, title }) =>
            link(`/console/exports/${encodeURIComponent(month)}/${name}`, title),
        },
        { title: 'What stands in it', cell: ({ about }) => about },
      ],
    });
    const hint = html`<p class="hint">Periods that are open, and those of tenants in shadow, are left out: nothing is due of them yet.</p>`;
    return { title: 'Exports', nav: null, body: html`${head}${panel('Files', [body, hint])}` };
  },
};

/** Answers one of the files, as a document to be kept. */
export async function exportDocument(
  parts: Pick<Parts, 'database' | 'clock'>,
  { name, month }: { readonly name: ExportName; readonly month: string },
): Promise<Response> {
  const headers = {
    ...PRIVATE,
    'content-type': EXPORTS[name].type,
    'content-disposition': `attachment; filename="${month}-${name}"`,
  };
  const of = { month, tenant_id: null };
  if (name === 'focus.csv') {
    const pieces: string[] = [];
    const request = readRequest(focusRequest, { ...of, issuer: null });
    await exportFocus(parts, request, (piece) => {
      pieces.push(piece);
    });
    return new Response(pieces.join(''), { headers });
  }
  const request = readRequest(journalRequest, { ...of, ...USUAL_ACCOUNTS });
  const journal = await exportJournal(parts, request);
  const format = name === 'journal.csv' ? 'csv' : 'beancount';
  return new Response(renderJournal(journal, format), { headers });
}

const USUAL_ACCOUNTS = {
  receivable: null,
  income: null,
  shared: null,
  adjustments: null,
  carried: null,
};
