import { html } from 'hono/html';
import { counted } from '../../counted.ts';
import { exactPico } from '../../money.ts';
import type { DaysSum, ProjectionAnswer } from '../../reports/overview/overview-answer.ts';
import { signedPercentOf } from '../../reports/percent.ts';
import { amount, amountText, countText, dayText, type Html, percentText } from '../view/amounts.ts';

/** Renders how a sum stands to that of the same days before. */
export function comparison(
  now: string,
  before: string,
  of: { readonly currency: string; readonly before: string; readonly locale?: string },
): Html {
  const [is, was] = [exactPico(now), exactPico(before)];
  const change = signedPercentOf(is - was, was);
  if (change === null) return html`nothing from ${dayText(of.before, of.locale)} on`;
  const isMore = is >= was;
  return html`<span class="${isMore ? 'up' : 'down'}">${isMore ? '▲' : '▼'} ${percentText(change.replace('-', ''))}</span> against ${amount(before, of.currency, of.locale)}`;
}

/** Points of the margin against those of before. */
export function marginComparison(now: DaysSum, before: DaysSum, currency: string): Html {
  const margin = now.margin === null ? '' : `${amountText(now.margin, currency)}`;
  if (now.margin_percent === null)
    return html`<span>${countText(now.entries_without_cost)} entries have no known cost</span>`;
  if (before.margin_percent === null) return html`${margin}`;
  const points = exactPico(now.margin_percent) - exactPico(before.margin_percent);
  const isMore = points >= 0n;
  const text = amountPoints(isMore ? points : -points);
  return html`<span class="${isMore ? 'up' : 'down'}">${isMore ? '▲' : '▼'} ${text} pt</span> · ${margin}`;
}

function amountPoints(pico: bigint): string {
  const tenths = pico / 100_000_000_000n;
  return `${tenths / 10n}.${tenths % 10n}`;
}

/** Says what a projection rests on, in words. */
export function projectionWords(projection: ProjectionAnswer | null): string {
  if (projection === null) return 'the month is over, or nothing came before today';
  const { method, from_days: days } = projection;
  return method === 'weekdays'
    ? `each day as the same weekdays of the last ${days} days`
    : `each day as the ${counted(days, 'day')} before`;
}
