import { html } from 'hono/html';
import { present } from '../../present.ts';
import type { KeptAnswer } from '../../reports/kept-answers.ts';
import { type RunsWay, reportRuns, reportRunsInWays } from '../../reports/runs/report-runs.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import {
  RUN_GROUPS,
  RUN_ORDERS,
  type RunGroup,
  type RunOrder,
  type RunsAnswer,
  type RunsRow,
  runsRequest,
} from '../../reports/runs/runs-answer.ts';
import { readRequest } from '../../request.ts';
import { amount, amountOr, countText, type Html, monthText, percent } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { bar } from '../view/pictures.ts';
import { address, dataTable, headOf, link, NOTHING, tabs, tenantLink } from '../view/table.ts';
import { asOfWords, type ConsolePage, monthSaid, type PageAsked, said } from './page-asked.ts';

/** Agent runs of a month of the tenants' own periods: the dearest, those that spent most before their answers, or loops. */
export const runsPage: ConsolePage = {
  path: '/console/runs',
  async render(asked): Promise<Page> {
    const month = monthSaid(asked);
    const by = groupOf(said(asked.query, 'by'));
    const order = orderOf(said(asked.query, 'order'));
    const tenant_id = said(asked.query, 'tenant');
    const way = { by, order };
    const { answer, asOf } = await runsOf(asked, { month, tenant_id, way });
    const { running_month: running, ended_month: ended } = asked.freshness;
    const at = (change: Readonly<Record<string, string | null>>) =>
      address('/console/runs', { month, by, order, tenant: tenant_id, ...change });
    const sub = html`${countText(answer.rows_in_all)} in all, ${countText(answer.rows_with_waste)} spent something before the answer, each tenant in its own days${tenant_id === null ? '' : `, of ${tenant_id}`}${asOfWords(asOf)}`;
    const head = headOf(`Runs of ${monthText(month)}`, sub, [
      tabs(
        'By',
        RUN_GROUPS.map((group) => ({
          words: `by ${group}`,
          href: at({ by: group }),
          isTaken: group === by,
        })),
      ),
      tabs(
        'What stands first',
        RUN_ORDERS.map((name) => ({
          words: ORDER_WORDS[name],
          href: at({ order: name }),
          isTaken: name === order,
        })),
      ),
      tabs(
        'Month',
        [...new Set([running, ended])].map((name) => ({
          words: monthText(name),
          href: at({ month: name }),
          isTaken: name === month,
        })),
      ),
    ]);
    return {
      title: 'Runs',
      nav: 'Runs',
      body: html`${head}<section class="panel" aria-label="Runs">${tableOf(answer)}</section>`,
    };
  },
};

const RUNS_SHOWN = 60;

/** All ways to look at the runs of everybody are one answer, since the ledger is read for them once. */
const WAYS = RUN_GROUPS.flatMap((by) => RUN_ORDERS.map((order) => ({ by, order })));

async function runsOf(
  { parts, kept }: PageAsked,
  of: { readonly month: string; readonly tenant_id: string | null; readonly way: RunsWay },
): Promise<KeptAnswer<RunsAnswer>> {
  const { month, tenant_id, way } = of;
  const request = readRequest(runsRequest, {
    ...way,
    tenant_id,
    month,
    from: null,
    to: null,
    as_of: null,
    limit: RUNS_SHOWN,
    cursor: null,
    loop_steps: LOOP_STEPS,
  });
  if (tenant_id !== null) return { answer: await reportRuns(parts, request), asOf: null };
  const { answer, asOf } = await kept.ask(['runs', month], () =>
    reportRunsInWays(parts, request, WAYS),
  );
  const place = WAYS.findIndex(({ by, order }) => by === way.by && order === way.order);
  return { answer: present(answer[place], 'the answer of a way'), asOf };
}

function groupOf(text: string | null): RunGroup {
  return RUN_GROUPS.find((group) => group === text) ?? 'run';
}

const ORDER_WORDS: Readonly<Record<RunOrder, string>> = {
  waste: 'before the answer',
  cost: 'cost',
  share: 'share before the answer',
  loops: 'loops',
};

function orderOf(text: string | null): RunOrder {
  return RUN_ORDERS.find((order) => order === text) ?? 'waste';
}

function tableOf({ rows, by }: RunsAnswer): Html {
  return dataTable({
    caption: 'Runs by what they spent before the answer',
    rows,
    empty: 'No run was reported in this month.',
    columns: [
      { title: by, cell: (row: RunsRow) => nameOf(row, by) },
      ...(by === 'run'
        ? [
            {
              title: 'Tenant',
              cell: (row: RunsRow) => (row.tenant == null ? NOTHING : tenantLink(row.tenant)),
            },
          ]
        : [{ title: 'Runs', figure: true, cell: (row: RunsRow) => countText(row.runs) }]),
      { title: 'Calls', figure: true, cell: (row: RunsRow) => countText(row.calls) },
      { title: 'Failed', figure: true, cell: (row: RunsRow) => countText(row.failed) },
      {
        title: 'Later attempts',
        figure: true,
        minor: true,
        cell: (row: RunsRow) => countText(row.later_attempts),
      },
      {
        title: 'Loops',
        figure: true,
        cell: (row: RunsRow) =>
          row.loops === 0 ? '0' : html`<b class="badge">${countText(row.loops)}</b>`,
      },
      { title: 'Charged', figure: true, cell: (row: RunsRow) => amount(row.charge, row.currency) },
      ...(rows.some((row) => row.calls_without_price > 0)
        ? [
            {
              title: 'Without a price',
              figure: true,
              cell: (row: RunsRow) => countText(row.calls_without_price),
            },
          ]
        : []),
      {
        title: 'Cost',
        figure: true,
        cell: (row: RunsRow) => amountOr(row.cost, row.currency, 'unknown'),
      },
      {
        title: 'Before the answer',
        figure: true,
        cell: (row: RunsRow) => amountOr(row.cost_before_answer, row.currency, 'unknown'),
      },
      {
        title: 'Share',
        figure: true,
        cell: (row: RunsRow) =>
          html`${bar(row.share_before_answer, 'warn')} ${percent(row.share_before_answer, 'unknown')}`,
      },
    ],
  });
}

function nameOf(row: RunsRow, by: RunGroup): Html {
  if (by === 'run')
    return row.run == null
      ? html`<span class="soft">calls without a run</span>`
      : link(
          address(`/console/runs/${encodeURIComponent(row.run)}`, { tenant: row.tenant ?? null }),
          row.run,
        );
  if (by === 'tenant') return row.tenant == null ? html`${NOTHING}` : tenantLink(row.tenant);
  return row.feature == null
    ? html`<span class="soft">no feature</span>`
    : html`<bdi>${row.feature}</bdi>`;
}
