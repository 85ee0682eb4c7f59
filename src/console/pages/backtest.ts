import { html } from 'hono/html';
import { listPools } from '../../allocation/allocate-pool.ts';
import {
  type BacktestAnswer,
  type BacktestRow,
  backtestRequest,
  type PoolsAnswer,
  poolsRequest,
} from '../../allocation/allocation-answer.ts';
import { backtestMonth } from '../../allocation/backtest-month.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { amount, countText, type Html, monthText, percent } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { actLink, chip, dataTable, headOf, panel, tenantLink } from '../view/table.ts';
import { asOfWords, type ConsolePage, type PageAsked, said } from './page-asked.ts';

/** The page shows which way to divide a shared spend comes nearest to what each tenant caused. */
export const backtestPage: ConsolePage = {
  path: '/console/backtests',
  async render({ parts, query, freshness, mayAct, kept }): Promise<Page> {
    const month = said(query, 'month') ?? freshness.ended_month;
    const currency = said(query, 'currency') ?? DEFAULT_CURRENCY;
    const given = {
      month,
      currency,
      amount: said(query, 'amount'),
      weights: said(query, 'weights'),
    };
    const request = readRequest(backtestRequest, given);
    const { answer, asOf } = await kept.ask(['backtest', given], () =>
      backtestMonth(parts, request).catch(orNothingKnown),
    );
    const form = html`<form class="row" action="/console/backtests"><label>Month<input name="month" value="${month}" pattern="\\d{4}-\\d{2}"></label><label>Currency<input name="currency" value="${currency}"></label><label>Amount<input name="amount" value="${given.amount ?? ''}" placeholder="what it cost"></label><label>Weights<input name="weights" value="${given.weights ?? ''}" placeholder="input=1,output=5"></label><button class="second">Show</button></form>`;
    const pools = await listPools(parts, readRequest(poolsRequest, { month: null }));
    const body =
      typeof answer === 'string'
        ? panel('Ways to divide', html`<p class="none">${answer}</p>`)
        : answerOf(answer);
    return {
      title: 'Back-tests of allocation',
      nav: 'Prices',
      body: html`${headOf('Back-tests of allocation', html`${monthText(month)}: each way to divide a shared spend beside what each tenant's calls cost${asOfWords(asOf)}`, [actLink({ mayAct }, 'Divide a shared spend', { act: 'allocate', query: { month } })])}${panel('What is divided', form)}${body}${panel('Shared spend that was divided', poolsTable({ mayAct }, pools))}`,
    };
  },
};

function poolsTable({ mayAct }: Pick<PageAsked, 'mayAct'>, pools: PoolsAnswer): Html {
  type Pool = PoolsAnswer[number];
  return html`${dataTable({
    caption: 'Pools of shared spend',
    rows: pools.slice(0, ROWS_SHOWN),
    empty: 'Nothing was divided yet.',
    columns: [
      { title: 'Pool', cell: (row: Pool) => html`<bdi>${row.pool}</bdi>` },
      { title: 'Month', cell: (row: Pool) => monthText(row.month) },
      { title: 'By', cell: (row: Pool) => row.by.replaceAll('-', ' ') },
      { title: 'Billed', cell: (row: Pool) => (row.billed ? 'to the tenants' : 'no') },
      { title: 'Amount', figure: true, cell: (row: Pool) => amount(row.amount, row.currency) },
      {
        title: 'State',
        cell: ({ state, pool, month }: Pool) =>
          state === 'reversed'
            ? chip('taken back', 'plain')
            : html`${chip('stands', 'good')} ${actLink({ mayAct }, 'Take back', { act: 'reverse-pool', query: { pool, month } })}`,
      },
    ],
  })}${pools.length > ROWS_SHOWN ? html`<p class="hint">The first ${ROWS_SHOWN} of ${countText(pools.length)}.</p>` : ''}`;
}

/** A month without known costs has nothing to compare. */
function orNothingKnown(error: unknown): string {
  if (error instanceof Refusal && error.kind !== 'bad_request') return error.message;
  throw error;
}

function answerOf({ currency, amount: of, candidates, tenants, notes }: BacktestAnswer): Html {
  return html`${panel(
    'Ways to divide',
    html`${dataTable({
      caption: 'Ways to divide',
      rows: candidates,
      empty: 'Nothing can be divided.',
      columns: [
        {
          title: 'By',
          cell: (row) =>
            html`${row.by.replaceAll('-', ' ')} ${row.fitted ? chip('fitted', 'good') : ''}`,
        },
        { title: 'Weights', cell: (row) => html`<span class="hash">${row.weights ?? '—'}</span>` },
        {
          title: 'Borne by another than caused it',
          figure: true,
          cell: (row) => amount(row.misallocated, currency),
        },
        { title: 'Of all', figure: true, cell: (row) => percent(row.misallocated_percent) },
      ],
    })}${notes.map((note) => html`<p class="hint">${note}</p>`)}`,
    html`${amount(of, currency)} divided`,
  )}
${panel('Each tenant', tenantsTable(tenants, { currency, candidates }))}`;
}

const ROWS_SHOWN = 100;

function tenantsTable(
  tenants: readonly BacktestRow[],
  { currency, candidates }: Pick<BacktestAnswer, 'currency' | 'candidates'>,
): Html {
  const shares = candidates.map(({ by, fitted }, index) => ({
    title: `${by.replaceAll('-', ' ')}${fitted ? ', fitted' : ''}`,
    figure: true,
    cell: (row: BacktestRow) => {
      const share = row.shares[index];
      return share === undefined
        ? '—'
        : html`${amount(share.share, currency)} <span class="soft">${amount(share.divergence, currency)}</span>`;
    },
  }));
  return html`${dataTable({
    caption: 'Each tenant in every division',
    rows: tenants.slice(0, ROWS_SHOWN),
    empty: 'No tenant has a known cost.',
    columns: [
      { title: 'Tenant', cell: (row: BacktestRow) => tenantLink(row.tenant_id) },
      { title: 'Caused', figure: true, cell: (row: BacktestRow) => amount(row.direct, currency) },
      ...shares,
    ],
  })}${tenants.length > ROWS_SHOWN ? html`<p class="hint">The first ${ROWS_SHOWN} of ${countText(tenants.length)}.</p>` : ''}`;
}
