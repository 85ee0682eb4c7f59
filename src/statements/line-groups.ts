import { minorUnitDecimals } from '../currencies.ts';
import type { LineMeter, ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { exactDecimal, exactPico, formatDecimal, type Pico } from '../money.ts';
import type { UnitMeter } from '../units.ts';
import { unitOfMeter } from '../units.ts';
import type { SeriesOf } from './daily-view.ts';
import { formatExact, formatMoney, formatQuantity } from './statement-format.ts';

/** The lines of one model, as its block of the table. */
export interface LineGroup {
  readonly model: string;
  /** Its color among the bars, if it has one. */
  readonly series: number | null;
  /** The sum of the lines; null for a single line, which shows it itself. */
  readonly subtotal: string | null;
  readonly lines: readonly LineView[];
}

export interface LineView {
  readonly meter: string;
  readonly quantity: string;
  readonly rate: AlignedFigure;
  /** The unit reads like ` / call`; it is empty for a rate of a million. */
  readonly rateUnit: string;
  readonly exact: AlignedFigure;
  readonly amount: string;
}

/** An exact figure, and how many digits it lacks to have its point below those of its column. */
export interface AlignedFigure {
  readonly text: string;
  readonly lacking: number;
}

/** Returns what a customer reads for a line: the words of its unit, or what else it is. */
export function meterName(meter: LineMeter): string {
  const unit = unitOfMeter(meter);
  if (unit === null) return OTHER_NAMES[meter as OtherMeter];
  const [, several] = unit.words;
  return several.charAt(0).toUpperCase() + several.slice(1);
}

type OtherMeter = Exclude<LineMeter, UnitMeter>;

const OTHER_NAMES: Readonly<Record<OtherMeter, string>> = {
  calls: 'Calls',
  allocation: 'Shared spend',
  adjustment: 'Adjustment',
  carried_in: 'Carried in',
  carried_out: 'Carried out',
};

/** Returns what a line's rate is the price of; tokens come in millions, which most lines are of. */
export function rateUnitOf(meter: LineMeter): 'million' | 'thousand' | 'second' | 'image' | 'call' {
  const per = unitOfMeter(meter)?.price.per ?? 'call';
  return per === 'one' ? 'image' : per;
}

/** Groups by model, the one that comes to most first; the lines of a model keep their order. */
export function groupLines(
  lines: readonly ManifestLine[],
  of: { readonly seriesOf: SeriesOf; readonly currency: string },
): readonly LineGroup[] {
  const rates = alignPoints(lines.map(rateOf));
  const exacts = alignPoints(lines.map((line) => formatExact(line.exact)));
  const views = lines.map((line, index) => ({
    line,
    view: viewLine(line, {
      rate: rates[index] ?? NOTHING,
      exact: exacts[index] ?? NOTHING,
      currency: of.currency,
    }),
  }));
  return [...Map.groupBy(views, ({ line }) => line.model)]
    .map(([model, own]) => ({ model, own, exact: sumExact(own.map(({ line }) => line)) }))
    .sort((a, b) => (a.exact === b.exact ? 0 : a.exact > b.exact ? -1 : 1))
    .map(({ model, own }) => ({
      model,
      series: of.seriesOf(model),
      subtotal:
        own.length === 1
          ? null
          : sumAmounts(
              own.map(({ line }) => line),
              of.currency,
            ),
      lines: own.map(({ view }) => view),
    }));
}

/** Sums what lines come to as they are printed: their rounded amounts. */
export function sumAmounts(lines: readonly ManifestLine[], currency: string): string {
  const decimals = minorUnitDecimals(currency);
  const sum = lines.reduce((total, line) => total + exactDecimal(line.amount, decimals), 0n);
  return formatMoney(formatDecimal(sum, decimals), currency);
}

const NOTHING: AlignedFigure = { text: '', lacking: 0 };

function viewLine(
  line: ManifestLine,
  figures: Pick<LineView, 'rate' | 'exact'> & { readonly currency: string },
): LineView {
  const tier = ['', 'standard'].includes(line.service_tier) ? '' : ` (${line.service_tier})`;
  return {
    meter: meterName(line.meter) + tier,
    quantity: hasRate(line) ? formatQuantity(line.quantity) : '',
    rate: figures.rate,
    rateUnit: hasRate(line) ? RATE_UNITS[rateUnitOf(line.meter)] : '',
    exact: figures.exact,
    amount: formatMoney(line.amount, figures.currency),
  };
}

const RATE_UNITS = {
  million: '',
  thousand: ' / 1,000',
  second: ' / second',
  image: ' / image',
  call: ' / call',
} as const;

/** A share of a pool and an adjustment have an amount of their own, and neither quantity nor rate. */
function hasRate({ meter }: Pick<ManifestLine, 'meter'>): boolean {
  return meter !== 'allocation' && meter !== 'adjustment';
}

function rateOf(line: ManifestLine): string {
  return hasRate(line) ? formatExact(line.rate) : '';
}

function alignPoints(figures: readonly string[]): readonly AlignedFigure[] {
  const decimals = figures.map((figure) => figure.split('.')[1]?.length ?? 0);
  const most = Math.max(0, ...decimals);
  return figures.map((text, index) => ({
    text,
    lacking: text === '' ? 0 : most - (decimals[index] ?? 0),
  }));
}

function sumExact(lines: readonly ManifestLine[]): Pico {
  return lines.reduce((sum, line) => sum + exactPico(line.exact), 0n);
}
