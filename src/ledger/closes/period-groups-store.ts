import type { InstantMs } from '../../clock.ts';
import type { Cursor } from '../../database/cursor.ts';
import { openCursor } from '../../database/cursor.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { rateOfVersion } from '../../rating/books/price-catalog.ts';
import type { Rate } from '../../rating/books/rate.ts';
import type { UnitAmounts } from '../../rating/rate-usage.ts';
import type { FurtherUnit } from '../../units.ts';
import { FURTHER_UNITS } from '../../units.ts';
import { LAYERS_SOURCE, SCALED } from '../entries/entry.ts';
import type { ChargesByLayer } from '../rollups/rollup-store.ts';
import { CHARGES_BY_LAYER, WALLED_CHARGES_BY_LAYER } from '../rollups/rollup-store.ts';
import type { LayeredUsage } from './manifest-layers.ts';
import type { EntryGroup, GroupPrice } from './manifest-lines.ts';
import type { PeriodRow } from './period-store.ts';

/** What the entries of a period come to: one group for everything that shares a price. */
export interface PeriodGroups<Period> {
  readonly period: Period;
  readonly currencies: readonly string[];
  readonly groups: readonly EntryGroup[];
}

/** Periods handed on together: few enough for a short transaction, many enough for a quick one. */
const PERIODS_TOGETHER = 500;

/**
 * Sums the entries of whole periods and hands the periods on, in their order, some at a time. All are
 * summed by one statement: asked period by period, Postgres would look up every entry by its tenant,
 * and read all that the tenant ever had. The statement's snapshot is that of its start.
 */
export function groupPeriods<Period extends Pick<PeriodRow, 'tenantId' | 'periodStart'>>(
  database: Database,
  of: Grouped<Period>,
  work: (some: readonly PeriodGroups<Period>[]) => Promise<void>,
): Promise<void> {
  return inTransaction(database, (transaction) => groupPeriodsIn(transaction, of, work));
}

/** Periods to be summed, and the prices by which their entries were charged. */
interface Grouped<Period> {
  readonly periods: readonly Period[];
  readonly catalog: PriceCatalog;
  /** Set where the database is what a tenant sees of it; rates are not among that. */
  readonly isWalled?: boolean;
}

/** Groups periods in a transaction that the caller has. */
export async function groupPeriodsIn<Period extends Pick<PeriodRow, 'tenantId' | 'periodStart'>>(
  transaction: Transaction,
  { periods, catalog, isWalled = false }: Grouped<Period>,
  work: (some: readonly PeriodGroups<Period>[]) => Promise<void>,
): Promise<void> {
  const prices = { catalog, rates: ratesById(catalog) };
  const reader = await GroupReader.open(transaction, { periods, isWalled });
  for (let start = 0; start < periods.length; start += PERIODS_TOGETHER) {
    const some = periods.slice(start, start + PERIODS_TOGETHER);
    const rows = await reader.readUntil(start + some.length);
    const byPlace = Map.groupBy(rows, (row) => Number(row.place) - 1);
    await work(
      some.map((period, index) => {
        const own = byPlace.get(start + index) ?? [];
        const groups = own.map((row) => ({ ...toGroup(row, prices), layered: layeredOf(row) }));
        return { period, currencies: currenciesOf(own), groups };
      }),
    );
  }
}

/** Entries that share a price, or one of them: what their charge followed from. */
export interface PricedRow {
  readonly requested_model: string;
  readonly service_tier: string;
  readonly late: boolean;
  readonly not_due: boolean;
  readonly kind: EntryGroup['kind'];
  readonly outcome: string;
  readonly currency: string;
  readonly charge_book: string | null;
  readonly charge_version: InstantMs | null;
  readonly charge_rate_id: bigint | null;
  readonly gateway_free: boolean;
  readonly entries: bigint;
  readonly calls: bigint;
  readonly uncached_input: bigint;
  readonly cache_read: bigint;
  readonly cache_write: bigint;
  readonly output: bigint;
  readonly call_share: bigint;
  /** Sums of the other units; null where there is none. */
  readonly units: UnitSums | null;
  readonly charge: bigint;
}

/** Counts travel as JSON numbers, which keep every whole number below 2⁵³. */
type UnitSums = Readonly<Partial<Record<FurtherUnit, number>>>;

interface GroupRow extends PricedRow {
  /** The place of the period among those asked for, from 1 on. */
  readonly place: bigint;
  readonly layered_entries: bigint;
  readonly layered_calls: bigint;
  readonly scaled_calls: bigint;
  readonly layered_uncached_input: bigint;
  readonly layered_cache_read: bigint;
  readonly layered_cache_write: bigint;
  readonly layered_output: bigint;
  readonly layered_units: UnitSums | null;
  readonly layer_tool: bigint;
  readonly layer_memory: bigint;
  readonly layered_charge: bigint;
  readonly tool_charge: bigint;
  readonly memory_charge: bigint;
  readonly output_charge: bigint;
  readonly other_charge: bigint;
}

/** Reads the groups of many periods through a cursor, so that never all of them are in memory. */
class GroupReader {
  readonly #cursor: Cursor<GroupRow>;
  #ahead: GroupRow[] = [];
  #ended = false;

  private constructor(cursor: Cursor<GroupRow>) {
    this.#cursor = cursor;
  }

  static async open(
    transaction: Transaction,
    {
      periods,
      isWalled,
    }: {
      readonly periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[];
      readonly isWalled: boolean;
    },
  ): Promise<GroupReader> {
    const starts = periods.map((period) => period.periodStart);
    const values = [periods.map((period) => period.tenantId), starts, [...new Set(starts)]];
    const query = { text: isWalled ? WALLED_GROUPS : GROUPS, values, settings: PLAN };
    return new GroupReader(await openCursor(transaction, query));
  }

  /** The rows of the periods up to this place that were not read yet. */
  async readUntil(place: number): Promise<readonly GroupRow[]> {
    while (!this.#ended && Number(this.#ahead.at(-1)?.place ?? 0) <= place) {
      const rows = await this.#cursor.fetch();
      this.#ended = rows.length === 0;
      this.#ahead.push(...rows);
    }
    const beyond = this.#ahead.findIndex((row) => Number(row.place) > place);
    return this.#ahead.splice(0, beyond === -1 ? this.#ahead.length : beyond);
  }
}

/**
 * The planner, which takes every combination of the group's columns for possible, must not sort all
 * entries where hashing a few groups will do.
 */
const PLAN = { work_mem: '128MB', enable_sort: 'off', enable_incremental_sort: 'off' };

/** Sums over the entries that have token layers, which are all four or none. */
const LAYER_SUMS = Object.entries({
  layered_entries: '1',
  layered_calls: 'case when is_reversal then -1 else 1 end',
  scaled_calls: `case when further_tags ->> '${LAYERS_SOURCE}' is distinct from '${SCALED}' then 0
    when is_reversal then -1 else 1 end`,
  layered_uncached_input: 'uncached_input_tokens',
  layered_cache_read: 'cache_read_tokens',
  layered_cache_write: 'cache_write_tokens',
  layered_output: 'output_tokens',
  layer_tool: 'layer_tool_tokens',
  layer_memory: 'layer_memory_tokens',
  layered_charge: 'charge',
  ...Object.fromEntries(Object.keys(CHARGES_BY_LAYER.charges).map((name) => [name, name])),
})
  .map(([name, of]) => {
    return `coalesce(sum(${of}) filter (where layer_prompt_tokens is not null), 0) as ${name}`;
  })
  .join(', ');

/** How many calls an entry is: one that is taken back is one less, and money without a call is none. */
export const CALLS_OF_ENTRY =
  "case when kind in ('allocation', 'adjustment') then 0 when is_reversal then -1 else 1 end";

const GROUPS = groupsStatement(CHARGES_BY_LAYER);

/** The view knows all that the tenant ever had. */
const WALLED_GROUPS = groupsStatement({
  ...WALLED_CHARGES_BY_LAYER,
  join: `${WALLED_CHARGES_BY_LAYER.join} and s.period_start = any($3::date[])`,
});

/** Sums first and joins then: the planner cannot know how many entries these tenants have. */
function groupsStatement({ join, charges }: ChargesByLayer): string {
  const ofLayers = Object.entries(charges).map(([name, of]) => `${of} as ${name}`);
  return `
  select k.place, g.*
  from unnest($1::text[], $2::date[]) with ordinality k(t, s, place)
  join (
    select tenant_id, period_start, requested_model, service_tier, late, not_due is true as not_due, kind, outcome, currency,
      charge_book, charge_version, charge_rate_id,
      -- A gateway hit under pass_through costs the tenant nothing, whatever the rate says.
      (gateway_cache <> 'none' and charge = 0) is true as gateway_free, count(*) as entries,
      sum(${CALLS_OF_ENTRY}) as calls,
      sum(uncached_input_tokens) as uncached_input, sum(cache_read_tokens) as cache_read,
      sum(cache_write_tokens) as cache_write, sum(output_tokens) as output,
      sum(call_share::bigint) as call_share, sum_units(units) as units, coalesce(sum(charge), 0) as charge,
      sum_units(units) filter (where layer_prompt_tokens is not null) as layered_units,
      ${LAYER_SUMS}
    from (
      select e.*, ${ofLayers.join(', ')} from entries e ${join}
      where e.tenant_id = any($1::text[]) and e.period_start = any($3::date[])
    ) e
    group by tenant_id, period_start, requested_model, service_tier, late, not_due is true, kind, outcome, currency,
      charge_book, charge_version, charge_rate_id, gateway_free
  ) g on g.tenant_id = k.t and g.period_start = k.s
  order by k.place, g.requested_model, g.service_tier, g.late, g.kind, g.outcome`;
}

/** The currencies of what was charged and is due; one in which everything was taken back again is not among them. */
function currenciesOf(rows: readonly GroupRow[]): readonly string[] {
  const sums = new Map<string, bigint>();
  for (const row of rows.filter(({ not_due }) => !not_due)) {
    const key = JSON.stringify([row.currency, row.requested_model]);
    sums.set(key, (sums.get(key) ?? 0n) + row.charge);
  }
  const left = [...sums].filter(([, sum]) => sum !== 0n);
  return [...new Set(left.map(([key]) => JSON.parse(key)[0] as string))];
}

export function ratesById(catalog: PriceCatalog): ReadonlyMap<bigint, Rate> {
  const rates = [...catalog.books.values()].flatMap((versions) =>
    versions.flatMap((version) => version.rates.rows),
  );
  return new Map(rates.map((rate) => [rate.rateId, rate]));
}

interface Prices {
  readonly catalog: PriceCatalog;
  readonly rates: ReadonlyMap<bigint, Rate>;
}

export function toGroup(row: PricedRow, prices: Prices): EntryGroup {
  return {
    requestedModel: row.requested_model,
    serviceTier: row.service_tier,
    late: row.late,
    due: !row.not_due,
    currency: row.currency,
    kind: row.kind,
    outcome: row.outcome,
    entries: row.entries,
    calls: row.calls,
    tokens: {
      uncachedInput: row.uncached_input,
      cacheRead: row.cache_read,
      cacheWrite: row.cache_write,
      output: row.output,
      callShare: row.call_share,
      units: unitAmounts(row.units),
    },
    charge: row.charge,
    price: row.outcome !== 'charged' || row.gateway_free ? null : priceOf(row, prices),
  };
}

/** Units whose corrections cancel out are left away, as if there had been none. */
function unitAmounts(sums: UnitSums | null): UnitAmounts | null {
  if (sums === null) return null;
  const counted = FURTHER_UNITS.flatMap(({ name }) => {
    const count = sums[name] ?? 0;
    if (!Number.isSafeInteger(count)) throw new Error(`${count} ${name} are too many to be summed`);
    return count === 0 ? [] : [[name, BigInt(count)] as const];
  });
  return counted.length === 0 ? null : Object.fromEntries(counted);
}

function layeredOf(row: GroupRow): LayeredUsage | undefined {
  if (row.layered_entries === 0n) return undefined;
  return {
    calls: row.layered_calls,
    scaled: row.scaled_calls,
    tokens: {
      uncachedInput: row.layered_uncached_input,
      cacheRead: row.layered_cache_read,
      cacheWrite: row.layered_cache_write,
      output: row.layered_output,
      units: unitAmounts(row.layered_units),
    },
    tool: row.layer_tool,
    memory: row.layer_memory,
    charges: {
      all: row.layered_charge,
      tool: row.tool_charge,
      memory: row.memory_charge,
      output: row.output_charge,
      other: row.other_charge,
    },
  };
}

/** Returns the rate that these entries were charged by, from the book version that they name. */
function priceOf(row: PricedRow, prices: Prices): GroupPrice | null {
  if (row.charge_book === null || row.charge_rate_id === null) return null;
  const version = prices.catalog.books
    .get(row.charge_book)
    ?.find((candidate) => candidate.effectiveFrom === row.charge_version);
  const rate = prices.rates.get(row.charge_rate_id);
  if (version === undefined || rate === undefined) return null;
  return {
    book: version.book,
    version: version.effectiveFrom,
    caching: version.caching,
    rate: rateOfVersion(version, rate),
  };
}
