import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import { listPeriods } from '../../audit/list-entries.ts';
import { periodsRequest } from '../../audit/lists-answer.ts';
import type { StoryPeriod } from '../../audit/story-answer.ts';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { exactPico } from '../../money.ts';
import { overviewRequest } from '../../reports/overview/overview-answer.ts';
import { reportOverview } from '../../reports/overview/report-overview.ts';
import { reportUsage } from '../../reports/report-usage.ts';
import { type Dimension, type UsageGroup, usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import type { IssuerAnswer } from '../../statements/issuer/issuer-answer.ts';
import { DEFAULT_ISSUER } from '../../statements/issuer/issuer-answer.ts';
import { showIssuer } from '../../statements/issuer/set-issuer.ts';
import { statementNumber } from '../../statements/statement-number.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import { showTenantRequest } from '../../tenants/tenant-answer.ts';
import {
  amount,
  countText,
  dayText,
  exactSum,
  type Html,
  instantDay,
  localWriting,
  monthText,
} from '../view/amounts.ts';
import { dailyChart } from '../view/pictures.ts';
import { address, dataTable, link, NOTHING, panel, tabs, ways } from '../view/table.ts';
import { budgetCards } from './customer-budgets.ts';
import {
  type CustomerMonth,
  monthCards,
  readCustomerMonth,
  upToDateWords,
} from './customer-month.ts';

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
  const { time_zone: zone } = (
    await showTenant(parts, readRequest(showTenantRequest, { tenant_id, most: 1 }))
  ).calendar_now;
  const periods = await periodsOf(asked);
  const running = periods.find((row) => row.state === 'open' && isWithin(row, overview.at)) ?? null;
  const by = dimensionOf(query.get('by'));
  const usage = (of: readonly Dimension[]) =>
    reportUsage(
      parts,
      readRequest(usageRequest, {
        by: [...of],
        tenant_id,
        month,
        from: null,
        to: null,
        as_of: null,
      }),
    );
  const budgets = await listBudgets(parts, { tenant_id, as_of: null });
  const issuer = await showIssuer(parts);
  const of = await readCustomerMonth(asked, { running, overview });
  const { month, currency } = of;
  const groups = (await usage([by])).rows.filter((row) => row.currency === currency);
  const unpaid = (await usage(['kind', 'outcome'])).rows.filter((row) => row.currency === currency);
  return html`${headOf(asked, issuer, { running, zone, of, at: overview.at })}<div class="cards">
${monthCards(of, locale)}
${budgetCards(budgets, locale)}</div>
${panel('Usage a day by model', dailyChart(of.figures, 'days', localWriting(locale)))}
<div class="two">${usagePanel(asked, by, groups)}${unpaidPanel(unpaid, of, locale)}</div>
${statementsPanel(asked, periods)}${endOf(asked, issuer)}`;
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
      ? html`<span class="mark" aria-hidden="true">${name.slice(0, 1)}</span>`
      : html`<img src="${issuer.logo}" alt="">`;
  const bounds =
    running === null
      ? ''
      : html`<p>Billing month from ${instantDay(running.starts_at, zone, locale)} until ${instantDay(running.ends_at, zone, locale)}, ${zone}</p>`;
  return html`<div class="head"><div class="seller">${mark}<div><p><bdi>${name}</bdi></p><h1>Usage of <bdi>${of.name ?? tenantId}</bdi></h1></div></div><div class="right soft">${bounds}<p>${upToDateWords(asOf, locale)} · <a href="${at}">show what is new</a></p></div></div>`;
}

const DIMENSIONS: Readonly<Partial<Record<Dimension, string>>> = {
  feature: 'Feature',
  requested_model: 'Model',
  user: 'User',
  day: 'Day',
};

function dimensionOf(text: string | null): Dimension {
  return text !== null && Object.hasOwn(DIMENSIONS, text) ? (text as Dimension) : 'feature';
}

const GROUPS_SHOWN = 31;

function usagePanel(
  { at, locale }: CustomerAsked,
  by: Dimension,
  rows: readonly UsageGroup[],
): Html {
  const sorted =
    by === 'day'
      ? rows
      : rows.toSorted((a, b) => (exactPico(a.charge) < exactPico(b.charge) ? 1 : -1));
  const title = DIMENSIONS[by] ?? by;
  const choices = Object.entries(DIMENSIONS).map(([name, words]) => ({
    words,
    href: address(at, { by: name }),
    isTaken: name === by,
  }));
  const body = dataTable({
    caption: `Usage by ${title.toLowerCase()}`,
    rows: sorted.slice(0, GROUPS_SHOWN),
    empty: 'Nothing was used in this month yet.',
    columns: [
      { title, cell: (row: UsageGroup) => html`<bdi>${row[by] ?? 'not named'}</bdi>` },
      { title: 'Calls', figure: true, cell: (row: UsageGroup) => countText(row.entries, locale) },
      {
        title: 'Amount',
        figure: true,
        cell: (row: UsageGroup) => amount(row.charge, row.currency, locale),
      },
    ],
  });
  const more =
    rows.length > GROUPS_SHOWN
      ? html`<p class="hint">The ${GROUPS_SHOWN} largest of ${countText(rows.length, locale)}.</p>`
      : '';
  return panel(`By ${title.toLowerCase()}`, html`${body}${more}`, tabs('By', choices));
}

/** Calls that cost nothing, and what was credited. */
function unpaidPanel(
  rows: readonly UsageGroup[],
  { currency, cached, cachedCost }: CustomerMonth,
  locale: string,
): Html {
  const entries = (outcome: string) =>
    rows.filter((row) => row.outcome === outcome).reduce((sum, row) => sum + row.entries, 0);
  const credits = rows.filter(({ kind }) => kind === 'adjustment').map(({ charge }) => charge);
  const lines: readonly (readonly [string, Html | string])[] = [
    [callsText(entries('failed'), 'failed', locale), 'not charged'],
    [callsText(entries('cancelled'), 'cancelled', locale), 'not charged'],
    ...(cached > 0
      ? [
          [
            `${countText(cached, locale)} answers from a cache`,
            cachedCost ? 'charged as usual' : 'not charged',
          ] as const,
        ]
      : []),
    ...(entries('unrated') > 0
      ? [
          [
            `${callsText(entries('unrated'), '', locale)} without a price`,
            'not charged yet',
          ] as const,
        ]
      : []),
    ...(credits.length > 0
      ? [['Credits and fees', amount(exactSum(credits), currency, locale)] as const]
      : []),
  ];
  return panel(
    'What you did not pay for',
    html`<ul class="pipe">${lines.map(([words, value]) => html`<li>${words}<span class="value">${value}</span></li>`)}</ul><p class="hint">A failed call is one that gave no answer. A call that was repeated after an error, or reported twice, is charged once. An answer from a cache is one that was kept from an earlier call: your statement says under “Notes” what it costs.</p>`,
  );
}

function callsText(count: number, which: string, locale: string): string {
  const words = [countText(count, locale), which, count === 1 ? 'call' : 'calls'];
  return words.filter((word) => word !== '').join(' ');
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
        {
          title: 'Calls',
          figure: true,
          cell: (row: StoryPeriod) => countText(row.entries, locale),
        },
        {
          title: 'Total',
          figure: true,
          cell: (row: StoryPeriod) =>
            row.charge_total === null || row.currency === null
              ? '—'
              : amount(row.charge_total, row.currency, locale),
        },
        { title: 'Document', figure: true, cell: documents },
      ],
    }),
    closed.length === 0 ? '' : link(`${at}/statements/all.csv`, 'All of them as CSV'),
  );
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
