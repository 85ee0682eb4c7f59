import type {
  BudgetAnswer,
  BudgetDecisionAnswer,
  BudgetsAnswer,
  CheckAnswer,
  HoldAnswer,
} from '../../budgets/budget-answer.ts';
import type { ReserveAnswer } from '../../budgets/hold-answer.ts';
import { moneyText, timeOf } from '../terminal/figures.ts';
import type { DrawTable } from '../terminal/table.ts';

/** Describes a budget in one line: acme of feature search: 0.005 USD a month, hard. */
export function describeBudget(budget: BudgetAnswer): string {
  const { tenant_id, limit, kind } = budget;
  const per = { day: 'a day', month: 'a month', run: 'a run', once: 'once' }[budget.per];
  const policy = budget.priced_only ? `${kind}, priced models only` : kind;
  return `${tenant_id}${scopeText(budget)}: ${limit} ${measureText(budget)} ${per}, ${policy}`;
}

function scopeText(budget: BudgetAnswer): string {
  const tags = Object.entries(budget.tags).map(([name, value]) => ` of tag ${name}=${value}`);
  return [
    budget.feature === null ? '' : ` of feature ${budget.feature}`,
    budget.user_id === null ? '' : ` of user ${budget.user_id}`,
    budget.agent_run_id === null ? '' : ` of run ${budget.agent_run_id}`,
    ...tags,
  ].join('');
}

function measureText({ currency }: BudgetAnswer): string {
  return currency ?? 'tokens';
}

export function budgetsText(budgets: BudgetsAnswer, table: DrawTable): string {
  if (budgets.length === 0) return 'there is no budget';
  const rows = budgets.flatMap((budget) => {
    const { times } = budget;
    return (times.length === 0 ? [null] : times).map((time) => ({ budget, time }));
  });
  const text = table(rows, [
    { title: 'TENANT', value: ({ budget }) => budget.tenant_id },
    {
      title: 'OF',
      value: ({ budget }) => scopeText(budget).replaceAll(' of ', ' ').trim() || '(all)',
    },
    { title: 'PER', value: ({ budget }) => budget.per },
    { title: 'TIME', value: ({ time }) => time?.time ?? '' },
    {
      title: 'LIMIT',
      value: ({ budget }) => `${moneyText(budget.limit)} ${measureText(budget)}`,
      figure: true,
    },
    { title: 'SPENT', value: ({ time }) => moneyText(time?.spent ?? ''), figure: true },
    { title: 'HELD', value: ({ time }) => moneyText(time?.held ?? ''), figure: true },
    { title: 'LEFT', value: ({ time }) => moneyText(time?.left ?? ''), figure: true },
    { title: 'KIND', value: ({ budget }) => budget.kind, spare: true },
  ]);
  const holds = new Map(
    budgets.flatMap(({ unsettled_holds: unsettled }) =>
      unsettled.map((hold) => [hold.hold_id, hold] as const),
    ),
  );
  return [text, ...[...holds.values()].map(holdText)].join('\n');
}

/** Describes a hold in one line. */
export function holdText(hold: HoldAnswer): string {
  const amount = hold.amount === null ? `${hold.tokens} tokens` : `${hold.amount} ${hold.currency}`;
  const by = hold.settled_by === null ? hold.released_by : hold.settled_by.event_id;
  const when = hold.state === 'unsettled' ? `, expired at ${timeOf(hold.expires_at)}` : '';
  const waits =
    hold.waits_for === null ? '' : `; its event ${hold.waits_for.event_id} waits for its charge`;
  return `hold ${hold.hold_id} of ${hold.tenant_id}: ${amount}, ${hold.state}${by === null ? when : ` by ${by}`}${waits}`;
}

export function callText(answer: CheckAnswer): string {
  const { verdict, estimate, currency, tokens, budgets } = answer;
  const most =
    estimate === null
      ? `comes to at most ${tokens} tokens`
      : `is charged at most ${estimate} ${currency}`;
  return [`${verdict}: the call ${most}`, ...budgets.map(decisionText)].join('\n');
}

export function reservedText(answer: ReserveAnswer): string {
  const { hold_id: holdId, expires_at: expiresAt } = answer;
  const hold = holdId === null ? [] : [`hold ${holdId} until ${expiresAt}`];
  return [callText(answer), ...hold].join('\n');
}

function decisionText(decision: BudgetDecisionAnswer): string {
  const { verdict, spent, held, left } = decision;
  return `${verdict}  ${describeBudget(decision)}; spent ${spent}, held ${held}, left ${left}${retryText(decision)}${becauseText(decision)}`;
}

function becauseText({ because, currency }: BudgetDecisionAnswer): string {
  if (because === 'unpriced') return '; the model has no price';
  return because === 'unknown'
    ? `; what the call comes to in ${currency ?? 'tokens'} is unknown`
    : '';
}

function retryText({ retry_after: seconds }: BudgetDecisionAnswer): string {
  return seconds === null ? '' : `; ask again in ${seconds} s`;
}
