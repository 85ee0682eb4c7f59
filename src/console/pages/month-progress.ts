import { html } from 'hono/html';
import type { MonthTableAnswer, PeriodSteps } from '../../month/table/month-table-answer.ts';
import { amountOr, countText, type Html, instantOr } from '../view/amounts.ts';
import { bar } from '../view/pictures.ts';
import {
  address,
  card,
  chip,
  dataTable,
  link,
  pager,
  panel,
  type Tone,
  tenantLink,
} from '../view/table.ts';
import type { PageAsked } from './page-asked.ts';

/** Renders what of the month's page changes while its run goes on, by the names of its parts. */
export function monthProgress(
  { query }: Pick<PageAsked, 'query'>,
  table: MonthTableAnswer,
): Readonly<Record<'cards' | 'steps' | 'tenants', Html>> {
  const from = Math.max(0, Number(/^\d{1,7}$/.exec(query.get('from') ?? '')?.[0] ?? 0));
  return { cards: cardsOf(table), steps: stepsPanel(table), tenants: tenantsPanel(table, from) };
}

/** Says how far the run is, in one line for whoever hears the page. */
export function progressSaid({ is_running, steps }: MonthTableAnswer): string {
  const last = steps.at(-1);
  if (last === undefined) return is_running ? 'The run begins.' : '';
  if (is_running) return `The run goes on: ${last.step} ${last.state}.`;
  return `The run has ended: ${steps.filter(({ state }) => state === 'done').length} of ${steps.length} steps done.`;
}

function cardsOf({ periods }: MonthTableAnswer): Html {
  const closed = periods.filter(({ close }) => close === 'closed');
  const due = closed.filter(({ told }) => told !== 'not_due');
  const told = due.filter((row) => row.told === 'told' || row.told === 'settled');
  const found = told.filter((row) => row.found === true);
  const billed = told.filter((row) => row.invoice === 'finalized');
  return html`${progressCard('Closed', closed.length, periods.length)}
${progressCard('Told to Stripe', told.length, due.length)}
${progressCard('Found in Stripe', found.length, told.length)}
${progressCard('Invoiced', billed.length, told.length)}`;
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

function stepsPanel({ steps, is_running }: MonthTableAnswer): Html {
  if (steps.length === 0) return html``;
  // A run that died in a step left it so.
  const stateOf = (state: MonthTableAnswer['steps'][number]['state']) =>
    state === 'running' && !is_running ? chip('stopped', 'bad') : chip(state, STEP_TONES[state]);
  return panel(
    'The run, step by step',
    html`<ol class="steps">${steps.map((step) => html`<li>${stateOf(step.state)}<span><b>${step.step}</b> ${step.detail ?? ''} <span class="soft">${instantOr(step.started_at, '')}</span></span></li>`)}</ol>`,
  );
}

const ROWS_SHOWN = 60;

function tenantsPanel({ periods, month }: MonthTableAnswer, from: number): Html {
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
      { title: 'Told', cell: toldChip },
      { title: 'In Stripe', cell: foundChip },
      { title: 'Invoice', cell: invoiceChip },
      { title: 'Statement', figure: true, cell: statementLink },
    ],
  });
  const ways = pager(
    from === 0 ? null : at(Math.max(0, from - ROWS_SHOWN)),
    from + ROWS_SHOWN >= periods.length ? null : at(from + ROWS_SHOWN),
  );
  return panel('Tenants, step by step', html`${body}${ways}`, 'what is behind comes first');
}

interface Words {
  readonly words: string;
  readonly tone: Tone;
}

const CLOSES: Readonly<Record<PeriodSteps['close'], Words>> = {
  open: { words: 'open', tone: 'plain' },
  ended: { words: 'ended, not closed', tone: 'warn' },
  closed: { words: 'closed', tone: 'good' },
};

const TOLD: Readonly<Record<PeriodSteps['told'], Words>> = {
  waits: { words: '—', tone: 'plain' },
  not_due: { words: 'nothing due', tone: 'plain' },
  untold: { words: 'not told', tone: 'bad' },
  unanswered: { words: 'no answer yet', tone: 'warn' },
  told: { words: 'told', tone: 'good' },
  settled: { words: 'settled elsewhere', tone: 'good' },
};

function toldChip({ mode, told }: PeriodSteps): Html {
  if (mode === 'shadow' && told === 'not_due') return chip('shadow, nothing due', 'plain');
  return chip(TOLD[told].words, TOLD[told].tone);
}

function foundChip({ found }: PeriodSteps): Html {
  if (found === null) return chip('—', 'plain');
  return found ? chip('found', 'good') : chip('waits', 'plain');
}

function invoiceChip({ invoice, invoices }: PeriodSteps): Html {
  if (invoices > 1) return chip(`${invoices} invoices`, 'bad');
  if (invoice === null) return chip('—', 'plain');
  return chip(
    invoice === 'finalized' ? 'invoiced' : invoice,
    invoice === 'finalized' ? 'good' : invoice === 'void' ? 'bad' : 'plain',
  );
}

function statementLink({ close, tenant_id, period_start }: PeriodSteps): Html | string {
  if (close !== 'closed') return '—';
  const month = period_start.slice(0, 7);
  return link(`/console/statements/${encodeURIComponent(tenant_id)}/${month}`, 'Open');
}
