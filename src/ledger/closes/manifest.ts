import { hash } from 'node:crypto';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { billedDecimals } from '../../currencies.ts';
import type { Pico } from '../../money.ts';
import { formatDecimal, formatMinor, formatPico } from '../../money.ts';
import type { Caching, RatedTokens, UnitAmounts } from '../../rating/rate-usage.ts';
import { inputOf, outputOf } from '../../rating/rate-usage.ts';
import type { UnitName } from '../../units.ts';
import { FURTHER_UNITS } from '../../units.ts';
import type { Billable } from './billable.ts';
import { billableOf } from './billable.ts';
import { chargesByTokens } from './layers-before-format-4.ts';
import type { ChargesOf, ManifestLayers } from './manifest-layers.ts';
import { chargesOfEntries, layersOf } from './manifest-layers.ts';
import type { EntryGroup, ManifestLine, NotDue } from './manifest-lines.ts';
import { linesOf, notDueOf } from './manifest-lines.ts';

export interface PeriodFacts {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly timeZone: string;
  readonly currency: string;
  readonly carriedIn: Pico;
  /** What of it months in shadow carried: late usage and corrections of months that were billed. */
  readonly carriedInDue: Pico;
  /**
   * A month in shadow bills nothing, and carries on what is due of months that were billed. False of a live one, and
   * of a close of before, which left it with what nobody pays.
   */
  readonly carriesDue: boolean;
  /** Fields that an older close does not have are left out when its manifest is recomputed. */
  readonly format: ManifestFormat;
  /** Merkle root over the hashes of the entries; null in a close older than the seals and the layers. */
  readonly entriesRoot: string | null;
}

/** The format in which periods are closed now. */
export const MANIFEST_FORMAT = 'spanledger-manifest-4' as const;

/**
 * What a close of each format has, so that it recomputes to the bytes that it had: 1 was before the seals, and has no
 * root and no layers; 2 counted entries and not calls; 3 shared out by tokens what the layers of a group came to.
 */
const FORMATS = {
  'spanledger-manifest-1': { countsCalls: false, layerCharges: null },
  'spanledger-manifest-2': { countsCalls: false, layerCharges: chargesByTokens },
  'spanledger-manifest-3': { countsCalls: true, layerCharges: chargesByTokens },
  [MANIFEST_FORMAT]: { countsCalls: true, layerCharges: chargesOfEntries },
} as const satisfies Record<string, FormatOfManifest>;

type ManifestFormat = keyof typeof FORMATS;

interface FormatOfManifest {
  readonly countsCalls: boolean;
  readonly layerCharges: ChargesOf | null;
}

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
  /** They stand by currency; absent where everything is due. */
  readonly not_due?: readonly NotDue[];
  /** It is absent where no entry has token layers, and in a close older than they are. */
  readonly layers?: ManifestLayers;
  readonly charge_exact: string;
  readonly carried_in: string;
  /** What of it is of months that were billed, and came while nothing was; absent where that is nothing. */
  readonly carried_in_due?: string;
  readonly billable: string;
  readonly carried_out: string;
  /** What of it is due in the tenant's next live period; absent where that is nothing. */
  readonly carried_out_due?: string;
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
  /** What of the carried is due in the tenant's next live period; null where none of it is held for one. */
  readonly carriedOutDue: Pico | null;
}

/**
 * Makes a period's manifest from its entries. Throws when the prices of a group do not give the
 * charge that its entries hold: a close must not freeze what law 7 would refuse.
 */
export function makeManifest(facts: PeriodFacts, groups: readonly EntryGroup[]): FrozenManifest {
  const due = groups.filter((group) => group.due);
  const notDue = notDueOf(groups);
  const chargeExact = sum(due, (group) => group.charge);
  const { carriesDue, carriedInDue } = facts;
  const dueLater = carriesDue ? lateOf(due) : 0n;
  const own = billableOf(chargeExact - dueLater, facts.carriedIn, facts.currency);
  const billable = { ...own, carriedOut: own.carriedOut + dueLater };
  const { countsCalls, layerCharges } = FORMATS[facts.format];
  const layers = layerCharges === null ? null : layersOf(due, layerCharges);
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
    ...(countsCalls ? { calls: countCalls(groups) } : {}),
    late_entries: countWhere(groups, (group) => group.late),
    corrections: countWhere(groups, (group) => group.kind === 'correction'),
    ...countAllocations(groups),
    tokens: sumTokens(groups),
    ...sumFurther(groups),
    books: booksOf(groups),
    lines: linesOf(due, { ...facts, ...billable }),
    ...(notDue.length === 0 ? {} : { not_due: notDue }),
    ...(layers === null ? {} : { layers }),
    charge_exact: formatPico(chargeExact),
    carried_in: formatPico(facts.carriedIn),
    ...(carriedInDue === 0n ? {} : { carried_in_due: formatPico(carriedInDue) }),
    billable: formatDecimal(billable.billableMicro, 6),
    carried_out: formatPico(billable.carriedOut),
    ...(dueLater === 0n ? {} : { carried_out_due: formatPico(dueLater) }),
    charge_total: formatMinor(billable.total, facts.currency),
    rounding: `billable amount rounded once, half up, to ${billedDecimals(facts.currency)} decimals`,
  };
  const text = JSON.stringify(manifest);
  return {
    manifest,
    text,
    hash: hash('sha256', text, 'hex'),
    chargeExact,
    billable,
    carriedOutDue: carriesDue ? dueLater : null,
  };
}

/** What is late and due is of months that were billed, in whichever mode it is metered (R19). */
function lateOf(due: readonly EntryGroup[]): Pico {
  return sum(
    due.filter(({ late }) => late),
    ({ charge }) => charge,
  );
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

/** Adds up the further units that a total of text holds. */
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

function sum<Item>(items: readonly Item[], amount: (item: Item) => bigint): bigint {
  return items.reduce((total, item) => total + amount(item), 0n);
}
