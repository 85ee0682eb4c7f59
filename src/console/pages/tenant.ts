import { html } from 'hono/html';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { listRaises } from '../../budgets/raises/ask-raise.ts';
import { raisesRequest } from '../../budgets/raises/raise-answer.ts';
import { monthAfter } from '../../clock.ts';
import { exactPico } from '../../money.ts';
import { undoneBy } from '../../push/unsettle-period.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { overviewRequest } from '../../reports/overview/overview-answer.ts';
import { reportOverview } from '../../reports/overview/report-overview.ts';
import { reportTagCoverage } from '../../reports/report-tag-coverage.ts';
import type { TagCoverageAnswer } from '../../reports/tag-coverage-answer.ts';
import { tagCoverageRequest } from '../../reports/tag-coverage-answer.ts';
import type { Dimension, UsageAnswer } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import { type ShownTenantAnswer, showTenantRequest } from '../../tenants/tenant-answer.ts';
import { counted } from '../../text/counted.ts';
import {
  amount,
  amountOr,
  countText,
  dayText,
  type Html,
  instantOr,
  monthText,
  percent,
} from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { bar, dailyChart } from '../view/pictures.ts';
import {
  actLink,
  address,
  card,
  chip,
  dataTable,
  facts,
  headOf,
  link,
  panel,
  tabs,
  ways,
} from '../view/table.ts';
import { budgetsPanel } from './budgets-panel.ts';
import { chargeComparison, marginComparison, projectionWords } from './comparison.ts';
import { keptStatus } from './kept-status.ts';
import { missingTable } from './missing-table.ts';
import { dailyFiguresOf } from './overview.ts';
import { type ConsolePage, monthSaid, type PageAsked, said } from './page-asked.ts';
import { marginOf, modeChip } from './tenants.ts';
import { usageOfMonth } from './usage-by.ts';

/** Everything of one tenant: its month, its usage by what it asks, its periods, budgets and settings. */
export const tenantPage: ConsolePage = {
  path: '/console/tenants/:tenant',
  async render(asked): Promise<Page> {
    const { parts, path, query } = asked;
    const tenant_id = path['tenant'] ?? '';
    const month = monthSaid(asked);
    const tenant = await showTenant(
      parts,
      readRequest(showTenantRequest, { tenant_id, most: PERIODS_SHOWN }),
    );
    const overview = await reportOverview(
      parts,
      readRequest(overviewRequest, {
        month,
        currency: said(query, 'currency'),
        tenant_id,
        limit: 1,
      }),
    );
    const by = dimensionOf(said(query, 'by'));
    const usage = await usageOfMonth(parts, { by: [by], tenantId: tenant_id, month });
    const days = { month: null, from: `${month}-01`, to: `${monthAfter(month)}-01` };
    const coverage = await reportTagCoverage(
      parts,
      readRequest(tagCoverageRequest, { ...days, tenant_id }),
    );
    const budgets = await listBudgets(parts, { tenant_id, as_of: null });
    const raises = await listRaises(parts, readRequest(raisesRequest, { tenant_id, all: false }));
    // Whether an event stands under two tenants is asked of all of them.
    const { answer: status } = await keptStatus(asked);
    const own = status.missing.filter((thing) => thing.tenant_id === tenant_id);
    return {
      title: tenant_id,
      nav: 'Tenants',
      body: html`${topOf(asked, tenant, month)}${cardsOf(overview)}
${own.length === 0 ? '' : panel('What keeps its months from being whole', missingTable(asked, own))}
${panel('Usage a day by model', dailyChart(dailyFiguresOf(overview), 'days'))}
${usagePanel({ tenant_id, month, by }, usage)}
${periodsPanel(asked, tenant)}
${budgetsPanel(asked, { tenant_id, budgets, raises })}
<div class="even">${settingsPanel(tenant)}${coveragePanel(coverage)}</div>${historyPanel(tenant)}${pushesPanel(asked, tenant)}`,
    };
  },
};

const PERIODS_SHOWN = 24;

function topOf({ mayAct, freshness }: PageAsked, tenant: ShownTenantAnswer, month: string): Html {
  const { tenant_id } = tenant;
  const query = { tenant_id };
  const path = `/console/tenants/${encodeURIComponent(tenant_id)}`;
  const months = [...new Set([freshness.running_month, freshness.ended_month, month])];
  const { time_zone: zone, anchor_day: day } = tenant.calendar_now;
  const name = tenant.name === null ? '' : html`<bdi>${tenant.name}</bdi> · `;
  const sub = html`${name}${modeChip(tenant)} ${zone}, billing from day ${day} of the month · pays by ${tenant.price_book_now === null ? 'no book' : tenant.price_book_now.book}${tenant.price_book_now?.by_default === true ? ' (the default)' : ''}`;
  return headOf(html`<bdi>${tenant_id}</bdi>`, sub, [
    tabs(
      'Month',
      months.map((name) => ({
        words: monthText(name),
        href: address(path, { month: name }),
        isTaken: name === month,
      })),
    ),
    ...(tenant_id === UNATTRIBUTED
      ? [actLink({ mayAct }, 'Give calls to a tenant', { act: 'reattribute' })]
      : []),
    actLink({ mayAct }, 'Change', { act: 'set-tenant', query }),
    actLink({ mayAct }, 'Credit or fee', { act: 'adjust', query }),
    actLink({ mayAct }, 'Link for the customer', { act: 'create-link', query }),
    actLink({ mayAct }, 'Leaves', { act: 'close-tenant', query }),
    ...(tenant.leaves_at === null
      ? []
      : [actLink({ mayAct }, 'Stays', { act: 'keep-tenant', query })]),
  ]);
}

function cardsOf(overview: Awaited<ReturnType<typeof reportOverview>>): Html {
  const { to_date: now, before, currency, projection } = overview;
  return html`<div class="cards">
${card('Charged, month to date', amount(now.charge, currency), chargeComparison(now, before, currency))}
${card('Cost', amountOr(now.cost, currency, 'unknown'), html`${counted(now.entries, 'entry', 'entries')}`)}
${card('Margin', percent(now.margin_percent), marginComparison(now, before, currency))}
${card('Projected month end', projection === null ? html`<span class="soft">—</span>` : amount(projection.charge, currency), projectionWords(projection))}
</div>`;
}

const DIMENSIONS_SHOWN: Readonly<Partial<Record<Dimension, string>>> = {
  requested_model: 'model',
  feature: 'feature',
  user: 'user',
  agent_run: 'run',
  prompt_version: 'prompt version',
  layer: 'layer',
  provider: 'provider',
  outcome: 'outcome',
  day: 'day',
};

function dimensionOf(text: string | null): Dimension {
  return text !== null && Object.hasOwn(DIMENSIONS_SHOWN, text) ? (text as Dimension) : 'feature';
}

/** A dimension may have as many values as there are users: the largest charges are shown. */
const GROUPS_SHOWN = 40;

function usagePanel(
  of: { readonly tenant_id: string; readonly month: string; readonly by: Dimension },
  { rows }: UsageAnswer,
): Html {
  const { tenant_id, month, by } = of;
  const path = `/console/tenants/${encodeURIComponent(tenant_id)}`;
  const choices = Object.entries(DIMENSIONS_SHOWN).map(([name, words]) => ({
    words,
    href: address(path, { month, by: name }),
    isTaken: name === by,
  }));
  const largest =
    by === 'day'
      ? rows
      : rows.toSorted((a, b) => (exactPico(a.charge) < exactPico(b.charge) ? 1 : -1));
  const nameOf = (name: string | null | undefined) =>
    name == null ? html`<span class="soft">none</span>` : html`<bdi>${name}</bdi>`;
  const body = dataTable({
    caption: `Usage by ${DIMENSIONS_SHOWN[by]}`,
    rows: largest.slice(0, GROUPS_SHOWN),
    empty: 'There is no usage in this month.',
    columns: [
      {
        title: DIMENSIONS_SHOWN[by] ?? by,
        cell: (row) =>
          by === 'agent_run' && row.agent_run != null
            ? link(`/console/runs/${encodeURIComponent(row.agent_run)}`, row.agent_run)
            : nameOf(row[by]),
      },
      { title: 'Entries', figure: true, cell: (row) => countText(row.entries) },
      { title: 'Input tokens', figure: true, cell: (row) => countText(row.input_tokens) },
      { title: 'Output tokens', figure: true, cell: (row) => countText(row.output_tokens) },
      { title: 'Charged', figure: true, cell: (row) => amount(row.charge, row.currency) },
      { title: 'Cost', figure: true, cell: (row) => amountOr(row.cost, row.currency, 'unknown') },
      { title: 'Margin', figure: true, cell: marginOf },
    ],
  });
  const more =
    rows.length > GROUPS_SHOWN
      ? html`<p class="hint">The ${GROUPS_SHOWN} largest of ${countText(rows.length)}.</p>`
      : '';
  return panel(`Usage of ${monthText(month)}`, html`${body}${more}`, tabs('By', choices));
}

function periodsPanel({ mayAct }: PageAsked, { tenant_id, periods }: ShownTenantAnswer): Html {
  type Period = ShownTenantAnswer['periods'][number];
  const documents = ({ period_start, state }: Period) => {
    const at = `/console/statements/${encodeURIComponent(tenant_id)}/${period_start.slice(0, 7)}`;
    if (state !== 'closed')
      return actLink({ mayAct }, 'Close', {
        act: 'close',
        query: { month: period_start.slice(0, 7), tenant_id },
      });
    // Usage of nobody known has lines to look at, and no statement.
    if (tenant_id === UNATTRIBUTED) return link(at, 'Lines');
    return ways([
      link(at, 'Lines'),
      link(`${at}/html`, 'View'),
      link(`${at}/pdf`, 'PDF'),
      link(`${at}/proof`, 'Proof'),
    ]);
  };
  return panel(
    'Periods and statements',
    dataTable({
      caption: 'Periods',
      rows: periods,
      empty: 'It has no period yet.',
      columns: [
        { title: 'Begins', cell: (row) => dayText(row.period_start) },
        {
          title: 'State',
          cell: (row) => (row.state === 'closed' ? chip('closed', 'good') : chip('open', 'plain')),
        },
        { title: 'Mode', minor: true, cell: (row) => row.mode },
        { title: 'Entries', figure: true, cell: (row) => countText(row.entries) },
        {
          title: 'Charge',
          figure: true,
          cell: (row) => amountOr(row.charge_total ?? row.charge_exact, row.currency, '—'),
        },
        {
          title: 'Told',
          cell: (row) =>
            row.told === null
              ? html`<span class="soft">—</span>`
              : chip(row.told.replace('_', ' '), row.told === 'untold' ? 'warn' : 'good'),
        },
        { title: 'Invoice', minor: true, cell: (row) => row.invoice_id ?? '—' },
        { title: 'Closed', minor: true, cell: (row) => instantOr(row.closed_at, '—') },
        { title: 'Statement', figure: true, cell: documents },
      ],
    }),
  );
}

function coveragePanel(coverage: TagCoverageAnswer): Html {
  return panel(
    'Coverage of tags',
    dataTable({
      caption: 'Coverage of tags',
      rows: coverage,
      empty: 'There is no usage in this month.',
      columns: [
        { title: 'Tag', cell: (row) => row.tag.replace('_', ' ') },
        {
          title: 'Tagged entries',
          figure: true,
          cell: (row) => `${countText(row.tagged_entries)} of ${countText(row.entries)}`,
        },
        {
          title: 'Of the known cost',
          figure: true,
          cell: (row) => html`${bar(row.share, 'plain')} ${percent(row.share, 'unknown')}`,
        },
      ],
    }),
  );
}

function settingsPanel(tenant: ShownTenantAnswer): Html {
  return panel(
    'Settings',
    facts([
      ['Name on statements', html`<bdi>${tenant.name ?? 'its id'}</bdi>`],
      ['Address', html`<bdi>${tenant.address?.replaceAll('\n', ', ') ?? 'none'}</bdi>`],
      ['Contact', html`<bdi>${tenant.contact ?? 'none'}</bdi>`],
      ['Mode', tenant.mode],
      ['Billing time zone', tenant.time_zone],
      ['Anchor day', String(tenant.anchor_day)],
      ['Price book', tenant.price_book ?? 'the default'],
      ['Stripe customer', tenant.stripe_customer ?? 'none'],
      ['Made', instantOr(tenant.created_at, '—')],
      ['Registered', instantOr(tenant.registered_at, 'by nobody yet')],
      tenant.leaves_at === null
        ? ['Left', instantOr(tenant.left_at, 'no')]
        : ['Leaves at', instantOr(tenant.leaves_at, 'no')],
    ]),
  );
}

function historyPanel({ changes, price_books: books }: ShownTenantAnswer): Html {
  const rows = [
    ...changes.map((change) => ({
      at: change.at as string | null,
      what: change.setting.replace('_', ' '),
      was: change.was,
      became: change.became,
    })),
    ...books.map(({ effective_from, price_book }) => ({
      at: effective_from,
      what: 'price book from',
      was: null,
      became: price_book,
    })),
  ].toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1));
  return panel(
    'What was set, and when',
    dataTable({
      caption: 'History of the settings',
      rows,
      empty: 'Nothing was changed since it was made.',
      columns: [
        { title: 'When', cell: (row) => instantOr(row.at, 'since ever') },
        { title: 'What', cell: (row) => row.what },
        { title: 'Was', cell: (row) => row.was ?? '—' },
        { title: 'Became', cell: (row) => row.became ?? '—' },
      ],
    }),
  );
}

function pushesPanel({ mayAct }: PageAsked, { pushes, periods }: ShownTenantAnswer): Html {
  const currencies = new Map(periods.map((period) => [period.period_start, period.currency]));
  const standing = new Set(standingSettlements(pushes));
  return panel(
    'Pushes',
    dataTable({
      caption: 'Pushes to Stripe',
      rows: pushes,
      empty: 'Nothing of it was told to Stripe.',
      columns: [
        { title: 'Period', cell: (row) => dayText(row.period_start) },
        { title: 'Destination', minor: true, cell: (row) => row.destination },
        {
          title: 'Identifier',
          minor: true,
          cell: (row) => html`<span class="hash">${row.identifier}</span>`,
        },
        {
          title: 'Told',
          figure: true,
          cell: (row) =>
            amountOr(microToMajor(row.value), currencies.get(row.period_start) ?? null, row.value),
        },
        {
          title: 'State',
          cell: (row) =>
            html`${chip(row.state, row.state === 'confirmed' ? 'good' : 'warn')} ${row.state === 'parked' ? actLink({ mayAct }, 'Decide', { act: 'unpark', query: { identifier: row.identifier } }) : ''}${standing.has(row.identifier) ? actLink({ mayAct }, 'Take back', { act: 'unsettle', query: { identifier: row.identifier } }) : ''}`,
        },
        { title: 'Attempts', figure: true, cell: (row) => countText(row.attempts) },
        { title: 'Confirmed', minor: true, cell: (row) => instantOr(row.confirmed_at, 'not yet') },
      ],
    }),
  );
}

/** The identifiers of what was recorded as settled and not taken back. */
function standingSettlements(pushes: ShownTenantAnswer['pushes']): readonly string[] {
  const identifiers = new Set(pushes.map(({ identifier }) => identifier));
  return pushes
    .filter(({ destination, value }) => destination === 'settled' && !value.startsWith('-'))
    .map(({ identifier }) => identifier)
    .filter((identifier) => !identifiers.has(undoneBy(identifier)));
}

/** Whole millionths as an amount in the major unit. */
function microToMajor(micro: string): string {
  const digits = micro.replace('-', '').padStart(7, '0');
  return `${micro.startsWith('-') ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
