import type { Pico } from '../money.ts';

/**
 * The geometry of stacked daily bars, for whatever draws them: coordinates from the top left corner
 * of a box. Amounts stay exact; only lengths are floating-point numbers.
 */

export interface ChartDay {
  /** One amount for each series, from the bottom of the stack. */
  readonly amounts: readonly Pico[];
}

export interface ChartBox {
  readonly width: number;
  readonly height: number;
  /** Room for the axis labels, on the left and below. */
  readonly left: number;
  readonly below: number;
}

export interface ChartLayout {
  readonly ticks: readonly { readonly y: number; readonly amount: Pico }[];
  readonly bars: readonly ChartBar[];
  /** Middles of the labeled days, with the place of each day in the input. */
  readonly labels: readonly { readonly x: number; readonly day: number }[];
  /** Top of the band of day labels. */
  readonly bottom: number;
}

interface ChartBar {
  readonly day: number;
  readonly x: number;
  readonly width: number;
  readonly parts: readonly {
    readonly series: number;
    readonly y: number;
    readonly height: number;
  }[];
}

export function layOutChart(days: readonly ChartDay[], box: ChartBox): ChartLayout {
  const top = HALF_A_LABEL;
  const bottom = box.height - box.below;
  const axis = chooseAxis(
    largest(days.map(({ amounts }) => sumWhere(amounts, (amount) => amount > 0n))),
    largest(days.map(({ amounts }) => -sumWhere(amounts, (amount) => amount < 0n))),
  );
  const span = Number(axis.step) * (axis.above + axis.below);
  const scale = (bottom - top) / span;
  const zero = top + Number(axis.step) * axis.above * scale;
  const slot = (box.width - box.left) / Math.max(1, days.length);
  const ticks = Array.from({ length: axis.above + axis.below + 1 }, (_, index) => {
    const amount = axis.step * BigInt(index - axis.below);
    return { y: tidy(zero - Number(amount) * scale), amount };
  });
  const bars = days.map(({ amounts }, day) => ({
    day,
    x: tidy(box.left + slot * (day + (1 - BAR_SHARE) / 2)),
    width: tidy(slot * BAR_SHARE),
    parts: stack(amounts, { zero, scale }),
  }));
  const every = Math.max(1, Math.ceil(days.length / MOST_LABELS));
  const labels = days.flatMap((_, day) =>
    day % every === 0 ? [{ x: tidy(box.left + slot * (day + 0.5)), day }] : [],
  );
  return { ticks, bars, labels, bottom };
}

/** Keeps the topmost axis label inside the box. */
const HALF_A_LABEL = 6;

/** The part of a day's width that its bar takes. */
const BAR_SHARE = 0.74;

/** A month gets a label every five days. */
const MOST_LABELS = 7;

/** Corrections can make a day negative: those parts hang below the zero line. */
function stack(
  amounts: readonly Pico[],
  axis: { readonly zero: number; readonly scale: number },
): ChartBar['parts'] {
  let above = axis.zero;
  let below = axis.zero;
  return amounts.flatMap((amount, series) => {
    if (amount === 0n) return [];
    const height = Math.abs(Number(amount)) * axis.scale;
    if (amount > 0n) above -= height;
    const y = amount > 0n ? above : below;
    if (amount < 0n) below += height;
    return [{ series, y: tidy(y), height: tidy(height) }];
  });
}

/**
 * Chooses the axis whose ends are closest to the amounts, so that bars fill the height: of all
 * round steps that give three to five intervals the one with the least room to spare, and of equals
 * four of them.
 */
function chooseAxis(highest: Pico, lowest: Pico): Axis {
  let best: Axis = { step: 1n, above: MOST_INTERVALS, below: 0 };
  let bestSpan: Pico | null = null;
  for (const step of roundSteps(highest + lowest)) {
    const above = Number((highest + step - 1n) / step);
    const below = Number((lowest + step - 1n) / step);
    const intervals = above + below;
    if (intervals < FEWEST_INTERVALS || intervals > MOST_INTERVALS) continue;
    const span = step * BigInt(intervals);
    const isTighter = bestSpan === null || span < bestSpan;
    if (!isTighter && !(span === bestSpan && intervals === USUAL_INTERVALS)) continue;
    best = { step, above, below };
    bestSpan = span;
  }
  return best;
}

interface Axis {
  readonly step: Pico;
  /** Intervals above zero and below it. */
  readonly above: number;
  readonly below: number;
}

const FEWEST_INTERVALS = 3;
const USUAL_INTERVALS = 4;
const MOST_INTERVALS = 5;

/** Round steps from a tenth of a range up to the range, ascending; tenths of a power of ten. */
function roundSteps(range: Pico): readonly Pico[] {
  const power = 10n ** BigInt(Math.max(0, String(range).length - 2));
  const mantissas = [10n, 15n, 20n, 25n, 30n, 40n, 50n, 60n, 80n];
  const steps = [power / 10n, power, power * 10n].flatMap((unit) =>
    mantissas.map((mantissa) => (mantissa * unit) / 10n),
  );
  return steps.filter((step) => step > 0n);
}

function largest(amounts: readonly Pico[]): Pico {
  return amounts.reduce((most, amount) => (amount > most ? amount : most), 0n);
}

function sumWhere(amounts: readonly Pico[], holds: (amount: Pico) => boolean): Pico {
  return amounts.filter(holds).reduce((sum, amount) => sum + amount, 0n);
}

/** Two decimals of a unit are more than print can show. */
function tidy(length: number): number {
  return Math.round(length * 100) / 100;
}
