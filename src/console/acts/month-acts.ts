import { html } from 'hono/html';
import type { JsonObject } from '../../events/foreign/foreign-value.ts';
import type { CloseAnswer } from '../../ledger/closes/close-answer.ts';
import type {
  CloseTenantAnswer,
  KeepTenantAnswer,
} from '../../ledger/closes/close-tenant-answer.ts';
import type { StartAnswer } from '../../month/month-answer.ts';
import { type MonthTableAnswer, monthTableRequest } from '../../month/table/month-table-answer.ts';
import { tellMonthTable } from '../../month/table/tell-month-table.ts';
import type { PushAnswer } from '../../push/push-answer.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import type { ReconcileAnswer } from '../../stripe/reconcile-answer.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import { showTenantRequest } from '../../tenants/tenant-answer.ts';
import { missingTable } from '../pages/missing-table.ts';
import { withPlaces } from '../pages/operation-places.ts';
import { amountOr, countText, type Html, monthText } from '../view/amounts.ts';
import { address, chip, link, tenantLink } from '../view/table.ts';
import type { Act, ActField } from './act.ts';
import { firstRows } from './first-rows.ts';

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
  return firstRows({
    caption,
    rows,
    isGood: ({ state }) => state !== 'refused',
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

const closeTenant: Act = {
  name: 'close-tenant',
  title: 'The customer leaves',
  words:
    'The running period ends at that instant and is closed; nothing opens it again. Until then it can be moved and withdrawn.',
  route: 'POST /v1/tenants/{tenant}/close',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    { name: 'at', label: 'Leaves at', isRequired: true, hint: 'such as 2026-11-18T00:00:00Z' },
  ],
  async preview({ parts, said }) {
    const asked = { tenant_id: said['tenant_id'] ?? '', most: 1 };
    const { tenant_id, periods } = await showTenant(parts, readRequest(showTenantRequest, asked));
    return html`<p>${tenantLink(tenant_id)} leaves at <b>${said['at']}</b>; its last period begins ${periods[0]?.period_start ?? 'then'}.</p>`;
  },
  done(answer) {
    const { tenant_id, left_at, leaves_at, periods } = answer as CloseTenantAnswer;
    const leave = leaves_at === null ? `left at ${left_at}` : `leaves at ${leaves_at}`;
    return html`<p>${tenantLink(tenant_id)} ${leave}.</p>${closedOf(periods, 'What became of the periods')}`;
  },
  back: ({ tenant_id = '' }) => `/console/tenants/${encodeURIComponent(tenant_id)}`,
};

const keepTenant: Act = {
  name: 'keep-tenant',
  title: 'The customer stays',
  words:
    'A leave that is still to come is withdrawn, and the running period ends where it would have.',
  route: 'POST /v1/tenants/{tenant}/stay',
  fields: [{ name: 'tenant_id', label: 'Tenant', isRequired: true }],
  async preview({ parts, said }) {
    const asked = { tenant_id: said['tenant_id'] ?? '', most: 1 };
    const { tenant_id, leaves_at } = await showTenant(parts, readRequest(showTenantRequest, asked));
    if (leaves_at === null) {
      throw new Refusal(
        'conflict',
        `tenant "${tenant_id}" does not leave`,
        'there is nothing to withdraw; a leave is given first',
      );
    }
    return html`<p>${tenantLink(tenant_id)} stays, and does not leave at ${leaves_at}.</p>`;
  },
  done(answer) {
    const { tenant_id, was_to_leave_at } = answer as KeepTenantAnswer;
    return html`<p>${tenantLink(tenant_id)} stays, and does not leave at ${was_to_leave_at}.</p>`;
  },
  back: ({ tenant_id = '' }) => `/console/tenants/${encodeURIComponent(tenant_id)}`,
};

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
  const isGood = ({ state }: Row) =>
    ['confirmed', 'would_send', 'nothing_due', 'shadow'].includes(state);
  return firstRows({
    caption: 'What Stripe is told',
    rows,
    isGood,
    empty: 'No period of this month is closed.',
    columns: [
      { title: 'Tenant', cell: (row: Row) => tenantLink(row.tenant_id) },
      {
        title: 'State',
        cell: (row: Row) => chip(row.state.replace('_', ' '), isGood(row) ? 'good' : 'warn'),
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
  preview: async ({ parts, given }) =>
    comparedOf(await tellMonthTable(parts, monthOf(given)), given),
  done: (answer) =>
    firstRows({
      caption: 'What Stripe counted',
      rows: answer as ReconcileAnswer,
      isGood: ({ explained }) => explained,
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

/** What was told, and whether Stripe was seen to count it, as the last comparison left it. */
function comparedOf({ periods }: MonthTableAnswer, given: JsonObject): Html {
  const tenant = given['tenant_id'] ?? null;
  const told = periods.filter(
    (row) => row.found !== null && (tenant === null || row.tenant_id === tenant),
  );
  return html`<p>It changes nothing at Stripe. Each of these periods is read anew.</p>${firstRows({
    caption: 'What is compared',
    rows: told,
    isGood: ({ found }) => found === true,
    empty: 'Nothing of this month was told.',
    columns: [
      { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
      { title: 'Charge', figure: true, cell: (row) => amountOr(row.charge, row.currency, '—') },
      {
        title: 'At the last comparison',
        cell: (row) => (row.found === true ? chip('found', 'good') : chip('not found yet', 'warn')),
      },
    ],
  })}`;
}

function monthOf({ month = '' }: JsonObject) {
  return readRequest(monthTableRequest, { month: String(month) });
}

const runTheMonth: Act = {
  name: 'run-month',
  title: 'Run the month',
  words:
    'Closes, tells Stripe, compares, releases invoices and checks the laws, for every tenant; it goes on by itself, and nothing is told twice.',
  route: 'POST /v1/months/{month}/run',
  fields: MONTH.slice(0, 1),
  preview: async ({ dryRun }) => planOf(((await dryRun()) as StartAnswer).plan),
  done(answer) {
    const { month } = answer as StartAnswer;
    return html`<p>The run of ${link(address('/console/month', { month }), monthText(month))} has begun. It goes on without this page; the page of the month shows how far it is.</p>`;
  },
  back: backToMonth,
};

function planOf(plan: StartAnswer['plan']): Html {
  if (plan === null) return html``;
  const { steps, closes, pushes, missing } = plan;
  const wrong = steps.filter(({ state }) => state !== 'done');
  return html`${wrong.map(({ step, detail }) => html`<p>${chip(step, 'warn')} ${detail}</p>`)}
<h3>Periods</h3>${closedOf(closes, 'What becomes of the periods')}
<h3>What Stripe is told</h3>${pushedOf(pushes)}
<h3>What would still be missing</h3>${missingTable({ mayAct: false }, missing)}`;
}

export const MONTH_ACTS: readonly Act[] = [
  ...[runTheMonth, close, closeTenant, keepTenant],
  ...[push, reconcile],
];
