import type { InstantMs } from '../../clock.ts';
import { minorPerBilled, picoPerBilled } from '../../currencies.ts';
import type { Pico } from '../../money.ts';
import {
  apportion,
  divideHalfUp,
  formatDecimal,
  formatMinor,
  formatPico,
  PICO_PER_MICRO,
} from '../../money.ts';
import { present } from '../../present.ts';
import type { Rate } from '../../rating/books/rate.ts';
import type { Caching, RatedTokens } from '../../rating/rate-usage.ts';
import { amountOf, priceOfUnit, unitCount } from '../../rating/rate-usage.ts';
import type { UnitMeter } from '../../units.ts';
import { pricedTogether, UNITS, unitOfMeter } from '../../units.ts';
import type { LayeredUsage } from './manifest-layers.ts';

/** Entries of one period that share everything that decides their price, summed. */
export interface EntryGroup {
  readonly requestedModel: string;
  readonly serviceTier: string;
  readonly late: boolean;
  /** False for what belongs to a period that was closed in shadow: it is metered here, and on no bill (R19). */
  readonly due: boolean;
  readonly currency: string;
  readonly kind: 'usage' | 'correction' | 'allocation' | 'adjustment';
  readonly outcome: string;
  readonly entries: bigint;
  /** The calls behind the entries: a reversal takes one back, and money without a call is none. */
  readonly calls: bigint;
  readonly tokens: RatedTokens;
  readonly charge: Pico;
  /** It is null where the group has no priced charge. */
  readonly price: GroupPrice | null;
  /** It is absent where no entry of the group has token layers. */
  readonly layered?: LayeredUsage | undefined;
}

export interface GroupPrice {
  readonly book: string;
  readonly version: InstantMs;
  readonly caching: Caching;
  /** The rate as charged: a cost-plus factor is already in it. */
  readonly rate: Rate;
}

/** What a line counts; the last two carry a remainder of another period in or out (R14). */
export type LineMeter =
  | UnitMeter
  | 'calls'
  | 'allocation'
  | 'adjustment'
  | 'carried_in'
  | 'carried_out';

/** One line of a statement. Decimal strings; `amount` is rounded so that the lines add up. */
export interface ManifestLine {
  readonly model: string;
  readonly service_tier: string;
  readonly meter: LineMeter;
  /** Usage of an earlier, closed period (R12). */
  readonly late: boolean;
  /** The quantity is of the unit; `calls` with up to six decimals, and seconds with three. */
  readonly quantity: string;
  /** The rate is as a price book gives it: per million tokens, a thousand searches, a second, an image or a call. */
  readonly rate: string;
  readonly exact: string;
  readonly amount: string;
}

/** What is metered in a period and belongs to one that was closed in shadow: it is in no line and no sum of the bill. */
export interface NotDue {
  readonly currency: string;
  readonly exact: string;
  readonly total: string;
  readonly lines: readonly ManifestLine[];
}

/** A line, or one group's part of it, before anything is rounded. */
export interface ExactLine {
  readonly model: string;
  readonly serviceTier: string;
  readonly late: boolean;
  readonly meter: LineMeter;
  readonly quantity: bigint;
  readonly rate: bigint;
  readonly exact: Pico;
}

/**
 * Returns the lines of what is due, with what was carried; their amounts add up to the total, in
 * minor units.
 */
export function linesOf(
  groups: readonly EntryGroup[],
  period: {
    readonly currency: string;
    readonly carriedIn: Pico;
    readonly carriedOut: Pico;
    readonly total: bigint;
  },
): readonly ManifestLine[] {
  const { currency, carriedIn, carriedOut, total } = period;
  const usage = mergeLines(groups.flatMap(exactLines));
  return withAmounts([...usage, ...carryLines(carriedIn, carriedOut)], total, currency);
}

/** Whatever currency it has, nobody is billed for it, so that each has its own sum. */
export function notDueOf(groups: readonly EntryGroup[]): readonly NotDue[] {
  const byCurrency = Map.groupBy(
    groups.filter(({ due, charge }) => !due && charge !== 0n),
    ({ currency }) => currency,
  );
  const currencies = [...byCurrency].sort(([a], [b]) => compareText(a, b));
  return currencies.map(([currency, own]) => {
    const exact = own.reduce((sum, { charge }) => sum + charge, 0n);
    const total = divideHalfUp(exact, picoPerBilled(currency)) * minorPerBilled(currency);
    const lines = withAmounts(mergeLines(own.flatMap(exactLines)), total, currency);
    return { currency, exact: formatPico(exact), total: formatMinor(total, currency), lines };
  });
}

/** Lines with amounts that add up to a total in minor units. */
function withAmounts(
  lines: readonly ExactLine[],
  total: bigint,
  currency: string,
): readonly ManifestLine[] {
  const exact = lines.map((line) => line.exact);
  const perBilled = minorPerBilled(currency);
  const amounts = apportion(total / perBilled, exact, picoPerBilled(currency));
  return lines.map((line, index) => ({
    ...describeLine(line),
    amount: formatMinor(present(amounts[index], 'the amount of a line') * perBilled, currency),
  }));
}

/** Describes a line as a manifest writes it, before its amount is rounded. */
export function describeLine(line: ExactLine): Omit<ManifestLine, 'amount'> {
  return {
    model: line.model,
    service_tier: line.serviceTier,
    meter: line.meter,
    late: line.late,
    quantity: formatDecimal(line.quantity, quantityDecimals(line.meter)),
    rate: formatPico(line.rate * pricedTogetherOf(line.meter)),
    exact: formatPico(line.exact),
  };
}

/** Calls are counted in millionths, and time in milliseconds. */
function quantityDecimals(meter: LineMeter): number {
  if (meter === 'calls') return 6;
  return unitOfMeter(meter)?.price.per === 'second' ? 3 : 0;
}

/** A statement gives prices of as many as price books do, such as a million tokens. */
function pricedTogetherOf(meter: LineMeter): bigint {
  const unit = unitOfMeter(meter);
  return unit === null ? 1n : pricedTogether(unit);
}

/**
 * Returns the lines of one group, or of one entry, which is a group of its own. They sum to its
 * charge. A share of a pool has an amount and no tokens, and its pool is its model; one that is
 * only a cost of ours is no business of the customer's.
 */
export function exactLines(group: EntryGroup): readonly ExactLine[] {
  const { requestedModel: model, serviceTier, late, tokens, price } = group;
  const of = { model, serviceTier, late };
  if (group.kind === 'allocation' || group.kind === 'adjustment') {
    if (group.charge === 0n) return [];
    return [{ ...of, meter: group.kind, quantity: 0n, rate: 0n, exact: group.charge }];
  }
  if (price === null) return refuseUnpriced(group);
  const charge = amountOf(tokens, price.rate, price.caching);
  if (charge !== group.charge) {
    throw new Error(
      `entries of ${model} hold a charge of ${group.charge} p, but their prices give ${charge ?? 'no amount'} p; verify the ledger`,
    );
  }
  const lines: ExactLine[] = [];
  for (const { name, meter } of UNITS) {
    const quantity = unitCount(tokens, name);
    if (quantity === 0n) continue;
    const rate = priceOfUnit(name, price.rate, price.caching) ?? 0n;
    lines.push({ ...of, meter, quantity, rate, exact: quantity * rate });
  }
  return [...lines, ...callLines(group, price)];
}

function callLines({ requestedModel, serviceTier, late, tokens }: EntryGroup, price: GroupPrice) {
  const { perCall } = price.rate;
  if (perCall === 0n || tokens.callShare === 0n) return [];
  const of = { model: requestedModel, serviceTier, late, meter: 'calls' as const };
  const exact = (perCall / 1_000_000n) * tokens.callShare;
  return [{ ...of, quantity: tokens.callShare, rate: perCall, exact }];
}

/** What was not charged has no line; a charge without a price would be a line that nobody can explain. */
function refuseUnpriced(group: EntryGroup): readonly ExactLine[] {
  if (group.charge === 0n) return [];
  throw new Error(
    `entries of ${group.requestedModel} hold a charge of ${group.charge} p and no price`,
  );
}

/** Groups that differ only in what a customer need not see become one line. */
function mergeLines(lines: readonly ExactLine[]): readonly ExactLine[] {
  const merged = new Map<string, ExactLine>();
  for (const line of lines) {
    const key = JSON.stringify([
      line.late,
      line.model,
      line.serviceTier,
      line.meter,
      String(line.rate),
    ]);
    const known = merged.get(key);
    const quantity = (known?.quantity ?? 0n) + line.quantity;
    merged.set(key, { ...line, quantity, exact: (known?.exact ?? 0n) + line.exact });
  }
  return [...merged.values()].sort(compareLines);
}

/** Every meter, in the order in which the lines of a model stand. */
export const METERS: readonly LineMeter[] = [
  ...UNITS.map(({ meter }) => meter),
  'calls',
  'allocation',
  'adjustment',
  'carried_in',
  'carried_out',
];

function compareLines(a: ExactLine, b: ExactLine): number {
  return (
    Number(a.late) - Number(b.late) ||
    compareText(a.model, b.model) ||
    compareText(a.serviceTier, b.serviceTier) ||
    METERS.indexOf(a.meter) - METERS.indexOf(b.meter) ||
    (a.rate < b.rate ? -1 : 1)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A carried remainder below a micro-dollar is in the rounding; a larger one is shown, in and out. */
function carryLines(carriedIn: Pico, carriedOut: Pico): readonly ExactLine[] {
  const of = { model: '', serviceTier: '', late: false, quantity: 0n, rate: 0n };
  const isShown = (amount: Pico) => amount >= PICO_PER_MICRO || amount <= -PICO_PER_MICRO;
  return [
    ...(isShown(carriedIn) ? [{ ...of, meter: 'carried_in' as const, exact: carriedIn }] : []),
    ...(isShown(carriedOut) ? [{ ...of, meter: 'carried_out' as const, exact: -carriedOut }] : []),
  ];
}
