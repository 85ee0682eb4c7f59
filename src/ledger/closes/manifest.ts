import { hash } from 'node:crypto';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { billedDecimals, minorPerBilled, picoPerBilled } from '../../currencies.ts';
import type { Pico } from '../../money.ts';
import { apportion, formatDecimal, formatMinor, formatPico, PICO_PER_MICRO } from '../../money.ts';
import { present } from '../../present.ts';
import type { Rate } from '../../rating/books/rate.ts';
import type { Caching, RatedTokens, UnitAmounts } from '../../rating/rate-usage.ts';
import { amountOf, inputOf, outputOf, priceOfUnit, unitCount } from '../../rating/rate-usage.ts';
import type { UnitMeter, UnitName } from '../../units.ts';
import { FURTHER_UNITS, pricedTogether, UNITS, unitOfMeter } from '../../units.ts';
import type { Billable } from './billable.ts';
import { billableOf } from './billable.ts';
import type { LayeredUsage, ManifestLayers } from './manifest-layers.ts';
import { layersOf } from './manifest-layers.ts';

/** Entries of one period that share everything that decides their price, summed. */
export interface EntryGroup {
  readonly requestedModel: string;
  readonly serviceTier: string;
  readonly late: boolean;
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

export interface PeriodFacts {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly timeZone: string;
  readonly currency: string;
  readonly carriedIn: Pico;
  /** What an older close has not is left out when it is made again. */
  readonly format: ManifestFormat;
  /** Merkle root over the hashes of the entries; null in a close older than the seals and the layers. */
  readonly entriesRoot: string | null;
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
  /** As a price book gives it: per million tokens, a thousand searches, a second, an image or a call. */
  readonly rate: string;
  readonly exact: string;
  readonly amount: string;
}

/** The format in which periods are closed now. */
export const MANIFEST_FORMAT = 'spanledger-manifest-3' as const;

/** 1 was before the seals, and has no root and no layers; 2 counted entries and not calls. */
type ManifestFormat = 'spanledger-manifest-1' | 'spanledger-manifest-2' | typeof MANIFEST_FORMAT;

/** A closed period (R17): everything in it follows from the entries, so anyone can recompute it. */
export interface Manifest {
  readonly format: ManifestFormat;
  readonly tenant_id: string;
  readonly period_start: string;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly entries: number;
  /** Merkle root over the hashes of the entries in the order of their ids (law 8). */
  readonly entries_root?: string;
  /** Entries by outcome, those of corrections among them. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Calls by outcome, as they stand after corrections; absent before the third format. */
  readonly calls?: Readonly<Record<string, number>>;
  readonly late_entries: number;
  readonly corrections: number;
  /** Shares of pools and their reversals (R20); absent where there is none. */
  readonly allocations?: number;
  /** Totals, whatever the tokens carry. */
  readonly tokens: Readonly<Record<'input' | 'cache_read' | 'cache_write' | 'output', string>>;
  /** Every other unit; absent where none was counted. */
  readonly units?: Readonly<Record<string, string>>;
  readonly books: readonly {
    readonly book: string;
    readonly version: string;
    readonly caching: Caching;
  }[];
  readonly lines: readonly ManifestLine[];
  /** It is absent where no entry has token layers, and in a close older than they are. */
  readonly layers?: ManifestLayers;
  readonly charge_exact: string;
  readonly carried_in: string;
  readonly billable: string;
  readonly carried_out: string;
  readonly charge_total: string;
  readonly rounding: string;
}

export interface FrozenManifest {
  readonly manifest: Manifest;
  /** The exact bytes that are kept and hashed. */
  readonly text: string;
  readonly hash: string;
  readonly chargeExact: Pico;
  readonly billable: Billable;
}

/**
 * Makes a period's manifest from its entries. Throws when the prices of a group do not give the
 * charge that its entries hold: a close must not freeze what law 7 would refuse.
 */
export function makeManifest(facts: PeriodFacts, groups: readonly EntryGroup[]): FrozenManifest {
  const chargeExact = sum(groups, (group) => group.charge);
  const billable = billableOf(chargeExact, facts.carriedIn, facts.currency);
  // Both came with the second format, and what is older recomputes without them.
  const layers = facts.format === 'spanledger-manifest-1' ? null : layersOf(groups);
  const manifest: Manifest = {
    format: facts.format,
    tenant_id: facts.tenantId,
    period_start: facts.periodStart,
    starts_at: formatInstant(facts.startsAt),
    ends_at: formatInstant(facts.endsAt),
    time_zone: facts.timeZone,
    currency: facts.currency,
    entries: Number(sum(groups, (group) => group.entries)),
    ...(facts.entriesRoot === null ? {} : { entries_root: facts.entriesRoot }),
    outcomes: countOutcomes(groups, ({ entries }) => entries),
    ...(facts.format === MANIFEST_FORMAT ? { calls: countCalls(groups) } : {}),
    late_entries: countWhere(groups, (group) => group.late),
    corrections: countWhere(groups, (group) => group.kind === 'correction'),
    ...countAllocations(groups),
    tokens: sumTokens(groups),
    ...sumFurther(groups),
    books: booksOf(groups),
    lines: linesOf(groups, { facts, billable }),
    ...(layers === null ? {} : { layers }),
    charge_exact: formatPico(chargeExact),
    carried_in: formatPico(facts.carriedIn),
    billable: formatDecimal(billable.billableMicro, 6),
    carried_out: formatPico(billable.carriedOut),
    charge_total: formatMinor(billable.total, facts.currency),
    rounding: `billable amount rounded once, half up, to ${billedDecimals(facts.currency)} decimals`,
  };
  const text = JSON.stringify(manifest);
  return { manifest, text, hash: hash('sha256', text, 'hex'), chargeExact, billable };
}

function countOutcomes(
  groups: readonly EntryGroup[],
  counted: (group: EntryGroup) => bigint,
): Record<string, number> {
  const names = [...new Set(groups.map((group) => group.outcome))].sort();
  return Object.fromEntries(
    names.map((name) => {
      const own = groups.filter((group) => group.outcome === name);
      return [name, Number(sum(own, counted))];
    }),
  );
}

/** What corrections took back and put in its place is one call, as it stands now. */
function countCalls(groups: readonly EntryGroup[]): Record<string, number> {
  const counts = Object.entries(countOutcomes(groups, ({ calls }) => calls));
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

function countAllocations(groups: readonly EntryGroup[]): Pick<Manifest, 'allocations'> {
  const allocations = countWhere(groups, (group) => group.kind === 'allocation');
  return allocations === 0 ? {} : { allocations };
}

function countWhere(groups: readonly EntryGroup[], holds: (group: EntryGroup) => boolean): number {
  return Number(sum(groups.filter(holds), (group) => group.entries));
}

function sumTokens(groups: readonly EntryGroup[]): Manifest['tokens'] {
  const total = (of: (tokens: RatedTokens) => bigint) =>
    String(sum(groups, ({ tokens }) => of(tokens)));
  return {
    input: total(inputOf),
    cache_read: total(({ cacheRead, units }) => cacheRead + sumParts(units, 'cache_read_tokens')),
    cache_write: total(
      ({ cacheWrite, units }) => cacheWrite + sumParts(units, 'cache_write_tokens'),
    ),
    output: total(outputOf),
  };
}

/** Of further units, those that a total of text holds. */
function sumParts(units: UnitAmounts | null, total: UnitName): bigint {
  if (units === null) return 0n;
  return FURTHER_UNITS.filter(({ partOf }) => partOf === total).reduce(
    (all, { name }) => all + (units[name] ?? 0n),
    0n,
  );
}

function sumFurther(groups: readonly EntryGroup[]): Pick<Manifest, 'units'> {
  const counted = FURTHER_UNITS.flatMap(({ name }) => {
    const total = sum(groups, ({ tokens }) => tokens.units?.[name] ?? 0n);
    return total === 0n ? [] : [[name, String(total)] as const];
  });
  return counted.length === 0 ? {} : { units: Object.fromEntries(counted) };
}

function booksOf(groups: readonly EntryGroup[]): Manifest['books'] {
  const books = new Map<string, Manifest['books'][number]>();
  for (const { price } of groups) {
    if (price === null) continue;
    const version = formatInstant(price.version);
    books.set(`${price.book} ${version}`, { book: price.book, version, caching: price.caching });
  }
  return [...books].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, book]) => book);
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

function linesOf(
  groups: readonly EntryGroup[],
  period: { readonly facts: PeriodFacts; readonly billable: Billable },
): readonly ManifestLine[] {
  const { facts, billable } = period;
  const usage = mergeLines(groups.flatMap(exactLines));
  const lines = [...usage, ...carryLines(facts.carriedIn, billable.carriedOut)];
  const exact = lines.map((line) => line.exact);
  const { currency } = facts;
  const perBilled = minorPerBilled(currency);
  const amounts = apportion(billable.total / perBilled, exact, picoPerBilled(currency));
  return lines.map((line, index) => ({
    ...describeLine(line),
    amount: formatMinor(present(amounts[index], 'the amount of a line') * perBilled, currency),
  }));
}

/** A line as a manifest writes it, before its amount is rounded. */
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
 * The lines of one group, or of one entry, which is a group of its own. They sum to its charge. A
 * share of a pool has an amount and no tokens, and its pool is its model; one that is only a cost of
 * ours is no business of the customer's.
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
  const counted = UNITS.map(({ name, meter }) => {
    const quantity = unitCount(tokens, name);
    const rate = priceOfUnit(name, price.rate, price.caching) ?? 0n;
    return { ...of, meter, quantity, rate, exact: quantity * rate };
  });
  return [...counted, ...callLines(group, price)].filter(({ quantity }) => quantity !== 0n);
}

function callLines({ requestedModel, serviceTier, late, tokens }: EntryGroup, price: GroupPrice) {
  const { perCall } = price.rate;
  if (perCall === 0n) return [];
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

function sum<Item>(items: readonly Item[], amount: (item: Item) => bigint): bigint {
  return items.reduce((total, item) => total + amount(item), 0n);
}
