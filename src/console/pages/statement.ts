import { html } from 'hono/html';
import {
  type LineAnswer,
  lineRequest,
  linesRequest,
  type StatementLine,
} from '../../audit/line-answer.ts';
import { listLines, tellLine } from '../../audit/tell-line.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { readRequest } from '../../request.ts';
import { meterName } from '../../statements/line-groups.ts';
import { counted } from '../../text/counted.ts';
import { amount, countText, dayText, type Html, instantOr, monthText } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { chip, dataTable, facts, headOf, link, panel, tenantLink } from '../view/table.ts';
import type { ConsolePage } from './page-asked.ts';

/** The lines of a closed period, each a way to its entries. */
export const linesPage: ConsolePage = {
  path: '/console/statements/:tenant/:month',
  async render({ parts, path }): Promise<Page> {
    const { tenant = '', month = '' } = path;
    const answer = await listLines(
      parts,
      readRequest(linesRequest, { tenant_id: tenant, period: month }),
    );
    const at = `/console/statements/${encodeURIComponent(tenant)}/${month}`;
    // Usage of nobody known has lines to look at, and no statement.
    const ways =
      tenant === UNATTRIBUTED
        ? ''
        : html`${link(`${at}/html`, 'View')} · ${link(`${at}/pdf`, 'PDF')} · ${link(`${at}/proof`, 'Check the proof')}`;
    const body = dataTable({
      caption: 'Lines of the statement',
      rows: answer.lines,
      empty: 'The statement has no line: nothing was charged.',
      columns: [
        {
          title: 'Line',
          cell: ({ number }: StatementLine) => link(`${at}/lines/${number}`, `line ${number}`),
        },
        {
          title: 'Model',
          cell: ({ model, late }: StatementLine) =>
            html`<bdi>${model}</bdi> ${late ? chip('late', 'warn') : ''}`,
        },
        { title: 'Tier', minor: true, cell: ({ service_tier: tier }: StatementLine) => tier },
        {
          title: 'Unit',
          cell: ({ meter }: StatementLine) => meterName(meter as Parameters<typeof meterName>[0]),
        },
        {
          title: 'Quantity',
          figure: true,
          cell: ({ quantity }: StatementLine) => countText(quantity),
        },
        { title: 'Rate', figure: true, cell: ({ rate }: StatementLine) => rate },
        { title: 'Exact', figure: true, cell: ({ exact }: StatementLine) => exact },
        {
          title: 'Amount',
          figure: true,
          cell: ({ amount: of }: StatementLine) => html`<b>${of}</b>`,
        },
      ],
    });
    return {
      title: `Statement of ${tenant}`,
      nav: 'Tenants',
      body: html`${headOf(html`Statement of ${tenantLink(tenant)}`, `${monthText(month)}, period from ${dayText(answer.period_start)}`)}${panel('Lines', body, ways)}`,
    };
  },
};

/** One line with the entries behind it, which sum to it. */
export const linePage: ConsolePage = {
  path: '/console/statements/:tenant/:month/lines/:line',
  async render({ parts, path }): Promise<Page> {
    const { tenant = '', month = '', line = '' } = path;
    const asked = {
      tenant_id: tenant,
      period: month,
      line: Number(line) || 0,
      limit: ENTRIES_SHOWN,
    };
    const answer = await tellLine(parts, readRequest(lineRequest, asked));
    const back = link(`/console/statements/${encodeURIComponent(tenant)}/${month}`, 'all lines');
    return {
      title: `Line ${line} of ${tenant}`,
      nav: 'Tenants',
      body: html`${headOf(html`Line ${line}: <bdi>${answer.line.model}</bdi>`, html`of ${tenantLink(tenant)}, ${monthText(month)} · ${back}`)}${bodyOf(answer)}`,
    };
  },
};

const ENTRIES_SHOWN = 200;

function bodyOf(answer: LineAnswer): Html {
  const { line, currency } = answer;
  const more =
    answer.entries > answer.listed.length
      ? html`<p class="hint">The first ${countText(answer.listed.length)} of ${countText(answer.entries)}; all of them are summed.</p>`
      : '';
  return html`${panel(
    'The line',
    html`${facts([
      ['Unit', meterName(line.meter as Parameters<typeof meterName>[0])],
      ['Quantity', countText(line.quantity)],
      ['Rate', line.rate],
      ['Exact', `${line.exact} ${currency}`],
      ['On the statement', amount(line.amount, currency)],
      ['Sum of its entries', `${answer.exact_sum} ${currency}`],
      ['Frozen in', html`<span class="hash">${answer.manifest_hash}</span>`],
    ])}<p class="hint">${answer.rule}</p>`,
  )}
${panel(
  counted(answer.entries, 'entry', 'entries'),
  html`${dataTable({
    caption: 'Entries of the line',
    rows: answer.listed,
    empty: 'No entry is behind it.',
    columns: [
      { title: 'Entry', cell: ({ entry_id: id }) => link(`/console/entries/${id}`, id) },
      { title: 'Event', cell: ({ event_id: id }) => html`<bdi>${id}</bdi>` },
      { title: 'Completed', cell: ({ occurred_at: at }) => instantOr(at, '') },
      { title: 'Kind', minor: true, cell: ({ kind }) => kind },
      { title: 'Quantity', figure: true, cell: ({ quantity }) => countText(quantity) },
      { title: 'Exact', figure: true, cell: ({ exact }) => exact },
    ],
  })}${more}`,
)}`;
}
