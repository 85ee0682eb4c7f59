import { html } from 'hono/html';
import { foreseePurge } from '../../ingest/quarantine/dismiss-quarantine.ts';
import { showQuarantined } from '../../ingest/quarantine/list-quarantine.ts';
import {
  type AcceptConflictAnswer,
  type DismissAnswer,
  type PurgeAnswer,
  purgeRequest,
  type QuarantinedAnswer,
  quarantinedRequest,
  type ReplayAnswer,
} from '../../ingest/quarantine/quarantine-answer.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { countText, type Html } from '../view/amounts.ts';
import { chip, dataTable, link } from '../view/table.ts';
import type { Act, ActAsked } from './act.ts';

const backToQuarantine = () => '/console/quarantine';

const NUMBERS = [
  { name: 'quarantine_ids', label: 'Numbers', isRequired: true, hint: 'with commas' },
];

const replay: Act = {
  name: 'replay',
  title: 'Replay',
  words:
    'They are read and posted again, as if they came now; what still does not fit goes on waiting.',
  route: 'POST /v1/quarantine/replay',
  fields: NUMBERS,
  preview: waitingOf,
  done: (answer) =>
    dataTable({
      caption: 'What became of them',
      rows: answer as ReplayAnswer,
      empty: 'Nothing was replayed.',
      columns: [
        {
          title: 'Number',
          cell: (row: ReplayAnswer[number]) =>
            link(`/console/quarantine/${row.quarantine_id}`, row.quarantine_id),
        },
        {
          title: 'Became',
          cell: (row: ReplayAnswer[number]) =>
            chip(
              row.outcome.replace('_', ' '),
              row.outcome === 'posted' || row.outcome === 'duplicate' ? 'good' : 'warn',
            ),
        },
        { title: 'Detail', cell: (row: ReplayAnswer[number]) => row.detail ?? '' },
      ],
    }),
  back: backToQuarantine,
};

const dismiss: Act = {
  name: 'dismiss',
  title: 'Dismiss',
  words: 'They wait no longer, and are never billed; they stay on record with the reason.',
  route: 'POST /v1/quarantine/dismiss',
  fields: NUMBERS,
  preview: waitingOf,
  done: (answer) =>
    html`<p>${countText((answer as DismissAnswer).filter(({ outcome }) => outcome === 'dismissed').length)} dismissed.</p>`,
  back: backToQuarantine,
};

const acceptConflict: Act = {
  name: 'accept-conflict',
  title: 'Accept the other content',
  words: 'What stands in the ledger is taken back, and what waits is posted in its place.',
  route: 'POST /v1/quarantine/{quarantined}/accept',
  fields: [{ name: 'quarantine_id', label: 'Number', isRequired: true }],
  preview: waitingOf,
  done: (answer) =>
    html`<ul>${(answer as AcceptConflictAnswer).corrections.map(({ corrected, replacement }) => html`<li>${link(`/console/entries/${corrected}`, corrected)} → ${link(`/console/entries/${replacement}`, replacement)}</li>`)}</ul>`,
  back: backToQuarantine,
};

const purge: Act = {
  name: 'purge',
  title: 'Erase bodies',
  words:
    'The bodies of events that were dismissed before the day are erased for good; that they came, and why they went, stays.',
  route: 'POST /v1/quarantine/purge',
  fields: [
    { name: 'before', label: 'Dismissed before', isRequired: true, hint: 'a UTC day: 2026-10-01' },
  ],
  preview: async ({ parts, said }) => {
    const { purged } = await foreseePurge(
      parts,
      readRequest(purgeRequest, { before: said['before'] ?? '' }),
    );
    return html`<p>The bodies of <b>${counted(purged, 'dismissed event')}</b> are erased, and nobody can bring them back.</p>`;
  },
  done: (answer) =>
    html`<p>${counted((answer as PurgeAnswer).purged, 'body', 'bodies')} erased.</p>`,
  back: () => '/console/quarantine?all=yes',
};

/** The events that are meant, each with its reason and the begin of its body. */
async function waitingOf({ parts, said }: ActAsked): Promise<Html> {
  const ids = (said['quarantine_ids'] ?? said['quarantine_id'] ?? '')
    .split(',')
    .map((id) => id.trim());
  const rows: QuarantinedAnswer[] = [];
  for (const quarantine_id of ids.filter((id) => id !== '').slice(0, SHOWN)) {
    rows.push(await showQuarantined(parts, readRequest(quarantinedRequest, { quarantine_id })));
  }
  return html`${dataTable({
    caption: 'Events that are meant',
    rows,
    empty: 'None is named.',
    columns: [
      {
        title: 'Number',
        cell: (row: QuarantinedAnswer) =>
          link(`/console/quarantine/${row.quarantine_id}`, row.quarantine_id),
      },
      { title: 'Reason', cell: (row: QuarantinedAnswer) => chip(row.reason, 'warn') },
      { title: 'Detail', cell: (row: QuarantinedAnswer) => row.detail },
      { title: 'Event', cell: (row: QuarantinedAnswer) => row.event_id ?? '—' },
    ],
  })}${ids.length > SHOWN ? html`<p class="hint">The first ${SHOWN} of ${countText(ids.length)}.</p>` : ''}`;
}

const SHOWN = 25;

export const WAITING_ACTS: readonly Act[] = [replay, dismiss, acceptConflict, purge];
