import { html } from 'hono/html';
import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import type { LeftOwed } from '../../tenants/tenant-answer.ts';
import { amount, countText, type Html } from '../view/amounts.ts';
import {
  address,
  chip,
  dataTable,
  link,
  NOTHING,
  panel,
  type Tone,
  tenantLink,
  ways,
} from '../view/table.ts';
import { withPlaces } from './operation-places.ts';
import type { PageAsked } from './page-asked.ts';

/**
 * Renders what keeps a month from being whole, each with the way to mend it; a reader is shown
 * where to look.
 */
export function missingTable(
  { mayAct }: Pick<PageAsked, 'mayAct'>,
  things: readonly MissingThing[],
  most = THINGS_SHOWN,
): Html {
  const more =
    things.length > most && most === THINGS_SHOWN
      ? html`<p class="hint">The first ${countText(most)} of ${countText(things.length)}; each tenant's page has its own.</p>`
      : '';
  return html`${dataTable({
    caption: 'What keeps a month from being whole',
    rows: things.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, most),
    empty: 'Nothing: every event is posted, priced, told and billed.',
    columns: [
      { title: 'What', cell: ({ kind }) => chip(KINDS[kind].words, KINDS[kind].tone) },
      { title: 'Tenant', cell: ({ tenant_id: id }) => (id === null ? NOTHING : tenantLink(id)) },
      { title: 'Detail', cell: ({ detail }) => html`<span>${detail}</span>` },
      { title: 'Worth', figure: true, cell: worthOf },
      { title: 'Mend it', figure: true, cell: (thing) => mendingOf(mayAct, thing) },
    ],
  })}${more}`;
}

/** Renders what is owed to customers in a currency in which they pay no more; nothing where that is nothing. */
export function leftOwedPanel(owed: readonly LeftOwed[]): Html {
  return owedPanel('Credits left in a former currency', owed);
}

/** Renders what is due and waits for a month in live mode; nothing where that is nothing. */
export function waitingDuePanel(waiting: readonly LeftOwed[]): Html {
  return owedPanel('Due, and waiting for a live month', waiting);
}

function owedPanel(title: string, owed: readonly LeftOwed[]): Html {
  if (owed.length === 0) return html``;
  return panel(
    title,
    html`<ul>${owed.slice(0, THINGS_SHOWN).map(({ tenant_id, detail, remedy }) => html`<li>${tenantLink(tenant_id)}: ${withPlaces(detail, remedy)}.</li>`)}</ul>`,
  );
}

/** A page stays below a hundred kilobytes, however much is missing. */
const THINGS_SHOWN = 60;

function worthOf({ amount: exact, currency, count: of }: MissingThing): Html {
  if (exact === null || currency === null) return html`<span class="soft">${countText(of)}</span>`;
  return amount(exact, currency);
}

/** What costs money stands before what waits, and that before what only lacks a figure. */
function rankOf({ kind }: MissingThing): number {
  return RANKS.indexOf(KINDS[kind].tone);
}

const RANKS: readonly Tone[] = ['bad', 'warn', 'plain'];

interface KindWords {
  readonly words: string;
  readonly tone: Tone;
}

const KINDS: Readonly<Record<MissingThing['kind'], KindWords>> = {
  quarantined: { words: 'waits', tone: 'warn' },
  under_two_tenants: { words: 'billed twice', tone: 'bad' },
  reported_twice: { words: 'billed twice', tone: 'bad' },
  contradicting: { words: 'contradicts', tone: 'warn' },
  unregistered_tenant: { words: 'unnamed', tone: 'warn' },
  not_closed: { words: 'not closed', tone: 'bad' },
  untold: { words: 'not told', tone: 'bad' },
  unbilled: { words: 'not billed', tone: 'bad' },
  on_two_invoices: { words: 'billed twice', tone: 'bad' },
  on_voided_invoice: { words: 'voided', tone: 'bad' },
  alert: { words: 'alert', tone: 'bad' },
  without_cost: { words: 'no cost', tone: 'plain' },
  unrated: { words: 'no price', tone: 'bad' },
  unmeasured: { words: 'unmeasured', tone: 'warn' },
};

function mendingOf(mayAct: boolean, thing: MissingThing): Html {
  const { kind, tenant_id: tenant, period_start: start, detail } = thing;
  const month = start?.slice(0, 7) ?? null;
  const entry = /ent_\d+/.exec(detail)?.[0] ?? null;
  const shown = entry === null ? '' : link(`/console/entries/${entry}`, 'Show one');
  const act = (name: string, words: string, query: Readonly<Record<string, string | null>>) =>
    mayAct ? link(address(`/console/act/${name}`, query), words) : html``;
  switch (kind) {
    case 'quarantined':
      return link('/console/quarantine', 'Look');
    case 'unregistered_tenant':
      return ways([
        act('set-tenant', 'Register', { tenant_id: tenant }),
        act('move-usage', 'Move to another', { from_tenant: tenant }),
      ]);
    case 'not_closed':
      return act('close', 'Close', { month, tenant_id: tenant });
    case 'untold':
      return ways([
        act('push', 'Tell Stripe', { month, tenant_id: tenant }),
        act('set-tenant', 'Link a customer', { tenant_id: tenant }),
        act('settle', 'Settled elsewhere', { month, tenant_id: tenant }),
      ]);
    case 'unbilled':
    case 'on_two_invoices':
    case 'on_voided_invoice':
      return html`${act('reconcile', 'Compare', { month, tenant_id: tenant })}`;
    case 'alert':
      return act('resolve-alert', 'Settle', { alert_id: /alert (\d+)/.exec(detail)?.[1] ?? null });
    case 'unrated':
    case 'without_cost':
      return ways([
        link('/console/prices', 'Prices'),
        act('rerate', 'Re-rate', { month, tenant_id: tenant }),
        shown,
      ]);
    case 'unmeasured':
      return ways([act('accept', 'Accept as free', { entry_ids: entriesIn(detail) }), shown]);
    case 'under_two_tenants':
    case 'reported_twice':
    case 'contradicting':
      return ways([
        entry === null ? '' : act('correct', 'Take one back', { entry_id: entry }),
        shown,
      ]);
  }
}

function entriesIn(detail: string): string {
  return (detail.match(/ent_\d+/g) ?? []).join(' ');
}
