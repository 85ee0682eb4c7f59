import { html, raw } from 'hono/html';
import type { Html } from './amounts.ts';

/** A column of a table for people. */
interface HtmlColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Html | string;
  /** Figures stand on the right. */
  readonly figure?: boolean;
  /** The name by which the page is asked to sort by it; left out where it cannot be. */
  readonly sort?: string;
  /** A column that a phone leaves out, since others say more. */
  readonly minor?: boolean;
}

export interface TableOptions<Row> {
  /** What the table is of, for whoever does not see it. */
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly columns: readonly HtmlColumn<Row>[];
  /** What is said where there is no row. */
  readonly empty: string;
  /** How the page is sorted now, and the address that sorts it otherwise. */
  readonly sorting?: {
    readonly by: string;
    readonly descending: boolean;
    readonly href: (sort: string) => string;
  };
}

/**
 * Renders a table whose first column names its row. On a phone each row is a card with its titles
 * beside the cells.
 */
export function dataTable<Row>({
  caption,
  rows,
  columns,
  empty,
  sorting,
}: TableOptions<Row>): Html {
  if (rows.length === 0) return html`<p class="none">${empty}</p>`;
  const heads = columns.map((column) => headCellOf(column, sorting));
  const line = (row: Row) =>
    html`<tr>${columns.map((column, index) => cellOf(column, row, index))}</tr>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${caption}"><table class="rows"><caption>${caption}</caption><thead><tr>${heads}</tr></thead>
<tbody>${rows.map(line)}</tbody></table></div>`;
}

function classOf({ figure = false, minor = false }: HtmlColumn<never>): Html {
  const names = [figure ? 'figure' : '', minor ? 'minor' : ''].filter((name) => name !== '');
  return names.length === 0 ? html`` : html` class="${names.join(' ')}"`;
}

function headCellOf<Row>(column: HtmlColumn<Row>, sorting: TableOptions<Row>['sorting']): Html {
  const { title, sort } = column;
  if (sorting === undefined || sort === undefined) {
    return html`<th scope="col"${classOf(column as HtmlColumn<never>)}>${title}</th>`;
  }
  const isSorted = sorting.by === sort;
  const state = isSorted ? (sorting.descending ? 'descending' : 'ascending') : 'none';
  const mark = isSorted
    ? html`<span aria-hidden="true"> ${sorting.descending ? '↓' : '↑'}</span>`
    : '';
  return html`<th scope="col" aria-sort="${state}"${classOf(column as HtmlColumn<never>)}><a href="${sorting.href(sort)}">${title}${mark}</a></th>`;
}

function cellOf<Row>(column: HtmlColumn<Row>, row: Row, index: number): Html {
  const cell = column.cell(row);
  const of = classOf(column as HtmlColumn<never>);
  if (index === 0) return html`<th scope="row"${of}>${cell}</th>`;
  return html`<td${of} data-title="${column.title}">${cell}</td>`;
}

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** Renders a state in one or two words; its color says no more than they do. */
export function chip(words: string, tone: Tone): Html {
  return html`<span class="chip ${tone}">${words}</span>`;
}

/** Renders a part of a page under its own heading. */
export function panel(
  title: string,
  body: Html | readonly Html[],
  beside: Html | string = '',
): Html {
  const id = `h-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  return html`<section class="panel" aria-labelledby="${id}"><header><h2 id="${id}">${title}</h2>${beside === '' ? '' : html`<div class="beside">${beside}</div>`}</header>${body}</section>`;
}

/** Renders one figure with what it is compared with. */
export function card(title: string, figure: Html | string, below: Html | string): Html {
  return html`<div class="card"><h2>${title}</h2><p class="big">${figure}</p><p class="below-figure">${below}</p></div>`;
}

/** Returns an address with its query; what is null or empty is left out. */
export function address(path: string, query: Readonly<Record<string, string | null>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === '' ? [] : [[name, value] as [string, string]],
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? path : `${path}?${text}`;
}

export function link(href: string, words: string): Html {
  return html`<a href="${href}">${words}</a>`;
}

/** Joins several ways of one cell: on a phone they stay together, and none is cut. */
export function ways(links: readonly (Html | string)[]): Html {
  const given = links.filter((way) => String(way) !== '');
  return html`<span class="ways">${given.map((way, nth) => html`${nth === 0 ? '' : ' · '}${way}`)}</span>`;
}

/** Renders a name that came from outside, as a link to its page; one that is cut is cut at its end, in either direction. */
export function tenantLink(tenantId: string): Html {
  return html`<a href="/console/tenants/${encodeURIComponent(tenantId)}" dir="auto">${tenantId}</a>`;
}

export const NOTHING = raw('<span class="soft" aria-label="none">—</span>');

/** Renders facts as a list of names and values. */
export function facts(pairs: readonly (readonly [string, Html | string])[]): Html {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Renders the head of a page: its name, a line below it, and what can be done. */
export function headOf(
  title: Html | string,
  sub: Html | string,
  actions: readonly Html[] = [],
): Html {
  return html`<div class="head"><div><h1>${title}</h1><p class="sub">${sub}</p></div>${actions.length === 0 ? '' : html`<div class="actions">${actions}</div>`}</div>`;
}

/** Renders a way to an act; a reader gets none. */
export function actLink(
  of: { readonly mayAct: boolean },
  words: string,
  to: {
    readonly act: string;
    readonly query?: Readonly<Record<string, string | null>>;
    /** It is what a person comes to the page for. */
    readonly isFirst?: boolean;
  },
): Html {
  if (!of.mayAct) return html``;
  return html`<a class="button${to.isFirst === true ? '' : ' second'}" href="${address(`/console/act/${to.act}`, to.query ?? {})}">${words}</a>`;
}

/** Renders choices as links, of which one is taken. */
export function tabs(
  label: string,
  choices: readonly { readonly words: string; readonly href: string; readonly isTaken: boolean }[],
): Html {
  const links = choices.map(({ words, href, isTaken }) =>
    isTaken
      ? html`<a href="${href}" aria-current="true">${words}</a>`
      : html`<a href="${href}">${words}</a>`,
  );
  return html`<nav class="tabs" aria-label="${label}">${links}</nav>`;
}

/** Renders ways to the rows before and after; nothing where all are here. */
export function pager(before: string | null, after: string | null): Html {
  if (before === null && after === null) return html``;
  return html`<nav class="pager" aria-label="More rows"><span>${before === null ? '' : link(before, '← before')}</span><span>${after === null ? '' : link(after, 'more →')}</span></nav>`;
}
