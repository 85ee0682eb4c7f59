import { formatPico, type Pico } from '../money.ts';
import type { ChartLayout } from './daily-chart.ts';
import type { DailyView } from './daily-view.ts';
import { formatMoney, formatShortDay } from './statement-format.ts';

/** Axis labels of one chart have the same step, so the shortest exact form of each is enough. */
export function formatTick(amount: Pico, currency: string): string {
  const text = formatPico(amount);
  return formatMoney(/\.\d$/.test(text) ? `${text}0` : text, currency);
}

/** The month stands where it is new. */
export function dayLabels(
  layout: ChartLayout,
  daily: DailyView,
): readonly { readonly x: number; readonly text: string }[] {
  let month = '';
  return layout.labels.map(({ x, day }) => {
    const date = daily.days[day]?.day ?? '';
    const isNew = date.slice(0, 7) !== month;
    month = date.slice(0, 7);
    return { x, text: isNew ? formatShortDay(date) : String(Number(date.slice(8))) };
  });
}
