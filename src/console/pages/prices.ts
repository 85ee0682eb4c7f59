import { html } from 'hono/html';
import { monthAfter } from '../../clock.ts';
import { comparePriceBooks } from '../../rating/books/compare-price-books.ts';
import {
  type BookVersionRow,
  bookRequest,
  type CompareAnswer,
  compareRequest,
} from '../../rating/books/price-book-answer.ts';
import { listPriceBooks, showPriceBook } from '../../rating/books/show-price-books.ts';
import { costDriftRequest, type DriftRow } from '../../reports/cost-drift-answer.ts';
import { reportCostDrift } from '../../reports/report-cost-drift.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { amount, countText, type Html, instantOr, monthText, percent } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import {
  actLink,
  address,
  chip,
  dataTable,
  facts,
  headOf,
  link,
  NOTHING,
  panel,
} from '../view/table.ts';
import { asOfBeside, type ConsolePage, monthSaid, type PageAsked, said } from './page-asked.ts';
import { priceDifference } from './price-difference.ts';

/** Books with their versions, and how far what providers say is from what we reckon. */
export const pricesPage: ConsolePage = {
  path: '/console/prices',
  async render(asked): Promise<Page> {
    const month = monthSaid(asked);
    const books = await listPriceBooks(asked.parts);
    const days = { from: `${month}-01`, to: `${monthAfter(month)}-01` };
    const request = readRequest(costDriftRequest, {
      by: ['provider', 'model'],
      tenant_id: null,
      month: null,
      ...days,
    });
    const { answer: drift, asOf } = await asked.kept.ask(['drift', request], () =>
      reportCostDrift(asked.parts, request),
    );
    const { ended_month } = asked.freshness;
    const head = headOf(
      'Prices',
      `${countText(books.length)} versions of ${countText(new Set(books.map(({ book }) => book)).size)} books`,
      [
        actLink(asked, 'Import a version', { act: 'import-book' }),
        actLink(asked, 'Name the default', { act: 'default-book' }),
        actLink(asked, 'Import rates', { act: 'import-rates' }),
        actLink(asked, 'What if', { act: 'what-if', query: { month: ended_month } }),
        actLink(asked, 'Re-rate a month', { act: 'rerate', query: { month: ended_month } }),
        html`<a class="button second" href="/console/backtests">Back-tests</a>`,
      ],
    );
    return {
      title: 'Prices',
      nav: 'Prices',
      body: html`${head}${booksPanel(books)}${driftPanel(month, drift.rows, asOf)}`,
    };
  },
};

function booksPanel(books: readonly BookVersionRow[]): Html {
  return panel(
    'Books and their versions',
    dataTable({
      caption: 'Price books',
      rows: books,
      empty: 'There is no price book.',
      columns: [
        {
          title: 'Book',
          cell: ({ book, is_default }: BookVersionRow) =>
            html`${link(`/console/prices/${encodeURIComponent(book)}`, book)} ${is_default ? chip('default', 'good') : ''}`,
        },
        {
          title: 'Holds from',
          cell: ({ effective_from: at }: BookVersionRow) => instantOr(at, 'from the beginning'),
        },
        { title: 'Kind', cell: ({ kind }: BookVersionRow) => kind },
        { title: 'Currency', cell: ({ currency }: BookVersionRow) => currency },
        {
          title: 'Over',
          minor: true,
          cell: ({ base }: BookVersionRow) =>
            base === null ? NOTHING : link(`/console/prices/${encodeURIComponent(base)}`, base),
        },
        {
          title: 'Terms',
          minor: true,
          cell: ({ caching, cost_factor, discount }: BookVersionRow) =>
            [
              caching.replace('_', ' '),
              cost_factor === null ? '' : `cost × ${cost_factor}`,
              discount === null ? '' : `discount ${discount}`,
            ]
              .filter((words) => words !== '')
              .join(', '),
        },
        { title: 'Models', figure: true, cell: ({ models }: BookVersionRow) => countText(models) },
      ],
    }),
  );
}

function driftPanel(month: string, rows: readonly DriftRow[], asOf: string | null): Html {
  return panel(
    `Cost drift of ${monthText(month)}`,
    dataTable({
      caption: 'What providers say calls cost, against what our books say',
      rows: rows.slice(0, 30),
      empty: 'Nobody reports a cost of calls in this month.',
      columns: [
        {
          title: 'Model',
          cell: ({ model, provider }: DriftRow) =>
            html`<bdi>${model ?? '—'}</bdi> <span class="soft">${provider ?? ''}</span>`,
        },
        { title: 'Said by', cell: ({ reported_by: by }: DriftRow) => by ?? 'nobody' },
        {
          title: 'Calls with both',
          figure: true,
          cell: ({ calls_with_both: of, calls_in_group: all }: DriftRow) =>
            `${countText(of)} of ${countText(all)}`,
        },
        {
          title: 'They say',
          figure: true,
          cell: ({ reported_cost: of, currency }: DriftRow) => amount(of, currency),
        },
        {
          title: 'We say',
          figure: true,
          cell: ({ our_cost: of, currency }: DriftRow) => amount(of, currency),
        },
        {
          title: 'Drift',
          figure: true,
          cell: ({ drift, currency }: DriftRow) => amount(drift, currency),
        },
        {
          title: 'Of ours',
          figure: true,
          cell: ({ drift_percent: share }: DriftRow) => percent(share, '—'),
        },
      ],
    }),
    asOfBeside(asOf),
  );
}

/** One book: its versions, the newest with its prices, and what it changes of the one before. */
export const bookPage: ConsolePage = {
  path: '/console/prices/:book',
  async render(asked): Promise<Page> {
    const book = asked.path['book'] ?? '';
    const versions = (
      await showPriceBook(asked.parts, readRequest(bookRequest, { book }))
    ).toReversed();
    const chosen = said(asked.query, 'version');
    const index = Math.max(
      0,
      versions.findIndex((version) => version.effective_from === chosen),
    );
    const version = versions[index];
    const before = versions[index + 1];
    const compared =
      version === undefined || before === undefined
        ? null
        : await comparePriceBooks(
            asked.parts,
            readRequest(compareRequest, {
              before: { book, effective_from: before.effective_from },
              after: { book, effective_from: version.effective_from },
            }),
          );
    return {
      title: `Book ${book}`,
      nav: 'Prices',
      body: bodyOf(asked, { book, versions, version, compared }),
    };
  },
};

type Versions = Awaited<ReturnType<typeof showPriceBook>>;
type Version = Versions[number];

interface ShownBook {
  readonly book: string;
  readonly versions: Versions;
  readonly version: Version | undefined;
  readonly compared: CompareAnswer | null;
}

function bodyOf(asked: PageAsked, { book, versions, version, compared }: ShownBook): Html {
  const head = headOf(html`Book <bdi>${book}</bdi>`, counted(versions.length, 'version'), [
    actLink(asked, 'Import a version', { act: 'import-book', query: { book } }),
  ]);
  const list = html`<ul>${versions.map(({ effective_from: at }) => html`<li>${link(address(`/console/prices/${encodeURIComponent(book)}`, { version: at }), at)} ${at === version?.effective_from ? chip('shown', 'plain') : ''}</li>`)}</ul>`;
  if (version === undefined) return html`${head}${panel('Versions', list)}`;
  const terms = facts([
    ['Kind', version.kind],
    ['Currency', version.currency],
    ['Caching', version.caching ?? 'work done'],
    ['Laid over', version.base ?? 'nothing'],
    ['Cost factor', version.cost_factor ?? 'none'],
    ['Discount', version.discount ?? 'none'],
  ]);
  return html`${head}<div class="even">${panel('Versions', list)}${panel('Terms of the version', terms)}</div>
${compared === null ? '' : panel('What it changes of the version before', priceDifference(compared.rows))}
${panel('Prices', pricesTable(version))}`;
}

const ROWS_SHOWN = 150;

function pricesTable({ models }: Version): Html {
  type Row = Version['models'][number];
  const rate = (name: 'input' | 'output' | 'cache_read' | 'cache_write') => (row: Row) =>
    row.per_million?.[name] ?? '—';
  const more =
    models.length > ROWS_SHOWN
      ? html`<p class="hint">The first ${ROWS_SHOWN} of ${countText(models.length)}.</p>`
      : '';
  return html`${dataTable({
    caption: 'Prices a million tokens',
    rows: models.slice(0, ROWS_SHOWN),
    empty: 'It has no row of its own.',
    columns: [
      {
        title: 'Model',
        cell: (row: Row) =>
          html`<bdi>${row.model}</bdi> <span class="soft">${row.provider ?? ''}</span>`,
      },
      { title: 'Tier', minor: true, cell: (row: Row) => row.service_tier },
      {
        title: 'Above input',
        figure: true,
        minor: true,
        cell: (row: Row) => countText(row.above_input_tokens),
      },
      { title: 'Input', figure: true, cell: rate('input') },
      { title: 'Cache read', figure: true, cell: rate('cache_read') },
      { title: 'Cache write', figure: true, cell: rate('cache_write') },
      { title: 'Output', figure: true, cell: rate('output') },
      { title: 'A call', figure: true, cell: (row: Row) => row.per_call ?? '—' },
    ],
  })}${more}`;
}
