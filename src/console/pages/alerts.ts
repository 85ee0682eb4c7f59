import { html } from 'hono/html';
import { readRequest } from '../../request.ts';
import { type AlertAnswer, alertsRequest } from '../../stripe/alerts/alert-answer.ts';
import { listAlerts } from '../../stripe/alerts/list-alerts.ts';
import { countText, instantOr } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import {
  actLink,
  chip,
  dataTable,
  headOf,
  NOTHING,
  panel,
  tabs,
  tenantLink,
} from '../view/table.ts';
import { withPlaces } from './operation-places.ts';
import { type ConsolePage, said } from './page-asked.ts';

/** Shows the alerts that a person must look at on Stripe's side. */
export const alertsPage: ConsolePage = {
  path: '/console/alerts',
  async render(asked): Promise<Page> {
    const all = said(asked.query, 'all') === 'yes';
    const rows = await listAlerts(asked.parts, readRequest(alertsRequest, { all }));
    const body = dataTable({
      caption: 'Alerts',
      rows: rows.slice(-ROWS_SHOWN).toReversed(),
      empty: 'There is no alert.',
      columns: [
        { title: 'Alert', cell: (row: AlertAnswer) => `${row.alert_id}` },
        {
          title: 'What',
          cell: (row: AlertAnswer) =>
            chip(row.kind.replaceAll('_', ' '), row.resolved_at === null ? 'bad' : 'plain'),
        },
        {
          title: 'Tenant',
          cell: (row: AlertAnswer) =>
            row.tenant_id === null ? NOTHING : tenantLink(row.tenant_id),
        },
        {
          title: 'Detail',
          cell: (row: AlertAnswer) =>
            html`<span>${withPlaces(row.detail, row.remedy)}</span> <span class="hash">${row.subject}</span>`,
        },
        { title: 'Raised', cell: (row: AlertAnswer) => instantOr(row.raised_at, '') },
        {
          title: 'Settled',
          cell: (row: AlertAnswer) =>
            row.resolved_at === null
              ? actLink(asked, 'Settle', {
                  act: 'resolve-alert',
                  query: { alert_id: row.alert_id },
                })
              : html`${row.resolution} <span class="soft">${row.resolved_by}</span>`,
        },
      ],
    });
    const choice = tabs('Which', [
      { words: 'open', href: '/console/alerts', isTaken: !all },
      { words: 'all', href: '/console/alerts?all=yes', isTaken: all },
    ]);
    return {
      title: 'Alerts',
      nav: 'The month',
      body: html`${headOf('Alerts', `${countText(rows.length)} ${all ? 'in all' : 'open'}`, [choice])}${panel('Alerts', body)}`,
    };
  },
};

const ROWS_SHOWN = 200;
