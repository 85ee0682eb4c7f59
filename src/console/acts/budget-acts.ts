import { html } from 'hono/html';
import { formatMeasure } from '../../budgets/budget.ts';
import {
  type BudgetsAnswer,
  type HoldAnswer,
  setBudgetRequest,
} from '../../budgets/budget-answer.ts';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { budgetLimit } from '../../budgets/set-budget.ts';
import type { JsonObject } from '../../events/foreign/foreign-value.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { budgetName } from '../pages/budgets-panel.ts';
import { limitText } from '../pages/raises-table.ts';
import { amountOr, type Html, instantOr } from '../view/amounts.ts';
import { chip, dataTable, facts, tenantLink } from '../view/table.ts';
import type { Act, ActAsked, ActField } from './act.ts';

const backToTenant = ({ tenant_id = '' }: Readonly<Record<string, string>>) =>
  tenant_id === '' ? '/console/tenants' : `/console/tenants/${encodeURIComponent(tenant_id)}`;

const PERS = ['month', 'day', 'run', 'once'];

/** What of a tenant's usage a budget is about. */
const SCOPE: readonly ActField[] = [
  { name: 'feature', label: 'Feature', hint: 'all of them where it is empty' },
  { name: 'user_id', label: 'User', hint: 'all of them where it is empty' },
  { name: 'agent_run_id', label: 'Run', hint: 'all of them where it is empty' },
  { name: 'tags', label: 'Further tags', hint: 'such as team=search,env=live' },
];

/** Of what a form says this alone is read twice: for the limit as it will stand, before it is set. */
const limitRequest = setBudgetRequest.pick({ amount: true, tokens: true });

const setBudget: Act = {
  name: 'set-budget',
  title: 'Set a budget',
  words: 'A call that would pass a hard budget is denied; of a soft one it is warned.',
  route: 'PUT /v1/budgets',
  oneOf: ['amount', 'tokens'],
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    { name: 'per', label: 'Per', choices: PERS },
    { name: 'kind', label: 'Kind', choices: ['hard', 'soft'] },
    { name: 'amount', label: 'Limit of money', hint: "in the tenant's currency: 650.00" },
    { name: 'tokens', label: 'or of tokens', kind: 'number', hint: 'such as 5000000' },
    ...SCOPE,
  ],
  read({ tokens, ...said }) {
    return { ...withTags(said), ...(tokens === undefined ? {} : { tokens: Number(tokens) }) };
  },
  async preview({ parts, said }) {
    const { amount = null, tokens, tenant_id = '', kind = 'hard', per = 'month' } = said;
    const given = { amount, tokens: tokens === undefined ? null : Number(tokens) };
    const { measure, limit } = budgetLimit(readRequest(limitRequest, given));
    const own = await listBudgets(parts, { tenant_id, as_of: null });
    const now = own.find((budget) => isOf(budget, { ...said, measure }));
    const unit = measure === 'tokens' ? ' tokens' : '';
    const was =
      now === undefined
        ? html`${chip('new', 'good')}`
        : html`in place of <b>${limitText(now, now.limit)}</b>`;
    return html`<p>A ${kind} budget of <b>${formatMeasure(measure, limit)}${unit}</b> a ${per} for ${tenantLink(tenant_id)}: ${was}</p>
${budgetsTable(own, 'Its budgets now')}`;
  },
  done: () => html`<p>The budget is set.</p>`,
  back: backToTenant,
};

const removeBudget: Act = {
  name: 'remove-budget',
  title: 'Take a budget away',
  words: 'No call is denied or warned by it any more, and what it counted is gone with it.',
  route: 'DELETE /v1/budgets',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    { name: 'measure', label: 'Of', choices: ['money', 'tokens'] },
    { name: 'per', label: 'Per', choices: PERS },
    ...SCOPE,
  ],
  read: withTags,
  async preview({ parts, said }) {
    const own = await listBudgets(parts, { tenant_id: said['tenant_id'] ?? '', as_of: null });
    const gone = own.filter((budget) => isOf(budget, said));
    return html`${budgetsTable(gone, 'What is taken away')}<p class="hint">The tenant has ${own.length - gone.length} other budgets, which stay.</p>`;
  },
  done: () => html`<p>The budget is taken away.</p>`,
  back: backToTenant,
};

/** Makes further tags an object, as a request has them. */
function withTags({ tags, ...said }: Readonly<Record<string, string>>): JsonObject {
  return tags === undefined ? said : { ...said, tags: tagsIn(tags) };
}

function tagsIn(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name !== undefined && value !== undefined) return [name, value] as const;
    throw new Refusal('bad_request', `"${pair.trim()}" is no tag`, 'write name=value, with commas');
  });
  return Object.fromEntries(pairs);
}

type Shown = BudgetsAnswer[number];

/** Tells whether a form means this budget: of one measure and time, and of exactly this part of the usage. */
function isOf(budget: Shown, said: Readonly<Record<string, string>>): boolean {
  const tags = said['tags'] === undefined ? {} : tagsIn(said['tags']);
  return (
    budget.measure === said['measure'] &&
    budget.per === said['per'] &&
    budget.feature === (said['feature'] ?? null) &&
    budget.user_id === (said['user_id'] ?? null) &&
    budget.agent_run_id === (said['agent_run_id'] ?? null) &&
    JSON.stringify(Object.entries(budget.tags).toSorted()) ===
      JSON.stringify(Object.entries(tags).toSorted())
  );
}

function budgetsTable(rows: readonly Shown[], caption: string): Html {
  return dataTable({
    caption,
    rows,
    empty: 'There is no such budget.',
    columns: [
      { title: 'Budget', cell: budgetName },
      { title: 'Limit', figure: true, cell: (row) => limitText(row, row.limit) },
      {
        title: 'Spent',
        figure: true,
        cell: ({ times: [now], currency }) =>
          now === undefined ? '—' : limitText({ currency }, now.spent),
      },
    ],
  });
}

const releaseHold: Act = {
  name: 'release-hold',
  title: 'Release a hold',
  words: 'What was promised to a call whose event will not come is given back to its budgets.',
  route: 'POST /v1/budgets/holds/{hold_id}/release',
  fields: [{ name: 'hold_id', label: 'Hold', isRequired: true }],
  async preview({ parts, said }: ActAsked) {
    const budgets = await listBudgets(parts, { tenant_id: null, as_of: null });
    const holds = budgets.flatMap(({ unsettled_holds: of }) => of);
    const hold = holds.find(({ hold_id: id }) => id === said['hold_id']);
    return hold === undefined
      ? html`<p>It is not among those that expired without their event; a call may still be under way with it.</p>`
      : holdOf(hold);
  },
  done: (answer) => holdOf(answer as HoldAnswer),
  back: backToTenant,
};

function holdOf(hold: HoldAnswer): Html {
  return facts([
    ['Tenant', tenantLink(hold.tenant_id)],
    ['State', hold.state],
    ['Model', hold.model ?? 'not said'],
    ['Held', amountOr(hold.amount, hold.currency, `${hold.tokens ?? 0} tokens`)],
    ['Since', instantOr(hold.held_at, '')],
    ['Expired', instantOr(hold.expires_at, '')],
  ]);
}

export const BUDGET_ACTS: readonly Act[] = [setBudget, removeBudget, releaseHold];
