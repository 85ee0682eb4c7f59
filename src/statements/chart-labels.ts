import { formatPico } from '../money.ts';
import { USUAL_WRITING } from './chart-writing.ts';
import type { ChartLayout } from './daily-chart.ts';
import type { DailyView } from './daily-view.ts';

/**
 * Returns the labels of an axis, in the order of its ticks: exact, with decimals where one of them
 * needs any, and in millions where the highest is one.
 */
export function tickLabels(
  { ticks }: ChartLayout,
  currency: string,
  writing = USUAL_WRITING,
): readonly string[] {
  const inMillions = ticks.some(({ amount }) => amount >= MILLION || amount <= -MILLION);
  const texts = ticks.map(({ amount }) => formatPico(inMillions ? amount / 1_000_000n : amount));
  const decimals = texts.map((text) => text.split('.')[1]?.length ?? 0);
  const fewest = inMillions ? 0 : 2;
  const places = Math.max(...decimals) === 0 ? 0 : Math.max(fewest, ...decimals);
  return texts.map((text) => {
    const [whole = '', fraction = ''] = text.split('.');
    const figure = places === 0 ? whole : `${whole}.${fraction.padEnd(places, '0')}`;
    return `${writing.money(figure, currency)}${inMillions && text !== '0' ? 'M' : ''}`;
  });
}

const MILLION = 10n ** 18n;

/** The month stands where it is new. */
export function dayLabels(
  layout: ChartLayout,
  daily: DailyView,
  writing = USUAL_WRITING,
): readonly { readonly x: number; readonly text: string }[] {
  let month = '';
  return layout.labels.map(({ x, day }) => {
    const date = daily.days[day]?.day ?? '';
    const isNew = date.slice(0, 7) !== month;
    month = date.slice(0, 7);
    return { x, text: isNew ? writing.shortDay(date) : String(Number(date.slice(8))) };
  });
}
