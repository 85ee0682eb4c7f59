import { html } from 'hono/html';
import { monthAfter } from '../../clock.ts';
import { counted } from '../../counted.ts';
import { type MissingThing, missingRequest } from '../../month/completeness/missing-answer.ts';
import { nameMissing } from '../../month/completeness/name-missing.ts';
import {
  type MonthTableAnswer,
  monthTableRequest,
  type PeriodSteps,
} from '../../month/table/month-table-answer.ts';
import { tellMonthTable } from '../../month/table/tell-month-table.ts';
import { readRequest } from '../../request.ts';
import {
  amountOr,
  amountText,
  countText,
  exactSum,
  type Html,
  instantOr,
  monthText,
} from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { bar } from '../view/pictures.ts';
import {
  actLink,
  address,
  card,
  chip,
  dataTable,
  headOf,
  link,
  pager,
  panel,
  type Tone,
  tabs,
  tenantLink,
} from '../view/table.ts';
import { missingTable } from './missing-table.ts';
import { asOfWords, type ConsolePage, type PageAsked, said } from './page-asked.ts';

/** The month: what is missing comes first, then every tenant by step, with the run's own steps. */
export const monthPage: ConsolePage = {
  path: '/console/month',
  async render(asked): Promise<Page> {
    const month = said(asked.query, 'month') ?? asked.freshness.ended_month;
    const { answer: table } = await asked.kept.ask(['month', month], () =>
      tellMonthTable(asked.parts, readRequest(monthTableRequest, { month })),
    );
    const { answer: missing, asOf } = await asked.kept.ask(['missing', month], () =>
      nameMissing(asked.parts, readRequest(missingRequest, { month, tenant_id: null })),
    );
    return {
      title: monthText(month),
      nav: 'The month',
      body: html`${topOf(asked, table, missing)}${cardsOf(table, missing)}
${panel('What is missing from this month', missingTable(asked, missing), html`${asOfWords(asOf)}`)}
${stepsPanel(table)}${tenantsPanel(asked, table)}`,
    };
  },
};

function topOf(
  asked: PageAsked,
  { month, periods, steps }: MonthTableAnswer,
  missing: readonly MissingThing[],
): Html {
  const { freshness } = asked;
  const last = steps.at(-1);
  const run =
    last === undefined
      ? 'its run has not begun'
      : html`last step ${last.step}, ${last.state}, ${instantOr(last.started_at, '')}`;
  const totals = [...Map.groupBy(periods, ({ currency }) => currency ?? '')]
    .filter(([currency]) => currency !== '')
    .map(([currency, of]) => amountText(exactSum(of.map(({ charge }) => charge)), currency));
  const sub = html`${counted(periods.length, 'period')} · ${totals.length === 0 ? 'nothing' : totals.join(', ')} charged · ${run}`;
  const months = [
    ...new Set([monthAfter(month, -1), month, freshness.ended_month, freshness.running_month]),
  ].sort();
  return headOf(monthText(month), sub, [
    missing.length === 0
      ? chip('whole', 'good')
      : chip(`${counted(missing.length, 'thing needs', 'things need')} a person`, 'warn'),
    tabs(
      'Month',
      months.map((name) => ({
        words: monthText(name),
        href: address('/console/month', { month: name }),
        isTaken: name === month,
      })),
    ),
    actLink(asked, 'Close', { act: 'close', query: { month } }),
    actLink(asked, 'Tell Stripe', { act: 'push', query: { month } }),
    actLink(asked, 'Compare', { act: 'reconcile', query: { month } }),
  ]);
}

function cardsOf({ periods }: MonthTableAnswer, missing: readonly MissingThing[]): Html {
  const closed = periods.filter(({ close }) => close === 'closed');
  const due = closed.filter(({ told }) => told !== 'not_due');
  const told = due.filter((row) => row.told === 'told' || row.told === 'settled');
  const found = told.filter((row) => row.found === true);
  const billed = told.filter((row) => row.invoice === 'finalized');
  const untold = missing.filter(({ kind }) =>
    ['untold', 'unbilled', 'on_two_invoices', 'on_voided_invoice', 'alert'].includes(kind),
  );
  return html`<div class="cards">
${progressCard('Closed', closed.length, periods.length)}
${progressCard('Told to Stripe', told.length, due.length)}
${progressCard('Found in Stripe', found.length, told.length)}
${progressCard('Invoiced', billed.length, told.length)}
${card('Unexplained', countText(untold.length), untold.length === 0 ? html`<span class="up">nothing untold, unbilled or alerted</span>` : html`<span class="down">to look at below</span>`)}
</div>`;
}

function progressCard(title: string, done: number, all: number): Html {
  const share = all === 0 ? '100' : String(Math.floor((done * 100) / all));
  return card(
    title,
    `${countText(done)} / ${countText(all)}`,
    bar(share, done >= all ? 'good' : 'warn'),
  );
}

const STEP_TONES: Readonly<Record<MonthTableAnswer['steps'][number]['state'], Tone>> = {
  running: 'plain',
  done: 'good',
  unfinished: 'warn',
  wrong: 'bad',
};

function stepsPanel({ steps }: MonthTableAnswer): Html {
  if (steps.length === 0) return html``;
  const isRunning = steps.some(({ state }) => state === 'running');
  const live = isRunning
    ? html`<p class="hint" role="status">A step goes on; open the page again to see how far it is.</p>`
    : '';
  return panel(
    'The run, step by step',
    html`<ol class="steps">${steps.map((step) => html`<li>${chip(step.state, STEP_TONES[step.state])}<span><b>${step.step}</b> ${step.detail ?? ''} <span class="soft">${instantOr(step.started_at, '')}</span></span></li>`)}</ol>${live}`,
  );
}

const ROWS_SHOWN = 100;

function tenantsPanel({ query }: PageAsked, { periods, month }: MonthTableAnswer): Html {
  const from = Math.max(0, Number(/^\d{1,7}$/.exec(query.get('from') ?? '')?.[0] ?? 0));
  const at = (row: number) => address('/console/month', { month, from: String(row) });
  const body = dataTable({
    caption: 'Tenants, step by step',
    rows: periods.slice(from, from + ROWS_SHOWN),
    empty: 'No period begins in this month.',
    columns: [
      { title: 'Tenant', cell: (row: PeriodSteps) => tenantLink(row.tenant_id) },
      {
        title: 'Charge',
        figure: true,
        cell: (row: PeriodSteps) => amountOr(row.charge, row.currency, '—'),
      },
      {
        title: 'Close',
        cell: (row: PeriodSteps) => chip(CLOSES[row.close].words, CLOSES[row.close].tone),
      },
      {
        title: 'Told',
        cell: (row: PeriodSteps) =>
          chip(
            row.mode === 'shadow' && row.told === 'not_due'
              ? 'shadow, nothing due'
              : TOLD[row.told].words,
            TOLD[row.told].tone,
          ),
      },
      {
        title: 'In Stripe',
        cell: (row: PeriodSteps) =>
          row.found === null
            ? chip('—', 'plain')
            : row.found
              ? chip('found', 'good')
              : chip('waits', 'plain'),
      },
      { title: 'Invoice', cell: invoiceChip },
      {
        title: 'Statement',
        figure: true,
        cell: (row: PeriodSteps) =>
          row.close === 'closed'
            ? link(
                `/console/statements/${encodeURIComponent(row.tenant_id)}/${row.period_start.slice(0, 7)}`,
                'Open',
              )
            : '—',
      },
    ],
  });
  const ways = pager(
    from === 0 ? null : at(Math.max(0, from - ROWS_SHOWN)),
    from + ROWS_SHOWN >= periods.length ? null : at(from + ROWS_SHOWN),
  );
  return panel('Tenants, step by step', html`${body}${ways}`, 'what is behind comes first');
}

const CLOSES: Readonly<
  Record<PeriodSteps['close'], { readonly words: string; readonly tone: Tone }>
> = {
  open: { words: 'open', tone: 'plain' },
  ended: { words: 'ended, not closed', tone: 'warn' },
  closed: { words: 'closed', tone: 'good' },
};

const TOLD: Readonly<Record<PeriodSteps['told'], { readonly words: string; readonly tone: Tone }>> =
  {
    waits: { words: '—', tone: 'plain' },
    not_due: { words: 'nothing due', tone: 'plain' },
    untold: { words: 'not told', tone: 'bad' },
    unanswered: { words: 'no answer yet', tone: 'warn' },
    told: { words: 'told', tone: 'good' },
    settled: { words: 'settled elsewhere', tone: 'good' },
  };

function invoiceChip({ invoice, invoices }: PeriodSteps): Html {
  if (invoices > 1) return chip(`${invoices} invoices`, 'bad');
  if (invoice === null) return chip('—', 'plain');
  return chip(
    invoice === 'finalized' ? 'invoiced' : invoice,
    invoice === 'finalized' ? 'good' : invoice === 'void' ? 'bad' : 'plain',
  );
}
