import { html } from 'hono/html';
import { exactPico } from '../../money.ts';
import type { DaysSum, ProjectionAnswer } from '../../reports/overview/overview-answer.ts';
import { signedPercentOf } from '../../reports/percent.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { amount, amountText, dayText, type Html, percentText } from '../view/amounts.ts';

/** Renders how a sum stands to that of the same days before. */
function comparison(
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

/** Renders a charge against that of the same days before, and names what of it is still to come. */
export function chargeComparison(now: DaysSum, before: DaysSum, currency: string): Html {
  const against = comparison(now.charge, before.charge, { currency, before: before.from });
  const waiting = now.entries_without_price;
  if (waiting === 0) return against;
  return html`${against} · <span class="down">${counted(waiting, 'entry waits', 'entries wait')} for a price</span>`;
}

/** Points of the margin against those of before. */
export function marginComparison(now: DaysSum, before: DaysSum, currency: string): Html {
  const margin = now.margin === null ? '' : `${amountText(now.margin, currency)}`;
  if (now.margin === null) return html`<span>${whyUnknown(now)}</span>`;
  if (now.margin_percent === null || before.margin_percent === null) return html`${margin}`;
  const points = exactPico(now.margin_percent) - exactPico(before.margin_percent);
  const isMore = points >= 0n;
  const text = amountPoints(isMore ? points : -points);
  return html`<span class="${isMore ? 'up' : 'down'}">${isMore ? '▲' : '▼'} ${text} pt</span> · ${margin}`;
}

/** Says how many entries keep the margin unknown, and for want of what. */
function whyUnknown(of: Pick<DaysSum, 'entries_without_cost' | 'entries_without_price'>): string {
  const { entries_without_cost: uncosted, entries_without_price: uncharged } = of;
  const parts = [
    ...(uncosted > 0 ? [`${counted(uncosted, 'entry has', 'entries have')} no known cost`] : []),
    ...(uncharged > 0 ? [`${counted(uncharged, 'entry waits', 'entries wait')} for a price`] : []),
  ];
  return parts.join(', ');
}

function amountPoints(pico: bigint): string {
  const tenths = pico / 100_000_000_000n;
  return figureOf(`${tenths / 10n}.${tenths % 10n}`);
}

/** Says what a projection rests on, in words. */
export function projectionWords(projection: ProjectionAnswer | null): string {
  if (projection === null) return 'the month is over, or nothing came before today';
  const { method, from_days: days } = projection;
  return method === 'weekdays'
    ? `each day as the same weekdays of the last ${days} days`
    : `each day as the ${counted(days, 'day')} before`;
}
