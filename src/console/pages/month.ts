import { html } from 'hono/html';
import { monthAfter } from '../../clock.ts';
import { type MissingThing, missingRequest } from '../../month/completeness/missing-answer.ts';
import { nameMissing } from '../../month/completeness/name-missing.ts';
import { type MonthTableAnswer, monthTableRequest } from '../../month/table/month-table-answer.ts';
import { tellMonthTable } from '../../month/table/tell-month-table.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import {
  amountText,
  countText,
  exactSum,
  type Html,
  instantOr,
  monthText,
} from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { actLink, address, card, chip, headOf, panel, tabs } from '../view/table.ts';
import { leftOwedPanel, missingTable } from './missing-table.ts';
import { monthProgress, progressSaid } from './month-progress.ts';
import { asOfBeside, type ConsolePage, type PageAsked, said } from './page-asked.ts';

/** The month: what is missing comes first, then every tenant by step, with the run's own steps. */
export const monthPage: ConsolePage = {
  path: '/console/month',
  async render(asked): Promise<Page> {
    const month = said(asked.query, 'month') ?? asked.freshness.ended_month;
    const { answer: table } = await asked.kept.ask(['month', month], () => tellTable(asked, month));
    const { head, unexplained, lacks } = await monthWhole(asked, table);
    const { cards, steps, tenants } = monthProgress(asked, table);
    return {
      title: monthText(month),
      nav: 'The month',
      body: html`<div${liveFrom(asked, table)}>${part('head', head)}<p class="hint" role="status">${table.is_running ? html`${progressSaid(table)} Without JavaScript, open the page again to see how far it is.` : ''}</p>
<div class="cards">${part('cards', cards)}${part('unexplained', unexplained)}</div>
${part('lacks', lacks)}${part('steps', steps)}${part('tenants', tenants)}</div>`,
    };
  },
};

/** Returns the month of the address, or the one that ended last, by tenant and step as it is now. */
export function askMonthTable(asked: PageAsked): Promise<MonthTableAnswer> {
  return tellTable(asked, said(asked.query, 'month') ?? asked.freshness.ended_month);
}

function tellTable({ parts }: PageAsked, month: string): Promise<MonthTableAnswer> {
  return tellMonthTable(parts, readRequest(monthTableRequest, { month }));
}

/** Renders what is looked for once: when the page is asked for, and when the run has ended. */
export async function monthWhole(
  asked: PageAsked,
  table: MonthTableAnswer,
): Promise<Readonly<Record<'head' | 'unexplained' | 'lacks', Html>>> {
  const { month } = table;
  const { answer: missing, asOf } = await asked.kept.ask(['missing', month], () =>
    nameMissing(asked.parts, readRequest(missingRequest, { month, tenant_id: null })),
  );
  return {
    head: topOf(asked, table, missing),
    unexplained: unexplainedCard(missing),
    lacks: html`${panel('What is missing from this month', missingTable(asked, missing), asOfBeside(asOf))}${leftOwedPanel(table.left_owed)}`,
  };
}

/** The page follows a run that goes on, from where it was shown. */
function liveFrom({ query }: PageAsked, { is_running, month }: MonthTableAnswer): Html {
  if (!is_running) return html``;
  return html` data-live="${address('/console/live/month', { month, from: query.get('from') })}"`;
}

/** The name by which a part of the page is replaced. */
function part(name: string, body: Html): Html {
  return html`<div class="part" data-part="${name}">${body}</div>`;
}

function topOf(
  asked: PageAsked,
  { month, periods, steps, is_running }: MonthTableAnswer,
  missing: readonly MissingThing[],
): Html {
  const { freshness, mayAct } = asked;
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
  const words = last === undefined ? 'Run the month' : 'Run again from where it stopped';
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
    is_running
      ? chip('runs now', 'plain')
      : actLink({ mayAct }, words, { act: 'run-month', query: { month }, isFirst: true }),
    actLink({ mayAct }, 'Close', { act: 'close', query: { month } }),
    actLink({ mayAct }, 'Tell Stripe', { act: 'push', query: { month } }),
    actLink({ mayAct }, 'Compare', { act: 'reconcile', query: { month } }),
    periods.some(({ invoice }) => invoice === 'held')
      ? actLink({ mayAct }, 'Let go invoices', { act: 'release', query: { month } })
      : html``,
  ]);
}

function unexplainedCard(missing: readonly MissingThing[]): Html {
  const untold = missing.filter(({ kind }) =>
    ['untold', 'unbilled', 'on_two_invoices', 'on_voided_invoice', 'alert'].includes(kind),
  );
  const below =
    untold.length === 0
      ? html`<span class="up">nothing untold, unbilled or alerted</span>`
      : html`<span class="down">to look at below</span>`;
  return card('Unexplained', countText(untold.length), below);
}
