import { html } from 'hono/html';
import { listPushes } from '../../audit/list-entries.ts';
import { pushesRequest } from '../../audit/lists-answer.ts';
import { formatDecimal } from '../../money.ts';
import { monthTableRequest, type PeriodSteps } from '../../month/table/month-table-answer.ts';
import { tellMonthTable } from '../../month/table/tell-month-table.ts';
import type { SettleAnswer } from '../../push/settle-answer.ts';
import type { UnparkAnswer } from '../../push/unpark-answer.ts';
import type { UnsettleAnswer } from '../../push/unsettle-answer.ts';
import { readStandingSettlement } from '../../push/unsettle-period.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readRequest } from '../../request.ts';
import { type AlertAnswer, alertsRequest } from '../../stripe/alerts/alert-answer.ts';
import { listAlerts } from '../../stripe/alerts/list-alerts.ts';
import type { ReleaseAnswer } from '../../stripe/invoices/release-answer.ts';
import { amount, amountOr, countText, type Html } from '../view/amounts.ts';
import { chip, facts, tenantLink } from '../view/table.ts';
import type { Act } from './act.ts';
import { firstRows } from './first-rows.ts';

const MONTH = { name: 'month', label: 'Month', kind: 'month', isRequired: true } as const;

const backToMonth = ({ month = '' }: Readonly<Record<string, string>>) =>
  `/console/month?month=${month}`;

const release: Act = {
  name: 'release',
  title: 'Let go held invoices',
  words:
    'Stripe may finalize the drafts whose usage it has been seen to count; the others stay held.',
  route: 'POST /v1/releases',
  fields: [MONTH],
  async preview({ parts, said }) {
    const request = readRequest(monthTableRequest, { month: said['month'] ?? '' });
    const { periods } = await tellMonthTable(parts, request);
    return firstRows({
      caption: 'Invoices that are held',
      rows: periods.filter(({ invoice }) => invoice === 'held'),
      isGood: ({ found }) => found === true,
      empty: 'No invoice of this month is held.',
      columns: [
        { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
        {
          title: 'Invoice',
          cell: (row) => html`<span class="hash">${row.invoice_id ?? ''}</span>`,
        },
        { title: 'Charge', figure: true, cell: (row) => amountOr(row.charge, row.currency, '—') },
        {
          title: 'Becomes',
          cell: (row) =>
            row.found === true
              ? chip('let go', 'good')
              : chip('held, as Stripe was not seen to count it', 'warn'),
        },
      ],
    });
  },
  done: (answer) =>
    firstRows({
      caption: 'What became of the invoices',
      rows: answer as ReleaseAnswer,
      isGood: isLetGo,
      empty: 'No invoice was held.',
      columns: [
        { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
        { title: 'Invoice', cell: (row) => html`<span class="hash">${row.invoice}</span>` },
        {
          title: 'State',
          cell: (row) => chip(row.state, isLetGo(row) ? 'good' : 'warn'),
        },
        { title: 'Detail', cell: (row) => row.detail ?? '' },
      ],
    }),
  back: backToMonth,
};

function isLetGo({ state }: ReleaseAnswer[number]): boolean {
  return ['released', 'finalized'].includes(state);
}

const settle: Act = {
  name: 'settle',
  title: 'Settled elsewhere',
  words:
    'What a person billed outside counts as told; say in the reason where, such as the number of the invoice.',
  route: 'POST /v1/settlements',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    MONTH,
    { name: 'amount', label: 'Amount', isRequired: true, hint: 'as it was billed: 96.12' },
    {
      name: 'period_start',
      label: 'First day of the period',
      hint: 'only where several begin in the month: 2026-10-20',
    },
  ],
  async preview({ parts, said }) {
    const request = readRequest(monthTableRequest, { month: said['month'] ?? '' });
    const { periods } = await tellMonthTable(parts, request);
    const day = said['period_start'] ?? '';
    const meant = periods.filter(
      ({ tenant_id: id, period_start }) =>
        id === said['tenant_id'] && (day === '' || day === period_start),
    );
    const row = meant.find(({ told }) => told === 'untold') ?? meant[0];
    refuseNotToSettle(said, row);
    return facts([
      ['Tenant', tenantLink(row.tenant_id)],
      ['The period begins', row.period_start],
      ['The period came to', amountOr(row.charge, row.currency, '—')],
      ['Told so far', row.told.replace('_', ' ')],
      [
        'Counts as told by this',
        row.currency === null ? (said['amount'] ?? '') : `${said['amount']} ${row.currency}`,
      ],
    ]);
  },
  done(answer) {
    const { tenant_id, currency, settled, due } = answer as SettleAnswer;
    const major = (micro: string) => formatDecimal(BigInt(micro), 6);
    return html`<p>${amount(major(settled), currency)} of ${tenantLink(tenant_id)} counts as told; ${amount(major(due), currency)} is still due.</p>`;
  },
  back: backToMonth,
};

/** Only a closed period of which something is due is settled, so that nothing else is shown to be confirmed. */
function refuseNotToSettle(
  { tenant_id, month }: Readonly<Record<string, string>>,
  row: PeriodSteps | undefined,
): asserts row is PeriodSteps {
  if (row === undefined) {
    throw new Refusal(
      'not_found',
      `no period of tenant "${tenant_id}" begins in ${month}`,
      advise`see ${{ operation: 'tenant list' }}, or choose another month`,
    );
  }
  if (row.close !== 'closed') {
    throw new Refusal(
      'conflict',
      `the period of tenant "${tenant_id}" from ${row.period_start} is not closed`,
      advise`close it first, with ${{ operation: 'close', month: row.period_start.slice(0, 7), tenant_id: row.tenant_id }}`,
    );
  }
  if (row.told === 'not_due') {
    throw new Refusal(
      'conflict',
      `nothing of tenant "${tenant_id}" period ${row.period_start} is due`,
      'nothing is to be settled: what was billed elsewhere needs no record here',
    );
  }
}

const unsettle: Act = {
  name: 'unsettle',
  title: 'Take back what was settled',
  words:
    'What was recorded as billed elsewhere and was not is due again, and the next push bills it; say in the reason why.',
  route: 'POST /v1/settlements/{identifier}/reverse',
  fields: [{ name: 'identifier', label: 'Identifier', isRequired: true }],
  async preview({ parts, said }) {
    const settled = await readStandingSettlement(parts.database, said['identifier'] ?? '');
    return facts([
      ['Tenant', tenantLink(settled.tenantId)],
      ['Period', settled.periodStart],
      ['Counts as told no more, in millionths', countText(String(settled.valueMicro))],
      ['It was recorded as', settled.lastAnswer ?? 'settled'],
    ]);
  },
  done(answer) {
    const { tenant_id, currency, taken_back, due } = answer as UnsettleAnswer;
    const major = (micro: string) => formatDecimal(BigInt(micro), 6);
    return html`<p>${amount(major(taken_back), currency)} of ${tenantLink(tenant_id)} counts as told no more; ${amount(major(due), currency)} is due.</p>`;
  },
  back: () => '/console/month',
};

const resolveAlert: Act = {
  name: 'resolve-alert',
  title: 'Settle an alert',
  words: 'Say what was done about it; it keeps no month from being whole any more.',
  route: 'POST /v1/alerts/{alert}/resolve',
  fields: [
    { name: 'alert_id', label: 'Alert', isRequired: true },
    {
      name: 'nothing_else_billed',
      label: 'Nothing else billed',
      choices: ['no', 'yes'],
      hint: 'yes of an invoice that differs, where nothing was billed by hand or stands on it that is not recorded as settled',
    },
  ],
  read: ({ alert_id = '', nothing_else_billed: said }) => ({
    alert_id,
    ...(said === 'yes' ? { nothing_else_billed: true } : {}),
  }),
  async preview({ parts, said }) {
    const alerts = await listAlerts(parts, readRequest(alertsRequest, { all: true }));
    const alert = alerts.find(({ alert_id: id }) => id === said['alert_id']);
    if (alert !== undefined && alert.resolution === null) return alertOf(alert);
    throw new Refusal(
      alert === undefined ? 'not_found' : 'conflict',
      alert === undefined
        ? `there is no alert ${said['alert_id']}`
        : `alert ${alert.alert_id} is settled already: ${alert.resolution}`,
      advise`see ${{ operation: 'stripe alerts', all: true }}`,
    );
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

const unpark: Act = {
  name: 'unpark',
  title: 'Decide a parked push',
  words:
    'Stripe’s own count decides: what it holds is confirmed, and what it has lacked for a day is told anew by the next push.',
  route: 'POST /v1/pushes/{identifier}/unpark',
  fields: [{ name: 'identifier', label: 'Identifier', isRequired: true }],
  async preview({ parts, said }) {
    const request = readRequest(pushesRequest, {
      tenant_id: null,
      month: null,
      state: 'parked' as const,
      cursor: null,
      limit: PARKED_READ,
    });
    const { pushes } = await listPushes(parts, request);
    const push = pushes.find(({ identifier }) => identifier === said['identifier']);
    if (push === undefined) {
      return html`<p>It is not among those that are parked. One that Stripe confirmed and counts no more may be decided, too.</p>`;
    }
    return facts([
      ['Tenant', tenantLink(push.tenant_id)],
      ['Period', push.period_start],
      ['Destination', push.destination],
      ['Told, in millionths', countText(push.value)],
      ['Attempts', countText(push.attempts)],
      ['Last answer', push.last_answer ?? 'none'],
    ]);
  },
  done(answer) {
    const { state, detail } = answer as UnparkAnswer;
    return html`<p>${chip(state, state === 'confirmed' ? 'good' : 'warn')} ${detail}</p>`;
  },
  back: () => '/console/month',
};

const PARKED_READ = 1_000;

export const STRIPE_ACTS: readonly Act[] = [release, settle, unsettle, resolveAlert, unpark];
