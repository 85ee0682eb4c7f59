import { html } from 'hono/html';
import type { z } from 'zod';
import type { ApiParts } from '../../api/api-parts.ts';
import { formatMeasure } from '../../budgets/budget.ts';
import {
  type BudgetsAnswer,
  type HoldAnswer,
  setBudgetRequest,
} from '../../budgets/budget-answer.ts';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { nameAsKept } from '../../budgets/name-as-kept.ts';
import { showHold } from '../../budgets/release-hold.ts';
import { budgetLimit, budgetPolicy, USUAL_LOOP_STEPS } from '../../budgets/set-budget.ts';
import type { JsonObject } from '../../events/foreign/foreign-value.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readRequest } from '../../request.ts';
import { budgetName, perText } from '../pages/budgets-panel.ts';
import { limitText } from '../pages/raises-table.ts';
import { amountOr, type Html, instantOr } from '../view/amounts.ts';
import { chip, dataTable, facts, tenantLink } from '../view/table.ts';
import type { Act, ActAsked, ActField } from './act.ts';
import { type SettingChange, settingsOf } from './difference.ts';

const backToTenant = ({ tenant_id = '' }: Readonly<Record<string, string>>) =>
  tenant_id === '' ? '/console/tenants' : `/console/tenants/${encodeURIComponent(tenant_id)}`;

const PERS = ['month', 'day', 'run', 'once'];

/** What a budget does beside counting, in the words of its form. */
const NAMES = {
  kind: 'Kind',
  on_unavailable: 'Where it cannot be asked',
  priced_only: 'Models without a price',
  thresholds: 'Told at',
  loop: 'A run that repeats itself',
} as const;

/** What of a tenant's usage a budget is about. */
const SCOPE: readonly ActField[] = [
  { name: 'feature', label: 'Feature', hint: 'all of them where it is empty' },
  { name: 'user_id', label: 'User', hint: 'all of them where it is empty' },
  { name: 'agent_run_id', label: 'Run', hint: 'all of them where it is empty' },
  { name: 'tags', label: 'Further tags', hint: 'such as team=search,env=live' },
];

/** The request but for who asks, which the door adds. */
const settingRequest = setBudgetRequest.omit({ actor: true });
type Setting = z.output<typeof settingRequest>;

const NO_GUARD = 'nothing';
const NO_MESSAGE = 'none';

const setBudget: Act = {
  name: 'set-budget',
  title: 'Set a budget',
  words:
    'A call that would pass a hard budget is denied; of a soft one it is warned. What is left empty stays as it is.',
  route: 'PUT /v1/budgets',
  oneOf: ['amount', 'tokens'],
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    { name: 'per', label: 'Per', choices: PERS },
    { name: 'amount', label: 'Limit of money', hint: "in the tenant's currency: 650.00" },
    { name: 'tokens', label: 'or of tokens', kind: 'number', hint: 'such as 5000000' },
    { name: 'kind', label: NAMES.kind, choices: ['', 'hard', 'soft'], hint: 'of a new one: hard' },
    {
      name: 'on_unavailable',
      label: NAMES.on_unavailable,
      choices: ['', 'deny', 'allow'],
      hint: 'what a caller does that gets no answer; of a new one: deny',
    },
    {
      name: 'priced_only',
      label: NAMES.priced_only,
      choices: ['', 'admitted', 'denied'],
      hint: 'of a new one: admitted',
    },
    {
      name: 'thresholds',
      label: NAMES.thresholds,
      hint: `percents of the limit at which webhooks are told: 80,100, or ${NO_MESSAGE}`,
    },
    {
      name: 'loop',
      label: NAMES.loop,
      choices: ['', NO_GUARD, 'warn', 'deny'],
      hint: `what becomes of it; of a new one: ${NO_GUARD}`,
    },
    {
      name: 'loop_steps',
      label: 'So many calls are a repetition',
      kind: 'number',
      hint: `such as ${USUAL_LOOP_STEPS}`,
    },
    ...SCOPE,
  ],
  async standing(parts, said) {
    const { tenant_id = '' } = said;
    if (tenant_id === '') return {};
    const own = await listBudgets(parts, { tenant_id, as_of: null });
    const measure = measureIn(said);
    const fitting = own.filter(
      (budget) => isOf(parts, budget, said) && (measure === null || budget.measure === measure),
    );
    const [now] = fitting;
    return now === undefined || fitting.length > 1 ? {} : saidOf(now, said);
  },
  read: ({ tokens, kind = 'hard', priced_only, thresholds, loop, loop_steps, ...said }) => ({
    ...withTags(said),
    kind,
    ...(tokens === undefined ? {} : { tokens: Number(tokens) }),
    ...(priced_only === undefined ? {} : { priced_only: priced_only === 'denied' }),
    ...(thresholds === undefined ? {} : { thresholds: percentsIn(thresholds) }),
    loop: guardIn(loop, loop_steps),
  }),
  async preview({ parts, said, given }) {
    const asked = readRequest(settingRequest, given as z.input<typeof settingRequest>);
    const { measure, limit } = budgetLimit(asked);
    const { tenant_id, kind, per } = asked;
    const own = await listBudgets(parts, { tenant_id, as_of: null });
    const now = own.find((budget) => budget.measure === measure && isOf(parts, budget, said));
    const text = formatMeasure(measure, limit);
    const unit = measure === 'tokens' ? ' tokens' : '';
    const was =
      now === undefined
        ? html`${chip('new', 'good')}`
        : html`in place of <b>${limitText(now, now.limit)}</b>`;
    const rows = changesOf(now ?? null, asked);
    return html`<p>A ${kind} budget of <b>${text}${unit}</b> ${perText(per)} for ${tenantLink(tenant_id)}: ${was}</p>
${settingsOf(rows, 'Nothing but the limit.')}${budgetsTable(own, 'Its budgets now')}`;
  },
  done: () => html`<p>The budget is set.</p>`,
  back: backToTenant,
};

function measureIn(said: Readonly<Record<string, string>>): Shown['measure'] | null {
  return said['amount'] !== undefined ? 'money' : said['tokens'] !== undefined ? 'tokens' : null;
}

/** Returns what a form says of a budget that stands, but for its limit and what it is about. */
function saidOf(
  { kind, on_unavailable, priced_only, thresholds, loop }: Shown,
  said: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const isUnguarded = (said['loop'] ?? loop?.verdict ?? NO_GUARD) === NO_GUARD;
  return {
    kind,
    on_unavailable,
    priced_only: priced_only ? 'denied' : 'admitted',
    thresholds: thresholds.length === 0 ? NO_MESSAGE : thresholds.join(','),
    loop: loop?.verdict ?? NO_GUARD,
    ...(loop === null || isUnguarded ? {} : { loop_steps: String(loop.steps) }),
  };
}

function percentsIn(text: string): readonly number[] {
  return text === NO_MESSAGE ? [] : text.split(',').map((one) => Number(one.replace('%', '')));
}

function guardIn(verdict: string | undefined, steps: string | undefined): JsonObject | null {
  if (verdict === NO_GUARD || (verdict === undefined && steps === undefined)) return null;
  if (verdict !== undefined) {
    return { verdict, steps: steps === undefined ? USUAL_LOOP_STEPS : Number(steps) };
  }
  throw new Refusal(
    'bad_request',
    'a number of calls says nothing of what becomes of a run that repeats itself',
    'choose warn or deny, or leave the number out',
  );
}

/** Returns what of a budget becomes another, beside its limit; of a new one all that it is. */
function changesOf(now: Shown | null, asked: Setting): readonly SettingChange[] {
  const then = settingTexts(budgetPolicy(asked));
  const was = now === null ? null : settingTexts(budgetPolicy(now));
  return (Object.keys(NAMES) as readonly (keyof typeof NAMES)[])
    .map((name) => ({ name: NAMES[name], was: was?.[name] ?? null, becomes: then[name] }))
    .filter((row) => row.was !== row.becomes);
}

function settingTexts(
  policy: ReturnType<typeof budgetPolicy>,
): Readonly<Record<keyof typeof NAMES, string>> {
  const { isHard, onUnavailable, pricedOnly, thresholds, loop } = policy;
  return {
    kind: isHard ? 'hard' : 'soft',
    on_unavailable: onUnavailable,
    priced_only: pricedOnly ? 'denied' : 'admitted',
    thresholds:
      thresholds.length === 0 ? NO_MESSAGE : thresholds.map((share) => `${share} %`).join(', '),
    loop: loop === null ? NO_GUARD : `${loop.verdict} after ${loop.steps} calls`,
  };
}

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
    const { measure } = said;
    const gone = own.filter((budget) => budget.measure === measure && isOf(parts, budget, said));
    if (gone.length === 0) {
      throw new Refusal(
        'not_found',
        `tenant "${said['tenant_id']}" has no such budget of ${measure} per ${said['per']}`,
        advise`see ${{ operation: 'budget list' }}`,
      );
    }
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
    throw new Refusal(
      'bad_request',
      `"${pair.trim()}" is not a tag`,
      'write name=value, with commas',
    );
  });
  return Object.fromEntries(pairs);
}

type Shown = BudgetsAnswer[number];

/** Tells whether a form means this budget, or the one of the other measure: of one time, and of exactly this part of the usage. */
function isOf(parts: ApiParts, budget: Shown, said: Readonly<Record<string, string>>): boolean {
  const { feature = null, user_id = null, agent_run_id = null, tags: text } = said;
  const tags = text === undefined ? {} : tagsIn(text);
  const meant = nameAsKept(parts, { feature, user_id, agent_run_id, tags });
  return (
    budget.per === said['per'] &&
    budget.feature === meant.feature &&
    budget.user_id === meant.user_id &&
    budget.agent_run_id === meant.agent_run_id &&
    JSON.stringify(Object.entries(budget.tags).toSorted()) ===
      JSON.stringify(Object.entries(meant.tags).toSorted())
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
    const hold = await showHold(parts, said['hold_id'] ?? '');
    if (hold.state === 'settled' || hold.state === 'released') {
      throw new Refusal(
        'conflict',
        `hold "${hold.hold_id}" is ${hold.state} already, and holds nothing any more`,
        advise`see those that are unsettled with ${{ operation: 'budget list' }}`,
      );
    }
    const isUnderWay = hold.state === 'open';
    return html`${holdOf(hold)}${isUnderWay ? html`<p class="hint">It has not expired: a call may still be under way with it.</p>` : ''}`;
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
