import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import { listPeriods } from '../../audit/list-entries.ts';
import { periodsRequest } from '../../audit/lists-answer.ts';
import type { StoryPeriod } from '../../audit/story-answer.ts';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { IssuerAnswer } from '../../issuer/issuer-answer.ts';
import { DEFAULT_ISSUER } from '../../issuer/issuer-answer.ts';
import { showIssuer } from '../../issuer/set-issuer.ts';
import { overviewRequest } from '../../reports/overview/overview-answer.ts';
import { reportOverview } from '../../reports/overview/report-overview.ts';
import { reportUsage } from '../../reports/report-usage.ts';
import { type UsageGroup, usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import { statementNumber } from '../../statements/statement-number.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import { showTenantRequest } from '../../tenants/tenant-answer.ts';
import {
  amount,
  amountText,
  dayText,
  type Html,
  instantDay,
  localWriting,
  monthText,
} from '../view/amounts.ts';
import { dailyChart } from '../view/pictures.ts';
import { dataTable, link, NOTHING, panel, ways } from '../view/table.ts';
import { budgetCards } from './customer-budgets.ts';
import {
  type CustomerMonth,
  monthCards,
  readCustomerMonth,
  upToDateWords,
} from './customer-month.ts';
import { type CustomerDimension, dimensionOf, unpaidPanel, usagePanel } from './customer-usage.ts';

/** What the customer's page is asked with; whoever it is sees one tenant, through the wall. */
export interface CustomerAsked {
  /** Its `view` is the database as the tenant may see it. */
  readonly parts: ApiParts;
  readonly tenantId: string;
  /** The address of the page, below which its documents are. */
  readonly at: string;
  /** The end of the link; null where a key opened the page. */
  readonly endsAt: InstantMs | null;
  readonly locale: string;
  readonly query: URLSearchParams;
}

/** The month so far, what it will come to, what is left of the budget, where it went, and the statements. */
export async function customerBody(asked: CustomerAsked): Promise<Html> {
  const { parts, tenantId: tenant_id, query, locale } = asked;
  const overview = await reportOverview(
    parts,
    readRequest(overviewRequest, { month: null, currency: null, tenant_id, limit: 1 }),
  );
  const tenant = await showTenant(parts, readRequest(showTenantRequest, { tenant_id, most: 1 }));
  const { time_zone: zone } = tenant.calendar_now;
  const periods = await periodsOf(asked);
  const running = periods.find((row) => row.state === 'open' && isWithin(row, overview.at)) ?? null;
  const by = dimensionOf(query.get('by'));
  const budgets = await listBudgets(parts, { tenant_id, as_of: null });
  const issuer = await showIssuer(parts);
  const of = await readCustomerMonth(asked, { running, periods, overview });
  const isShadow = (of.statement?.mode ?? tenant.mode) === 'shadow';
  const groups = of.statement === null ? await groupsOf(asked, by, of) : [];
  const unpaid = of.statement === null ? '' : unpaidPanel(of.statement, locale);
  return html`${headOf(asked, issuer, { running, zone, of, at: overview.at })}<div class="cards">
${monthCards(of, isShadow, locale)}
${budgetCards(budgets, locale)}</div>
${panel('Usage a day by model', dailyChart(of.figures, 'days', localWriting(locale)))}
<div class="two">${usagePanel(asked, { by, month: of, groups })}${unpaid}</div>
${statementsPanel(asked, periods)}${endOf(asked, issuer)}`;
}

/** The usage of a month that has no open period any more, as reports have it. */
async function groupsOf(
  { parts, tenantId: tenant_id }: CustomerAsked,
  by: CustomerDimension,
  { month, currency }: CustomerMonth,
): Promise<readonly UsageGroup[]> {
  const bounds = { month, from: null, to: null, as_of: null };
  const { rows } = await reportUsage(
    parts,
    readRequest(usageRequest, { by: [by], tenant_id, ...bounds }),
  );
  return rows.filter((row) => row.currency === currency);
}

async function periodsOf({ parts, tenantId }: CustomerAsked): Promise<readonly StoryPeriod[]> {
  const asked = {
    tenant_id: tenantId,
    month: null,
    state: null,
    as_of: null,
    limit: PERIODS_SHOWN,
    cursor: null,
  };
  return (await listPeriods(parts, readRequest(periodsRequest, asked))).periods;
}

const PERIODS_SHOWN = 36;

function isWithin({ starts_at, ends_at }: StoryPeriod, at: string): boolean {
  const day = at.slice(0, 19);
  return starts_at.slice(0, 19) <= day && day < ends_at.slice(0, 19);
}

function headOf(
  asked: CustomerAsked,
  issuer: IssuerAnswer,
  head: {
    readonly running: StoryPeriod | null;
    readonly zone: string;
    readonly of: CustomerMonth;
    readonly at: string;
  },
): Html {
  const { running, zone, of, at: asOf } = head;
  const { tenantId, locale, at } = asked;
  const name = issuer.name ?? DEFAULT_ISSUER;
  const mark =
    issuer.logo === null
      ? html`<span class="mark" aria-hidden="true">${[...name][0]}</span>`
      : html`<img src="${issuer.logo}" alt="">`;
  const bounds =
    running === null
      ? ''
      : html`<p>Billing month from ${instantDay(running.starts_at, zone, locale)} until ${instantDay(running.ends_at, zone, locale)}, ${zone}</p>`;
  return html`<div class="head"><div class="seller">${mark}<div><p><bdi>${name}</bdi></p><h1>Usage of <bdi>${of.statement?.customer.name ?? tenantId}</bdi></h1></div></div><div class="right soft">${bounds}<p>${upToDateWords(asOf, locale)} · <a href="${at}">show what is new</a></p></div></div>`;
}

function statementsPanel({ at, locale }: CustomerAsked, periods: readonly StoryPeriod[]): Html {
  const closed = periods.filter(({ state }) => state === 'closed');
  const documents = ({ period_start: start }: StoryPeriod) => {
    const below = `${at}/statements/${start.slice(0, 7)}`;
    return ways([
      link(`${below}/html`, 'View'),
      link(`${below}/pdf`, 'PDF'),
      link(`${below}/csv`, 'CSV'),
      link(`${below}/proof`, 'Check it yourself'),
    ]);
  };
  return panel(
    'Statements',
    dataTable({
      caption: 'Statements',
      rows: closed,
      empty: 'The first statement comes when the month has ended.',
      columns: [
        { title: 'Month', cell: (row: StoryPeriod) => monthText(row.period_start, locale) },
        {
          title: 'Statement',
          minor: true,
          cell: (row: StoryPeriod) =>
            html`<span class="hash">${statementNumber(row.tenant_id, row.period_start)}</span>`,
        },
        { title: 'From', cell: (row: StoryPeriod) => dayText(row.period_start, locale) },
        {
          title: 'Invoice',
          minor: true,
          cell: (row: StoryPeriod) => (row.invoice_id === null ? NOTHING : row.invoice_id),
        },
        { title: 'Due', figure: true, cell: (row: StoryPeriod) => dueOf(row, locale) },
        { title: 'Document', figure: true, cell: documents },
      ],
    }),
    closed.length === 0 ? '' : link(`${at}/statements/all.csv`, 'All of them as CSV'),
  );
}

/** A month that was closed in shadow mode was metered, and nothing of it is due (R19). */
function dueOf({ charge_total: total, currency, mode }: StoryPeriod, locale: string): Html {
  if (total === null || currency === null) return html`—`;
  if (mode === 'live') return amount(total, currency, locale);
  return html`<span>${amount('0', currency, locale)}<br><span class="soft">${amountText(total, currency, locale)} metered, in shadow mode</span></span>`;
}

function endOf({ endsAt, locale, tenantId }: CustomerAsked, issuer: IssuerAnswer): Html {
  const { support_url: url, support_email: email } = issuer;
  const place =
    url !== null
      ? html` Questions: <a href="${url}">${url}</a>`
      : email !== null
        ? html` Questions: <a href="mailto:${email}">${email}</a>`
        : '';
  const until =
    endsAt === null
      ? ''
      : html`This link is for <bdi>${tenantId}</bdi> and ends on ${instantDay(formatInstant(endsAt), 'UTC', locale)}. Whoever has it sees this page.`;
  return html`<p class="end">${until}${place}</p>`;
}
