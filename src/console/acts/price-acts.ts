import { html } from 'hono/html';
import type { RerateAnswer } from '../../ledger/corrections/rerate-answer.ts';
import type {
  DefaultBookAnswer,
  ImportAnswer,
  ImportedVersion,
} from '../../rating/books/price-book-answer.ts';
import { listPriceBooks } from '../../rating/books/show-price-books.ts';
import type { ExchangeAnswer, ExchangeDocument } from '../../rating/exchange/exchange-answer.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { priceDifference } from '../pages/price-difference.ts';
import { countText, type Html, instantOr } from '../view/amounts.ts';
import { chip, dataTable, facts, link } from '../view/table.ts';
import type { Act } from './act.ts';
import { differenceOf } from './difference.ts';
import { documentsIn } from './document-in.ts';

const DOCUMENT = {
  name: 'document',
  label: 'The price book, as JSON',
  kind: 'document',
} as const;

const backToPrices = () => '/console/prices';

const importBook: Act = {
  name: 'import-book',
  title: 'Import a version of a price book',
  words:
    'It holds from its own begin on. What is posted already keeps its price until the month is re-rated.',
  route: 'POST /v1/price-books',
  fields: [{ ...DOCUMENT, isRequired: true }],
  read: ({ document = '' }) => ({ documents: documentsIn(document) }),
  preview: async ({ dryRun }) => versionsOf((await dryRun()) as ImportAnswer),
  done: (answer) => versionsOf(answer as ImportAnswer),
  back: backToPrices,
};

/** Each version with what it prices otherwise, what it takes away, and what it leaves as it is. */
function versionsOf(versions: ImportAnswer): Html {
  if (versions.length === 0) return html`<p class="none">There is no document.</p>`;
  return html`${versions.map(versionOf)}<p>${link('/console/act/what-if', 'What a past month would come to under it')}</p>`;
}

function versionOf(version: ImportedVersion): Html {
  const { book, effective_from, answer, models, became_default, unchanged, changes } = version;
  const before = version.of_version_before;
  const gone = version.takes_away;
  return html`<h3><bdi>${book}</bdi> from ${effective_from} ${chip(answer.replace('_', ' '), answer === 'unchanged' ? 'plain' : 'good')}</h3>
${facts([
  ['Models', countText(models)],
  ['Becomes the default', became_default ? 'yes, as it is the first' : 'no'],
  [
    'Entries that keep their price',
    unchanged === null
      ? 'none'
      : html`${countText(unchanged.entries)}, from ${instantOr(unchanged.from, '')} to ${instantOr(unchanged.until, '')}`,
  ],
  ...(before === null
    ? []
    : [['Entries that stay with the version before', countText(before.entries)] as const]),
])}
${gone.length === 0 ? '' : html`<p>${chip('takes the price away', 'bad')} from ${gone.slice(0, NAMED).map(({ model, service_tier }) => html`<bdi>${model}</bdi>${service_tier === 'standard' ? '' : ` (${service_tier})`} `)}${gone.length > NAMED ? `and ${countText(gone.length - NAMED)} more` : ''}</p>`}
${changes === undefined ? '' : priceDifference(changes)}`;
}

const NAMED = 20;

const defaultBook: Act = {
  name: 'default-book',
  title: 'Name the default book',
  words: 'A tenant without a book of its own pays by it from now on.',
  route: 'POST /v1/price-books/{book}/default',
  fields: [{ name: 'book', label: 'Book', isRequired: true }],
  async preview({ parts, said }) {
    const books = await listPriceBooks(parts);
    if (books.every(({ book }) => book !== said['book'])) {
      throw new Refusal(
        'not_found',
        `there is no price book "${said['book']}"`,
        advise`see ${{ operation: 'price-book list' }}, or import it with ${{ operation: 'price-book import' }}`,
      );
    }
    const now = books.find(({ is_default: is }) => is)?.book ?? 'none';
    return html`<p>The default is <b>${now}</b> now, and <b>${said['book']}</b> then.</p>`;
  },
  done: (answer) => {
    const { followed_by: next } = answer as DefaultBookAnswer;
    return next === null
      ? html`<p>It is the default.</p>`
      : html`<p>It is the default, until <bdi>${next.book}</bdi> follows from ${instantOr(next.effective_from, '')} on, as was named before.</p>`;
  },
  back: backToPrices,
};

const whatIf: Act = {
  name: 'what-if',
  title: 'A month under other prices',
  words:
    'The calls of a month are priced as if a book were imported, or as if everybody paid by another one. Nothing is written.',
  route: 'POST /v1/rerates',
  isLook: true,
  fields: [
    { name: 'month', label: 'Month', kind: 'month', isRequired: true },
    { name: 'tenant_id', label: 'Tenant', hint: 'every tenant where it is empty' },
    {
      name: 'price_book',
      label: 'Everybody pays by',
      hint: 'each by its own book where it is empty',
    },
    { ...DOCUMENT, hint: 'by the books as they are now where it is empty' },
  ],
  read: ({ document, ...said }) => ({
    ...said,
    ...(document === undefined ? {} : { proposed: documentsIn(document) }),
  }),
  preview: async ({ dryRun }) => differenceOf((await dryRun()) as RerateAnswer),
  done: (answer) => differenceOf(answer as RerateAnswer),
  back: backToPrices,
};

const importRates: Act = {
  name: 'import-rates',
  title: 'Import exchange rates',
  words:
    'They hold from their own begin until those of a later version, for costs in another currency.',
  route: 'POST /v1/exchange-rates',
  fields: [{ ...DOCUMENT, label: 'The rates, as JSON', isRequired: true }],
  read: ({ document = '' }) => ({ documents: documentsIn(document) }),
  preview: async ({ given }) =>
    dataTable({
      caption: 'Rates that are imported',
      rows: given['documents'] as readonly Partial<ExchangeDocument>[],
      empty: 'There is no document.',
      columns: [
        { title: 'Base', cell: (row) => row.base ?? '—' },
        { title: 'Hold from', cell: (row) => row.effective_from ?? '—' },
        { title: 'Source', cell: (row) => row.source ?? '—' },
        {
          title: 'Rates',
          cell: (row) =>
            Object.entries(row.rates ?? {})
              .slice(0, NAMED)
              .map(([currency, rate]) => `${currency} ${rate}`)
              .join(', '),
        },
      ],
    }),
  done: (answer) =>
    dataTable({
      caption: 'What was imported',
      rows: answer as ExchangeAnswer,
      empty: 'Nothing was imported.',
      columns: [
        { title: 'Base', cell: (row) => row.base },
        { title: 'Hold from', cell: (row) => row.effective_from },
        { title: 'Answer', cell: (row) => chip(row.answer, 'good') },
      ],
    }),
  back: backToPrices,
};

export const PRICE_ACTS: readonly Act[] = [importBook, defaultBook, whatIf, importRates];
