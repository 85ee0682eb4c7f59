import { picoPerMinor } from '../currencies.ts';
import { divideHalfUp, exactPico, formatMinor, formatPico, type Pico } from '../money.ts';
import { type ChartWriting, USUAL_WRITING } from './chart-writing.ts';
import type { DailyUsage, StatementDocument } from './statement-answer.ts';
import { localDaysOf } from './statement-format.ts';

/** The days by model: the five models that cost most, then the others together. */
export interface DailyView {
  /**
   * The series stand from the bottom of the stack; the last is gray if there are more than five.
   */
  readonly series: readonly string[];
  readonly days: readonly { readonly day: string; readonly amounts: readonly Pico[] }[];
  /** What was charged here for days of earlier periods: the bars leave it out. */
  readonly late: Pico;
  /** The picture in words. */
  readonly summary: string;
  readonly caption: string;
  /** The figures behind the bars, as text: a day, one for each series, and their sum. */
  readonly rows: readonly (readonly string[])[];
  readonly sums: readonly string[];
}

/** What the bars are made of: the days of a statement, or of a month that is still open. */
export type DailyFigures = Pick<StatementDocument, 'daily' | 'period' | 'currency'>;

/** The place of a model among the series; null for one that the bars do not show. */
export type SeriesOf = (model: string) => number | null;

const NAMED_SERIES = 5;

/**
 * Chooses the models that have a color of their own, ranked by what they came to in the period's
 * days.
 */
export function rankSeries(document: Pick<DailyFigures, 'daily'>): {
  readonly series: readonly string[];
  readonly seriesOf: SeriesOf;
} {
  const totals = new Map<string, Pico>();
  for (const { model, charge } of document.daily.filter((usage) => !usage.late)) {
    totals.set(model, (totals.get(model) ?? 0n) + exactPico(charge));
  }
  const ranked = [...totals]
    .sort(([a, ofA], [b, ofB]) => (ofA === ofB ? (a < b ? -1 : 1) : ofA > ofB ? -1 : 1))
    .map(([model]) => model);
  const others = ranked.length - NAMED_SERIES;
  const series = others > 1 ? [...ranked.slice(0, NAMED_SERIES), `${others} others`] : ranked;
  const places = new Map(ranked.map((model, rank) => [model, Math.min(rank, NAMED_SERIES)]));
  return { series, seriesOf: (model) => places.get(model) ?? null };
}

export function viewDaily(
  document: DailyFigures,
  ranking: ReturnType<typeof rankSeries>,
  writing = USUAL_WRITING,
): DailyView {
  const { series, seriesOf } = ranking;
  const own = document.daily.filter((usage) => !usage.late);
  const byDay = Map.groupBy(own, (usage) => usage.day);
  const amountsOf = (usages: readonly DailyUsage[]) =>
    series.map((_, place) => sumCharges(usages.filter((usage) => seriesOf(usage.model) === place)));
  const calendar = localDaysOf(document.period);
  const days = [...new Set([...calendar, ...byDay.keys()])]
    .sort()
    .map((day) => ({ day, amounts: amountsOf(byDay.get(day) ?? []) }));
  const late = sumCharges(document.daily.filter((usage) => usage.late));
  const row = (label: string, amounts: readonly Pico[]) => [
    label,
    ...[...amounts, sum(amounts)].map((amount) => writing.exact(formatPico(amount))),
  ];
  return {
    series,
    days,
    late,
    summary: summarize(document.currency, { days, late, writing }),
    caption: captionOf(document, late, writing),
    rows: days.map(({ day, amounts }) => row(writing.day(day), amounts)),
    sums: row('Sum', amountsOf(own)),
  };
}

function summarize(
  currency: string,
  { days, late, writing }: Pick<DailyView, 'days' | 'late'> & { readonly writing: ChartWriting },
): string {
  const money = (amount: Pico) => roundedMoney(amount, currency, writing);
  const highest = days.reduce<DailyView['days'][number] | null>(
    (most, day) => (most === null || sum(day.amounts) > sum(most.amounts) ? day : most),
    null,
  );
  if (highest === null || sum(highest.amounts) === 0n) {
    return late === 0n
      ? 'No usage was charged in this period.'
      : `No usage of these days was charged; what is charged for earlier periods, ${money(late)}, is listed below.`;
  }
  return `Stacked bars of the charge by model for ${days.length} days; the highest is ${writing.shortDay(highest.day)} with ${money(sum(highest.amounts))}.`;
}

function captionOf({ period, currency }: DailyFigures, late: Pico, writing: ChartWriting): string {
  const note =
    late === 0n
      ? ''
      : ` Late usage of earlier periods (${roundedMoney(late, currency, writing)}) is not in the bars.`;
  return `By day, ${period.time_zone}.${note}`;
}

function roundedMoney(amount: Pico, currency: string, writing: ChartWriting): string {
  return writing.money(
    formatMinor(divideHalfUp(amount, picoPerMinor(currency)), currency),
    currency,
  );
}

function sumCharges(usages: readonly DailyUsage[]): Pico {
  return sum(usages.map(({ charge }) => exactPico(charge)));
}

function sum(amounts: readonly Pico[]): Pico {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
