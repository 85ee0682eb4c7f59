import { html } from 'hono/html';
import type { BudgetsAnswer, HoldAnswer } from '../../budgets/budget-answer.ts';
import type { RaisesAnswer } from '../../budgets/raises/raise-answer.ts';
import { counted } from '../../text/counted.ts';
import { amountOr, type Html, instantOr } from '../view/amounts.ts';
import { bar } from '../view/pictures.ts';
import { actLink, address, dataTable, link, panel, ways } from '../view/table.ts';
import type { PageAsked } from './page-asked.ts';
import { limitText, raisesTable } from './raises-table.ts';

interface BudgetsShown {
  readonly tenant_id: string;
  readonly budgets: BudgetsAnswer;
  /** The requests to raise one of them that wait for an answer. */
  readonly raises: RaisesAnswer;
}

/** Renders a tenant's budgets as they stand, with what is held and what is asked for. */
export function budgetsPanel(asked: PageAsked, { tenant_id, budgets, raises }: BudgetsShown): Html {
  // One of each run has no time before the first run, and is changed or taken away all the same.
  const rows = budgets.flatMap((budget) =>
    (budget.times.length === 0 ? [null] : budget.times).map((time) => ({ budget, time })),
  );
  const holds = budgets.flatMap(({ unsettled_holds: of }) => of);
  const body = dataTable({
    caption: 'Budgets',
    rows,
    empty: 'It has no budget.',
    columns: [
      {
        title: 'Budget',
        cell: ({ budget }) => budgetName(budget),
      },
      {
        title: 'Limit',
        figure: true,
        cell: ({ budget }) => limitText(budget, budget.limit),
      },
      {
        title: 'Spent',
        figure: true,
        cell: ({ budget, time }) => (time === null ? '—' : limitText(budget, time.spent)),
      },
      {
        title: 'Held',
        figure: true,
        cell: ({ budget, time }) => (time === null ? '—' : limitText(budget, time.held)),
      },
      {
        title: 'Left',
        figure: true,
        cell: ({ budget, time }) =>
          time === null
            ? '—'
            : html`${bar(usedShare(budget.limit, time.left), time.left.startsWith('-') ? 'bad' : 'plain')} <span>${limitText(budget, time.left)}</span>`,
      },
      ...(asked.mayAct
        ? [
            {
              title: 'What to do',
              figure: true,
              cell: ({ budget }: (typeof rows)[number]) => waysOf(budget),
            },
          ]
        : []),
    ],
  });
  const hint = holds.length === 0 ? '' : holdsTable(asked, holds);
  return panel(
    'Budgets',
    html`${body}${hint}${raises.length === 0 ? '' : raisesTable(asked, raises)}`,
    actLink(asked, 'Set a budget', { act: 'set-budget', query: { tenant_id } }),
  );
}

/** Renders the ways to change a budget or to take it away, with what tells it from the others. */
function waysOf(budget: BudgetsAnswer[number]): Html {
  const { tenant_id, measure, per, feature, user_id, agent_run_id, kind } = budget;
  const tags = Object.entries(budget.tags).map(([name, value]) => `${name}=${value}`);
  const query = { tenant_id, per, feature, user_id, agent_run_id, tags: tags.join(',') };
  return ways([
    link(address('/console/act/set-budget', { ...query, kind }), 'Change'),
    link(address('/console/act/remove-budget', { ...query, measure }), 'Take away'),
  ]);
}

/** Says what a budget limits: `hard a month, search, ann`. */
export function budgetName(budget: BudgetsAnswer[number]): Html {
  const parts = [
    budget.feature,
    budget.user_id,
    budget.agent_run_id,
    ...Object.entries(budget.tags).map(([name, value]) => `${name}=${value}`),
  ].filter((part) => part !== null);
  return html`${budget.kind} ${perText(budget.per)}${parts.map((part) => html`, <bdi>${part}</bdi>`)}`;
}

export function perText(per: BudgetsAnswer[number]['per']): string {
  return per === 'once' ? 'in all' : `a ${per}`;
}

const HOLDS_SHOWN = 20;

/** Renders holds that expired without their event, each with the way to give it back. */
function holdsTable(asked: PageAsked, holds: readonly HoldAnswer[]): Html {
  return html`<p class="hint">${counted(holds.length, 'hold')} expired without an event; what they hold counts until somebody releases it.</p>
${dataTable({
  caption: 'Holds without their event',
  rows: holds.slice(0, HOLDS_SHOWN),
  empty: 'There is none.',
  columns: [
    { title: 'Hold', cell: (row) => html`<span class="hash">${row.hold_id}</span>` },
    {
      title: 'Held',
      figure: true,
      cell: (row) => amountOr(row.amount, row.currency, `${row.tokens ?? 0} tokens`),
    },
    { title: 'Expired', cell: (row) => instantOr(row.expires_at, '') },
    {
      title: 'What to do',
      cell: (row) =>
        actLink(asked, 'Release', { act: 'release-hold', query: { hold_id: row.hold_id } }),
    },
  ],
})}`;
}

/** Returns how much of a limit is used, in percent; a bar needs no more than that. */
export function usedShare(limit: string, left: string): string {
  const [all, rest] = [Number(limit), Number(left)];
  if (!(all > 0)) return '100.00';
  return String(Math.round(Math.min(1, Math.max(0, (all - rest) / all)) * 10_000) / 100);
}
