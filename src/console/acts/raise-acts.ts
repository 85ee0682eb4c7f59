import { html } from 'hono/html';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { listRaises } from '../../budgets/raises/ask-raise.ts';
import type { RaiseAnswer } from '../../budgets/raises/raise-answer.ts';
import { Refusal } from '../../refusal.ts';
import { limitText } from '../pages/raises-table.ts';
import type { Html } from '../view/amounts.ts';
import { dataTable, facts, tenantLink } from '../view/table.ts';
import type { Act, ActAsked } from './act.ts';

const REQUEST = { name: 'request_id', label: 'Request', isRequired: true } as const;

const approve: Act = {
  name: 'approve-raise',
  title: 'Approve',
  words: 'The limit is raised at once; the reason is told to whoever hears of it by webhooks.',
  route: 'POST /v1/budgets/requests/{request}/approve',
  fields: [
    REQUEST,
    { name: 'limit', label: 'Granted', hint: 'what was asked for where it is empty' },
  ],
  async preview(asked) {
    const raise = await raiseOf(asked);
    const granted = asked.said['limit'] ?? raise.limit_asked;
    return html`${await askedFor(asked, raise)}<p>The limit is <b>${limitText(raise, granted)}</b> then.</p>`;
  },
  done: (answer) => {
    const raise = answer as RaiseAnswer;
    return html`<p>The limit of ${tenantLink(raise.tenant_id)} is ${limitText(raise, raise.limit_granted ?? '')}.</p>`;
  },
  back: () => '/console',
};

const refuse: Act = {
  name: 'refuse-raise',
  title: 'Refuse',
  words: 'The limit stays as it is; the reason is told to whoever hears of it by webhooks.',
  route: 'POST /v1/budgets/requests/{request}/refuse',
  fields: [REQUEST],
  preview: async (asked) => askedFor(asked, await raiseOf(asked)),
  done: (answer) =>
    html`<p>The request of ${tenantLink((answer as RaiseAnswer).tenant_id)} is refused.</p>`,
  back: () => '/console',
};

/** Renders what is asked for, beside what the budget has used by now. */
async function askedFor({ parts }: ActAsked, raise: RaiseAnswer): Promise<Html> {
  const budget = (await listBudgets(parts, { tenant_id: raise.tenant_id, as_of: null })).find(
    ({ budget_id: id }) => id === raise.budget_id,
  );
  return html`${facts([
    ['Tenant', tenantLink(raise.tenant_id)],
    ['Limit', limitText(budget ?? raise, budget?.limit ?? raise.limit_then)],
    ['Asked for', limitText(raise, raise.limit_asked)],
    ['Asked by', html`<bdi>${raise.asked_by}</bdi>`],
    ['Why', html`<bdi>${raise.asked_because}</bdi>`],
  ])}${dataTable({
    caption: 'What it has used',
    rows: budget?.times ?? [],
    empty: budget === undefined ? 'The budget was taken away.' : 'Nothing is used yet.',
    columns: [
      { title: 'Time', cell: (row) => (row.time === '' ? 'in all' : row.time) },
      { title: 'Spent', figure: true, cell: (row) => limitText(raise, row.spent) },
      { title: 'Held', figure: true, cell: (row) => limitText(raise, row.held) },
      { title: 'Left', figure: true, cell: (row) => limitText(raise, row.left) },
    ],
  })}`;
}

async function raiseOf({ parts, said }: ActAsked): Promise<RaiseAnswer> {
  const open = await listRaises(parts, { tenant_id: null, all: false });
  const raise = open.find(({ request_id: id }) => id === said['request_id']);
  if (raise !== undefined) return raise;
  throw new Refusal(
    'not_found',
    `no request ${said['request_id']} waits for an answer`,
    'see those that wait on the overview',
  );
}

export const RAISE_ACTS: readonly Act[] = [approve, refuse];
