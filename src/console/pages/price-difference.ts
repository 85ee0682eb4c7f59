import { html } from 'hono/html';
import type { PriceDifference } from '../../rating/books/price-book-answer.ts';
import { countText, type Html } from '../view/amounts.ts';
import { chip, dataTable } from '../view/table.ts';

const ROWS_SHOWN = 150;

/** Renders what one version prices otherwise than another. */
export function priceDifference(rows: readonly PriceDifference[]): Html {
  const change =
    (name: 'input' | 'output' | 'cache_read' | 'cache_write') => (row: PriceDifference) => {
      const [was, is] = [row.before?.[name], row.after?.[name]];
      return was === is
        ? html`<span class="soft">${is ?? '—'}</span>`
        : html`<span class="soft">${was ?? 'none'}</span> → <b>${is ?? 'none'}</b>`;
    };
  return html`${dataTable({
    caption: 'Prices that change',
    rows: rows.slice(0, ROWS_SHOWN),
    empty: 'No price changes.',
    columns: [
      {
        title: 'Model',
        cell: (row: PriceDifference) =>
          html`<bdi>${row.model}</bdi> ${row.before === null ? chip('new', 'good') : row.after === null ? chip('gone', 'bad') : ''}`,
      },
      { title: 'Input', figure: true, cell: change('input') },
      { title: 'Cache read', figure: true, cell: change('cache_read') },
      { title: 'Cache write', figure: true, cell: change('cache_write') },
      { title: 'Output', figure: true, cell: change('output') },
      {
        title: 'A call',
        figure: true,
        cell: (row: PriceDifference) =>
          `${row.per_call_before ?? '—'} → ${row.per_call_after ?? '—'}`,
      },
    ],
  })}${rows.length > ROWS_SHOWN ? html`<p class="hint">The first ${ROWS_SHOWN} of ${countText(rows.length)}.</p>` : ''}`;
}
