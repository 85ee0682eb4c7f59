import { html } from 'hono/html';
import { listRaises } from '../../budgets/raises/ask-raise.ts';
import { type RaisesAnswer, raisesRequest } from '../../budgets/raises/raise-answer.ts';
import { monthAfter } from '../../clock.ts';
import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import type { StatusAnswer } from '../../month/status/status-answer.ts';
import { type Intake, tellIntake } from '../../month/status/tell-intake.ts';
import type { KeptAnswer } from '../../reports/kept-answers.ts';
import type { OverviewAnswer } from '../../reports/overview/overview-answer.ts';
import { overviewRequest } from '../../reports/overview/overview-answer.ts';
import { reportOverview } from '../../reports/overview/report-overview.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import {
  amount,
  amountOr,
  countText,
  dayBefore,
  dayText,
  exactSum,
  type Html,
  instantOr,
  monthText,
  percent,
} from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { bar, dailyChart, sparkline } from '../view/pictures.ts';
import { address, card, dataTable, link, panel, tenantLink } from '../view/table.ts';
import { chargeComparison, marginComparison, projectionWords } from './comparison.ts';
import { keptStatus } from './kept-status.ts';
import { leftOwedPanel, missingTable, waitingDuePanel } from './missing-table.ts';
import {
  asOfBeside,
  asOfWords,
  type ConsolePage,
  monthSaid,
  type PageAsked,
  said,
} from './page-asked.ts';
import { raisesTable } from './raises-table.ts';

/** The order in which people look: money, days, tenants, and whether it agrees. */
export const overviewPage: ConsolePage = {
  path: '/console',
  async render(asked): Promise<Page> {
    const { parts, query } = asked;
    const request = readRequest(overviewRequest, {
      month: monthSaid(asked),
      currency: said(query, 'currency'),
      tenant_id: null,
      limit: TENANTS_SHOWN,
    });
    const { answer: overview, asOf } = await asked.kept.ask(['overview', request], () =>
      reportOverview(parts, request),
    );
    const status = await keptStatus(asked);
    const intake = await tellIntake(parts);
    const raises = await listRaises(
      parts,
      readRequest(raisesRequest, { tenant_id: null, all: false }),
    );
    const body = bodyOf(asked, { overview, asOf, status, intake, raises });
    return { title: 'Overview', nav: 'Overview', body };
  },
};

const TENANTS_SHOWN = 8;
const MISSING_SHOWN = 8;

function bodyOf(
  asked: PageAsked,
  {
    overview,
    asOf,
    status: { answer: status, asOf: statusAsOf },
    intake,
    raises,
  }: {
    readonly overview: OverviewAnswer;
    readonly asOf: string | null;
    readonly status: KeptAnswer<StatusAnswer>;
    readonly intake: Intake;
    readonly raises: RaisesAnswer;
  },
): Html {
  return html`${topOf(asked, overview, asOf)}${cardsOf(overview, status)}
${panel('Usage a day by model', dailyChart(dailyFiguresOf(overview), 'days'))}
${raises.length === 0 ? '' : panel('Requests to raise a limit', raisesTable(asked, raises))}
${missingPanel(asked, status.missing, statusAsOf)}${leftOwedPanel(status.left_owed)}${waitingDuePanel(status.waiting_due)}
<div class="two">${tenantsPanel(overview)}${pipelinePanel(status, intake, statusAsOf)}</div>`;
}

function topOf(
  asked: PageAsked,
  { month, currency, currencies, to_date }: OverviewAnswer,
  asOf: string | null,
): Html {
  const tabs = currencies.map((name) =>
    name === currency
      ? html`<a href="${address('/console', { month, currency: name })}" aria-current="true">${name}</a>`
      : html`<a href="${address('/console', { month, currency: name })}">${name}</a>`,
  );
  const { running_month: running, ended_month: ended } = asked.freshness;
  const months = [running, ended].map((name) =>
    name === month
      ? html`<a href="${address('/console', { month: name })}" aria-current="true">${monthText(name)}</a>`
      : html`<a href="${address('/console', { month: name })}">${monthText(name)}</a>`,
  );
  const switches = html`<nav class="tabs" aria-label="Month">${months}</nav>${tabs.length > 1 ? html`<nav class="tabs" aria-label="Currency">${tabs}</nav>` : ''}`;
  return html`<div class="head"><div><h1>${monthText(month)}</h1><p class="sub">${dayText(to_date.from)} to ${dayText(dayBefore(to_date.to))}, days in UTC · ${counted(to_date.entries, 'entry', 'entries')}${asOfWords(asOf)}</p></div><div class="actions">${switches}${link('/console/exports', 'Exports')}</div></div>`;
}

function cardsOf(overview: OverviewAnswer, status: StatusAnswer): Html {
  const { to_date: now, before, currency, projection } = overview;
  const margin =
    now.margin_percent === null
      ? html`<span class="soft">unknown</span>`
      : percent(now.margin_percent);
  const untold = status.missing.filter(({ kind }) => UNEXPLAINED.has(kind));
  const agreement =
    untold.length === 0
      ? html`<span class="up">nothing untold, unbilled or alerted</span>`
      : html`<span class="down">${countText(untold.length)} to look at</span>`;
  return html`<div class="cards">
${card('Charged, month to date', amount(now.charge, currency), chargeComparison(now, before, currency))}
${card('Provider cost', amountOr(now.cost, currency, 'unknown'), now.cost === null ? html`${counted(now.entries_without_cost, 'entry', 'entries')} without a known cost` : html`last month ${amountOr(before.cost, currency, 'unknown')}`)}
${card('Gross margin', margin, marginComparison(now, before, currency))}
${card('Projected month end', projection === null ? html`<span class="soft">—</span>` : amount(projection.charge, currency), projectionWords(projection))}
${card('Unexplained against Stripe', sumUntold(untold, currency), agreement)}
</div>`;
}

const UNEXPLAINED: ReadonlySet<MissingThing['kind']> = new Set([
  'untold',
  'unbilled',
  'on_two_invoices',
  'on_voided_invoice',
  'alert',
]);

function sumUntold(things: readonly MissingThing[], currency: string): Html {
  const own = things.filter((thing) => thing.amount !== null && thing.currency === currency);
  return amount(exactSum(own.map((thing) => thing.amount ?? '0')), currency);
}

/** Renders the days of an overview, as the chart of a statement takes them. */
export function dailyFiguresOf({ month, days, currency, to_date }: OverviewAnswer) {
  const daily = days.map((day) => ({ ...day, late: false }));
  const period = {
    start: to_date.from,
    starts_at: `${month}-01T00:00:00Z`,
    ends_at: `${monthAfter(month)}-01T00:00:00Z`,
    time_zone: 'UTC',
  };
  return { daily, period, currency };
}

function missingPanel(
  asked: PageAsked,
  missing: readonly MissingThing[],
  asOf: string | null,
): Html {
  const more = missing.length - MISSING_SHOWN;
  const all = more > 0 ? link('/console/month', `all ${countText(missing.length)} →`) : '';
  return panel(
    'What keeps a month from being whole',
    missingTable(asked, missing, MISSING_SHOWN),
    html`${all}${all === '' ? asOfBeside(asOf) : asOfWords(asOf)}`,
  );
}

function tenantsPanel({ tenants, tenants_in_all, currency, to_date, month }: OverviewAnswer): Html {
  const all = link(address('/console/tenants', { month }), `all ${countText(tenants_in_all)} →`);
  const body = dataTable({
    caption: 'Tenants by charge',
    rows: tenants,
    empty: 'Nothing was charged in these days.',
    columns: [
      { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
      {
        title: `Since ${dayText(to_date.from)}`,
        minor: true,
        cell: (row) => sparkline(row.days, `charge of ${row.tenant_id} a day`),
      },
      { title: 'Charged', figure: true, cell: (row) => amount(row.charge, currency) },
      { title: 'Margin', figure: true, cell: marginCell },
    ],
  });
  return panel('Tenants by charge', body, all);
}

function marginCell({
  margin_percent: share,
  entries_without_cost: uncosted,
  entries_without_price: uncharged,
}: OverviewAnswer['tenants'][number]): Html {
  if (uncosted > 0) return html`<span class="soft">cost unknown</span>`;
  if (uncharged > 0)
    return html`<span class="soft">${counted(uncharged, 'entry', 'entries')} without a price</span>`;
  const isLoss = share?.startsWith('-') ?? false;
  return html`${bar(share, isLoss ? 'bad' : 'good')} ${percent(share, 'none')}`;
}

function pipelinePanel(status: StatusAnswer, intake: Intake, asOf: string | null): Html {
  const row = (words: string, value: Html | string, tone: 'good' | 'warn' | 'bad') =>
    html`<li><span class="dot ${tone}"></span>${words}<span class="value">${value}</span></li>`;
  const isZero = (value: number) => (value === 0 ? 'good' : 'warn');
  const duplicates = status.second_reports.reduce((sum, { count: of }) => sum + of, 0);
  const lag = status.lag_seconds;
  return panel(
    'Pipeline',
    html`<ul class="pipe">
${row('Last batch', instantOr(status.last_batch_at, 'none yet'), 'good')}
${row('Received in the last hour', countText(intake.received), 'good')}
${row('New in the ledger', countText(intake.posted), 'good')}
${row('Duplicates left out', countText(intake.duplicates), 'good')}
${row('Conflicts', countText(intake.conflicts), isZero(intake.conflicts))}
${row('Waiting in the queue', status.queue === null ? 'not asked' : countText(status.queue), isZero(status.queue ?? 0))}
${row('Lag', lag === null ? 'unknown' : `${countText(lag)} s`, (lag ?? 0) > 60 ? 'warn' : 'good')}
${row('Quarantined', link('/console/quarantine', countText(status.quarantine)), isZero(status.quarantine))}
${row('Second reports of calls', countText(duplicates), 'good')}
${row('Batches behind in rollups', countText(status.rollups_behind), isZero(status.rollups_behind))}
${row('Batches behind in seals', countText(status.seals_behind), status.seals_behind > 10 ? 'warn' : 'good')}
${row('Open alerts', link('/console/alerts', countText(status.alerts)), status.alerts === 0 ? 'good' : 'bad')}
${row('Periods that ended and are not closed', link('/console/month', countText(status.ended_periods)), isZero(status.ended_periods))}
</ul>${status.not_asked.map((words) => html`<p class="hint">${words}</p>`)}`,
    asOfBeside(asOf),
  );
}
