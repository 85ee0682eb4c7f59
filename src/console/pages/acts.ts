import { html } from 'hono/html';
import { type ActAnswer, actsRequest, type ChangedRow } from '../../audit/acts/acts-answer.ts';
import { listActs } from '../../audit/acts/list-acts.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { countText, type Html, instantOr } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import {
  actLink,
  address,
  dataTable,
  headOf,
  NOTHING,
  pager,
  panel,
  tabs,
  tenantLink,
} from '../view/table.ts';
import { type ConsolePage, said } from './page-asked.ts';

/** The journal: who did what, when and why, and what it changed. */
export const actsPage: ConsolePage = {
  path: '/console/acts',
  async render(asked): Promise<Page> {
    const { query } = asked;
    const given = {
      tenant_id: said(query, 'tenant'),
      who: said(query, 'who'),
      act: said(query, 'act'),
    };
    const all = said(query, 'all') === 'yes';
    const request = readRequest(actsRequest, {
      ...given,
      from: null,
      to: null,
      all,
      limit: ROWS_SHOWN,
      cursor: said(query, 'cursor'),
    });
    const { acts, next_cursor: next } = await listActs(asked.parts, request);
    const at = (change: Readonly<Record<string, string | null>>) =>
      address('/console/acts', {
        tenant: given.tenant_id,
        who: given.who,
        act: given.act,
        all: all ? 'yes' : null,
        ...change,
      });
    const head = headOf('Acts', 'who did what, when and why, the newest first', [
      tabs('Whose', [
        { words: 'of people', href: at({ all: null }), isTaken: !all },
        { words: 'of the service, too', href: at({ all: 'yes' }), isTaken: all },
      ]),
      actLink(asked, 'Keys and links', { act: 'create-key' }),
      asked.mayAct ? html`<a class="button second" href="/console/webhooks">Webhooks</a>` : html``,
    ]);
    const search = html`<form class="row" role="search" action="/console/acts"><label>Who<input name="who" value="${given.who ?? ''}"></label><label>What<input name="act" value="${given.act ?? ''}"></label><label>Tenant<input name="tenant" value="${given.tenant_id ?? ''}"></label><button class="second">Show</button></form>`;
    return {
      title: 'Acts',
      nav: 'Acts',
      body: html`${head}${panel('Journal', html`${search}${tableOf(acts)}${pager(null, next === null ? null : at({ cursor: next }))}`)}`,
    };
  },
};

const ROWS_SHOWN = 50;

function tableOf(acts: readonly ActAnswer[]): Html {
  return dataTable({
    caption: 'Acts',
    rows: acts,
    empty: 'Nobody did this.',
    columns: [
      { title: 'When', cell: ({ at }: ActAnswer) => instantOr(at, '') },
      { title: 'Who', cell: ({ actor }: ActAnswer) => html`<bdi>${actor}</bdi>` },
      { title: 'What', cell: ({ act }: ActAnswer) => act.slice(0, 120) },
      { title: 'Because', cell: ({ reason }: ActAnswer) => reason ?? NOTHING },
      {
        title: 'Tenants',
        cell: ({ tenant_ids: ids }: ActAnswer) =>
          html`${ids.slice(0, 3).map((id) => html`${tenantLink(id)} `)}${ids.length > 3 ? '…' : ''}`,
      },
      { title: 'Entries', figure: true, cell: ({ entries }: ActAnswer) => countText(entries) },
      { title: 'Changed', cell: changesOf },
    ],
  });
}

const FIELDS_SHOWN = 6;

function changesOf({ rows, changes }: ActAnswer): Html {
  const [first] = rows;
  if (first === undefined) return html`<span class="soft">${counted(changes, 'row')}</span>`;
  return html`<details><summary>${counted(changes, 'row')}</summary>${rows.slice(0, 5).map(rowOf)}</details>`;
}

function rowOf({ table, change, fields }: ChangedRow): Html {
  const shown = fields
    .slice(0, FIELDS_SHOWN)
    .map(({ name, was, became }) => html`<li>${name}: ${cut(was)} → ${cut(became)}</li>`);
  return html`<p>${table}, ${change}</p><ul>${shown}</ul>`;
}

function cut(text: string | null): string {
  return text === null ? '—' : text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
