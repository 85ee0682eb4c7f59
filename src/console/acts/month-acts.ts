import { html } from 'hono/html';
import type { CloseAnswer } from '../../ledger/closes/close-answer.ts';
import type { PushAnswer } from '../../push/push-answer.ts';
import { readRequest } from '../../request.ts';
import { type AlertAnswer, alertsRequest } from '../../stripe/alerts/alert-answer.ts';
import { listAlerts } from '../../stripe/alerts/list-alerts.ts';
import type { ReconcileAnswer } from '../../stripe/reconcile-answer.ts';
import { withPlaces } from '../pages/operation-places.ts';
import { amountOr, countText, type Html } from '../view/amounts.ts';
import { chip, dataTable, facts, tenantLink } from '../view/table.ts';
import type { Act, ActField } from './act.ts';

const MONTH: readonly ActField[] = [
  { name: 'month', label: 'Month', kind: 'month', isRequired: true },
  { name: 'tenant_id', label: 'Tenant', hint: 'every tenant where it is empty' },
];

const backToMonth = ({ month = '' }: Readonly<Record<string, string>>) =>
  `/console/month?month=${month}`;

const close: Act = {
  name: 'close',
  title: 'Close periods',
  words:
    'Periods that have ended take nothing more, and their statements are frozen. Nothing opens them again.',
  route: 'POST /v1/closes',
  fields: MONTH,
  preview: async ({ dryRun }) =>
    closedOf((await dryRun()) as CloseAnswer, 'What becomes of the periods'),
  done: (answer) => closedOf(answer as CloseAnswer, 'What became of the periods'),
  back: backToMonth,
};

function closedOf(rows: CloseAnswer, caption: string): Html {
  type Row = CloseAnswer[number];
  return dataTable({
    caption,
    rows,
    empty: 'No period begins in this month.',
    columns: [
      { title: 'Tenant', cell: (row: Row) => tenantLink(row.tenant_id) },
      { title: 'Begins', cell: (row: Row) => row.period_start },
      {
        title: 'State',
        cell: (row: Row) =>
          chip(row.state.replace('_', ' '), row.state === 'refused' ? 'bad' : 'good'),
      },
      {
        title: 'Total',
        figure: true,
        cell: (row: Row) => amountOr(row.charge_total, row.currency, '—'),
      },
      { title: 'Detail', cell: (row: Row) => row.detail ?? '' },
    ],
  });
}

const push: Act = {
  name: 'push',
  title: 'Tell Stripe',
  words: 'Stripe hears once what each closed period came to.',
  route: 'POST /v1/pushes',
  fields: MONTH,
  preview: async ({ dryRun }) => pushedOf((await dryRun()) as PushAnswer),
  done: (answer) => pushedOf(answer as PushAnswer),
  back: backToMonth,
};

function pushedOf(rows: PushAnswer): Html {
  type Row = PushAnswer[number];
  return dataTable({
    caption: 'What Stripe is told',
    rows,
    empty: 'No period of this month is closed.',
    columns: [
      { title: 'Tenant', cell: (row: Row) => tenantLink(row.tenant_id) },
      {
        title: 'State',
        cell: (row: Row) =>
          chip(
            row.state.replace('_', ' '),
            ['confirmed', 'would_send', 'nothing_due', 'shadow'].includes(row.state)
              ? 'good'
              : 'warn',
          ),
      },
      { title: 'Millionths', figure: true, cell: (row: Row) => countText(row.pushed) },
      { title: 'Detail', cell: (row: Row) => withPlaces(row.detail, row.remedy) },
    ],
  });
}

const reconcile: Act = {
  name: 'reconcile',
  title: 'Compare with Stripe',
  words:
    'What Stripe counted is read and set beside what it was told; what differs becomes an alert.',
  route: 'POST /v1/reconciliations',
  fields: MONTH,
  preview: async () => html`<p>It changes nothing at Stripe. Each period is read anew.</p>`,
  done: (answer) =>
    dataTable({
      caption: 'What Stripe counted',
      rows: answer as ReconcileAnswer,
      empty: 'No period of this month is closed.',
      columns: [
        { title: 'Tenant', cell: (row: ReconcileAnswer[number]) => tenantLink(row.tenant_id) },
        {
          title: 'Ledger',
          figure: true,
          cell: (row: ReconcileAnswer[number]) => countText(row.ledger),
        },
        {
          title: 'Told',
          figure: true,
          cell: (row: ReconcileAnswer[number]) => countText(row.confirmed),
        },
        {
          title: 'Stripe',
          figure: true,
          cell: (row: ReconcileAnswer[number]) => row.stripe ?? 'not asked',
        },
        {
          title: 'Difference',
          cell: (row: ReconcileAnswer[number]) =>
            chip(row.difference.replaceAll('_', ' '), row.explained ? 'good' : 'bad'),
        },
        {
          title: 'What to do',
          cell: (row: ReconcileAnswer[number]) => withPlaces(row.detail, row.remedy),
        },
      ],
    }),
  back: backToMonth,
};

const resolveAlert: Act = {
  name: 'resolve-alert',
  title: 'Settle an alert',
  words: 'Say what was done about it; it keeps no month from being whole any more.',
  route: 'POST /v1/alerts/{alert}/resolve',
  fields: [{ name: 'alert_id', label: 'Alert', isRequired: true }],
  async preview({ parts, said }) {
    const alerts = await listAlerts(parts, readRequest(alertsRequest, { all: true }));
    const alert = alerts.find(({ alert_id: id }) => id === said['alert_id']);
    return alert === undefined ? html`<p class="none">There is no such alert.</p>` : alertOf(alert);
  },
  done: (answer) => alertOf(answer as AlertAnswer),
  back: () => '/console/alerts',
};

function alertOf(alert: AlertAnswer): Html {
  return facts([
    ['What', alert.kind.replaceAll('_', ' ')],
    ['Tenant', alert.tenant_id ?? 'none'],
    ['Subject', html`<span class="hash">${alert.subject}</span>`],
    ['Detail', alert.detail],
    ['Settled', alert.resolution ?? 'not yet'],
  ]);
}

export const MONTH_ACTS: readonly Act[] = [close, push, reconcile, resolveAlert];
