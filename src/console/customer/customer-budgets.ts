import { html } from 'hono/html';
import type { BudgetsAnswer } from '../../budgets/budget-answer.ts';
import { usedShare } from '../pages/budgets-panel.ts';
import { amountText, countText, type Html } from '../view/amounts.ts';
import { bar } from '../view/pictures.ts';
import { card } from '../view/table.ts';

/** More than these make the page no clearer. */
const BUDGETS_SHOWN = 2;

/** What is left of the budgets of a month or a day, and what is held for calls under way. */
export function budgetCards(budgets: BudgetsAnswer, locale: string): readonly Html[] {
  const own = budgets.filter(({ per }) => per === 'month' || per === 'day' || per === 'once');
  const shown = own.flatMap((budget) => budget.times.slice(0, 1).map((time) => ({ budget, time })));
  return shown.slice(0, BUDGETS_SHOWN).map(({ budget, time }) => {
    const text = (exact: string) =>
      budget.currency === null
        ? `${countText(exact, locale)} tokens`
        : amountText(exact, budget.currency, locale);
    const of = budget.feature ?? budget.user_id;
    const isOver = time.left.startsWith('-');
    const title = `Budget ${text(budget.limit)} ${PER[budget.per]}${of === null ? '' : `, ${of}`}`;
    const below = html`${bar(usedShare(budget.limit, time.left), isOver ? 'bad' : 'plain')}<span>${text(time.held)} held for calls under way</span>`;
    return card(title, html`${text(time.left)} left`, below);
  });
}

const PER: Readonly<Record<BudgetsAnswer[number]['per'], string>> = {
  day: 'a day',
  month: 'a month',
  run: 'a run',
  once: 'in all',
};
