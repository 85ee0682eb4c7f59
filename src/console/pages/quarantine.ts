import { html } from 'hono/html';
import {
  type QuarantineSurvey,
  showQuarantined,
  surveyQuarantine,
} from '../../ingest/quarantine/list-quarantine.ts';
import { quarantinedRequest } from '../../ingest/quarantine/quarantine-answer.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { countText, type Html, instantOr } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import {
  actLink,
  address,
  chip,
  dataTable,
  facts,
  headOf,
  link,
  panel,
  tabs,
} from '../view/table.ts';
import { type ConsolePage, type PageAsked, said } from './page-asked.ts';

/** Shows the events that could not be posted, oldest first, to be handled one by one or many at once. */
export const quarantinePage: ConsolePage = {
  path: '/console/quarantine',
  async render(asked): Promise<Page> {
    const all = said(asked.query, 'all') === 'yes';
    const reason = said(asked.query, 'reason');
    const { rows, reasons } = await surveyQuarantine(asked.parts, {
      all,
      reason,
      limit: ROWS_SHOWN,
    });
    const fitting = reasons
      .filter((of) => reason === null || of.reason === reason)
      .reduce((sum, { events }) => sum + events, 0);
    const more =
      fitting > rows.length
        ? html`<p class="hint">The first ${ROWS_SHOWN} of ${countText(fitting)}.</p>`
        : '';
    const head = headOf(
      'Quarantine',
      `${counted(fitting, 'event')} that could not be posted${all ? ', including resolved ones' : ''}`,
      [
        tabs('Which', [
          { words: 'that wait', href: '/console/quarantine', isTaken: !all },
          { words: 'all', href: '/console/quarantine?all=yes', isTaken: all },
        ]),
        actLink(asked, 'Erase bodies', { act: 'purge' }),
      ],
    );
    const choices = tabs('Reason', [
      {
        words: 'any reason',
        href: address('/console/quarantine', { all: all ? 'yes' : null }),
        isTaken: reason === null,
      },
      ...reasons.map(({ reason: name, events }) => ({
        words: `${name} (${countText(events)})`,
        href: address('/console/quarantine', { all: all ? 'yes' : null, reason: name }),
        isTaken: name === reason,
      })),
    ]);
    return {
      title: 'Quarantine',
      nav: 'Quarantine',
      body: html`${head}${panel('Events', html`${listOf(asked, rows)}${more}`, choices)}`,
    };
  },
};

const ROWS_SHOWN = 100;
/** An event of the list, which is shown without its body. */
type Surveyed = QuarantineSurvey['rows'][number];
/** The page of the event has all of it. */
const DETAIL_SHOWN = 150;

/** A form around the rows takes those that are ticked to an act; the difference is shown there. */
function listOf({ mayAct }: PageAsked, rows: readonly Surveyed[]): Html {
  const ticked = (row: Surveyed) =>
    mayAct && isWaiting(row)
      ? html`<input type="checkbox" name="quarantine_ids" value="${row.quarantine_id}" aria-label="Event ${row.quarantine_id}">`
      : '';
  const body = dataTable({
    caption: 'Events in quarantine',
    rows,
    empty: 'Nothing waits.',
    columns: [
      {
        title: 'Number',
        cell: (row: Surveyed) =>
          html`${ticked(row)}${link(`/console/quarantine/${row.quarantine_id}`, row.quarantine_id)}`,
      },
      {
        title: 'Reason',
        cell: ({ reason }: Surveyed) => chip(reason, reason === 'conflict' ? 'bad' : 'warn'),
      },
      {
        title: 'Detail',
        cell: ({ detail }: Surveyed) =>
          html`<span>${detail.length > DETAIL_SHOWN ? `${detail.slice(0, DETAIL_SHOWN)}…` : detail}</span>`,
      },
      {
        title: 'Source and event',
        cell: ({ source, event_id: id }: Surveyed) =>
          html`<bdi>${source ?? '—'}</bdi> <bdi>${id?.slice(0, 24) ?? ''}${(id?.length ?? 0) > 24 ? '…' : ''}</bdi>`,
      },
      { title: 'Received', cell: ({ received_at: at }: Surveyed) => instantOr(at, '') },
      { title: 'State', cell: stateOf },
    ],
  });
  if (!mayAct || !rows.some(isWaiting)) return body;
  return html`<form method="get" action="/console/act/replay">${body}<div class="actions"><button class="second">Replay the ticked</button><button class="second" formaction="/console/act/dismiss">Dismiss the ticked</button></div></form>`;
}

function isWaiting({ replayed_at: replayed, dismissed_at: dismissed }: Surveyed): boolean {
  return replayed === null && dismissed === null;
}

function stateOf(row: Surveyed): Html {
  if (row.replay_outcome !== null) return chip(row.replay_outcome, 'good');
  return row.dismissed_at === null ? chip('waits', 'warn') : chip('dismissed', 'plain');
}

/** One of them, with its reason and its body as it was kept. */
export const quarantinedPage: ConsolePage = {
  path: '/console/quarantine/:quarantined',
  async render({ parts, path, mayAct }): Promise<Page> {
    const quarantine_id = path['quarantined'] ?? '';
    const row = await showQuarantined(parts, readRequest(quarantinedRequest, { quarantine_id }));
    const waits = isWaiting(row);
    const query = { quarantine_ids: quarantine_id };
    const story =
      row.source === null || row.event_id === null
        ? html`no ids`
        : link(
            `/console/events/${encodeURIComponent(row.source)}/${encodeURIComponent(row.event_id)}`,
            row.event_id,
          );
    const actions = waits
      ? [
          ...(row.reason === 'conflict'
            ? [
                actLink({ mayAct }, 'Accept its content', {
                  act: 'accept-conflict',
                  query: { quarantine_id },
                }),
              ]
            : []),
          actLink({ mayAct }, 'Replay', { act: 'replay', query }),
          actLink({ mayAct }, 'Dismiss', { act: 'dismiss', query }),
        ]
      : [];
    return {
      title: `Quarantined event ${quarantine_id}`,
      nav: 'Quarantine',
      body: html`${headOf(`Quarantined event ${quarantine_id}`, html`${chip(row.reason, 'warn')} ${stateOf(row)}`, actions)}
${panel(
  'Why it waits',
  html`<p>${row.detail}</p>${facts([
    ['Event', story],
    ['Source', row.source ?? 'not said'],
    ['Received', instantOr(row.received_at, '')],
    ['Values cut out before it was kept', countText(row.cut)],
    ['Replayed', instantOr(row.replayed_at, 'no')],
    ['Became', row.replay_outcome ?? '—'],
    ['Dismissed', instantOr(row.dismissed_at, 'no')],
    ['By', row.dismissed_by ?? '—'],
    ['Because', row.dismissed_because ?? '—'],
  ])}`,
)}
${panel('The body, as it was kept', row.purged_at === null ? html`<pre>${row.body.slice(0, BODY_SHOWN)}</pre>${row.body.length > BODY_SHOWN ? html`<p class="hint">The first ${countText(BODY_SHOWN)} of ${countText(row.body.length)} characters.</p>` : ''}` : html`<p class="none">It was erased ${instantOr(row.purged_at, '')}.</p>`)}`,
    };
  },
};

const BODY_SHOWN = 40_000;
