import { html } from 'hono/html';
import { countText, type Html } from '../view/amounts.ts';
import { dataTable, type TableOptions } from '../view/table.ts';

/** What of a long list stands in the page of an act. */
export const ROWS_SHOWN = 100;

/** Renders the first rows of a list, those that are not good before all others, and says how many there are. */
export function firstRows<Row>({
  rows,
  isGood,
  ...table
}: TableOptions<Row> & { readonly isGood?: (row: Row) => boolean }): Html {
  const wrong = isGood === undefined ? [] : rows.filter((row) => !isGood(row));
  const right = isGood === undefined ? rows : rows.filter(isGood);
  const shown = [...wrong, ...right].slice(0, ROWS_SHOWN);
  const first =
    wrong.length === 0 ? '' : ` What needs a look comes first: ${countText(wrong.length)} of them.`;
  return html`${dataTable({ ...table, rows: shown })}${rows.length > ROWS_SHOWN ? html`<p class="hint">The first ${countText(ROWS_SHOWN)} of ${countText(rows.length)}.${first}</p>` : ''}`;
}
