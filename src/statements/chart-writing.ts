import { formatExact, formatMoney, formatShortDay } from './statement-format.ts';

/** How a chart writes figures and days: a statement in one way, and a page in that of whoever reads it. */
export interface ChartWriting {
  /** It keeps as many decimals as the amount has. */
  readonly money: (amount: string, currency: string) => string;
  readonly exact: (figure: string) => string;
  /** A day below the bars, without its year. */
  readonly shortDay: (day: string) => string;
  /** A day in the table of the exact figures. */
  readonly day: (day: string) => string;
}

/** Statements and the console are written in this way. */
export const USUAL_WRITING: ChartWriting = {
  money: formatMoney,
  exact: formatExact,
  shortDay: formatShortDay,
  day: (day) => day,
};
