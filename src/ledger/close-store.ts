import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { type Period, periodsBeginningIn } from '../periods/calendar.ts';
import type { PriceCatalog, Rate } from '../rating/price-catalog.ts';
import { timesFactor } from '../rating/price-catalog.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { EntryGroup, GroupPrice, PeriodFacts, SealedManifest } from './manifest.ts';
import { insertPeriods } from './posting-store.ts';

export interface PeriodRow {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly timeZone: string;
  readonly state: 'open' | 'sealed' | 'closed';
}

/** The periods that begin in a month, of all tenants or of one; ordered by tenant and start. */
export async function readPeriodsOf(
  db: Kysely<Tables>,
  month: string,
  tenantId: string | null,
): Promise<readonly PeriodRow[]> {
  let query = db
    .selectFrom('periods')
    .select(['tenant_id', 'period_start', 'starts_at', 'ends_at', 'time_zone', 'state'])
    .where(sql<boolean>`to_char(period_start, 'YYYY-MM') = ${month}`);
  if (tenantId !== null) query = query.where('tenant_id', '=', tenantId);
  const rows = await query.orderBy('tenant_id').orderBy('period_start').execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    timeZone: row.time_zone,
    state: row.state,
  }));
}

/**
 * Makes the rows of the month's periods in which a tenant had no usage, so that they close like the
 * others. Only of periods that have ended, for tenants
 * that existed before that end, and not before what is closed. Answers those that have not ended.
 */
export async function insertIdlePeriods(
  transaction: Transaction,
  tenants: readonly Tenant[],
  of: { readonly month: string; readonly now: InstantMs },
): Promise<readonly { readonly tenantId: string; readonly period: Period }[]> {
  const { rows } = await transaction.client.query<{ tenant_id: string; created_at: InstantMs }>(
    'select tenant_id, created_at from tenants where tenant_id = any($1)',
    [tenants.map((tenant) => tenant.tenantId)],
  );
  const createdAt = new Map(rows.map((row) => [row.tenant_id, row.created_at]));
  const idle = tenants.flatMap((tenant) =>
    periodsBeginningIn(tenant.calendar, of.month)
      .filter((period) => period.endsAt > (createdAt.get(tenant.tenantId) ?? 0))
      .filter((period) => period.endsAt > (tenant.closedUntil ?? 0))
      .map((period) => ({ tenantId: tenant.tenantId, period })),
  );
  const { ended = [], running = [] } = Object.groupBy(idle, ({ period }) =>
    period.endsAt <= of.now ? 'ended' : 'running',
  );
  await insertPeriods(transaction, ended);
  return running;
}

/** What stands against closing some of these periods, by `periodKey`; asked for all of them at once. */
export interface Objections {
  /** The earliest period before this one that is not closed: remainders are carried in order. */
  readonly earlierOpen: ReadonlyMap<string, string>;
  /** Models without a price, with how many entries wait for one (R10). */
  readonly unrated: ReadonlyMap<
    string,
    readonly { readonly model: string; readonly entries: number }[]
  >;
}

export async function readObjections(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<Objections> {
  const keys = sql`unnest(${periods.map((period) => period.tenantId)}::text[],
    ${periods.map((period) => period.periodStart)}::date[]) k(t, s)`;
  const earlier = await sql<{ t: string; s: string; earlier: string }>`
    select k.t, k.s, min(p.period_start) as earlier from ${keys}
    join periods p on p.tenant_id = k.t and p.period_start < k.s and p.state <> 'closed'
    group by k.t, k.s`.execute(db);
  const unrated = await sql<{ t: string; s: string; model: string; entries: bigint }>`
    select k.t, k.s, e.requested_model as model, count(*) as entries from ${keys}
    join entries e on e.tenant_id = k.t and e.period_start = k.s
    where e.outcome = 'unrated' and not e.is_reversal
      and not exists (select 1 from entries c where c.corrects_entry_id = e.entry_id)
    group by k.t, k.s, e.requested_model order by e.requested_model`.execute(db);
  return {
    earlierOpen: new Map(earlier.rows.map((row) => [periodKey(row.t, row.s), row.earlier])),
    unrated: Map.groupBy(
      unrated.rows.map((row) => ({ ...row, entries: Number(row.entries) })),
      (row) => periodKey(row.t, row.s),
    ),
  };
}

/** Locks those of the periods that are sealed and not yet closed: another close may be at them, too. */
export async function lockSealed<Row extends Pick<PeriodRow, 'tenantId' | 'periodStart'>>(
  transaction: Transaction,
  periods: readonly Row[],
): Promise<readonly Row[]> {
  const { rows } = await transaction.client.query<{ tenant_id: string; period_start: string }>(
    `select p.tenant_id, p.period_start from periods p
     join unnest($1::text[], $2::date[]) k(t, s) on p.tenant_id = k.t and p.period_start = k.s
     where p.state = 'sealed' order by p.tenant_id, p.period_start for update of p`,
    [periods.map((period) => period.tenantId), periods.map((period) => period.periodStart)],
  );
  const locked = new Set(rows.map((row) => periodKey(row.tenant_id, row.period_start)));
  return periods.filter((period) => locked.has(periodKey(period.tenantId, period.periodStart)));
}

/** Moves periods one state on; one that another process moved meanwhile stays where it is. */
export async function movePeriods(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
  to: 'sealed' | 'closed',
): Promise<void> {
  await transaction.client.query(
    `update periods p set state = $3 from unnest($1::text[], $2::date[]) k(t, s)
     where p.tenant_id = k.t and p.period_start = k.s and p.state = $4`,
    [
      periods.map((period) => period.tenantId),
      periods.map((period) => period.periodStart),
      to,
      to === 'sealed' ? 'open' : 'sealed',
    ],
  );
}

/** What the close before carried on to this period, in picodollars; 0 before the first. */
export async function readCarriedIn(
  db: Kysely<Tables>,
  period: Pick<PeriodRow, 'tenantId' | 'periodStart'>,
): Promise<bigint> {
  const row = await db
    .selectFrom('closes')
    .select('carried_out')
    .where('tenant_id', '=', period.tenantId)
    .where('period_start', '<', period.periodStart)
    .orderBy('period_start', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.carried_out ?? 0n;
}

interface GroupRow {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly requested_model: string;
  readonly service_tier: string;
  readonly late: boolean;
  readonly kind: EntryGroup['kind'];
  readonly outcome: string;
  readonly currency: string;
  readonly charge_book: string | null;
  readonly charge_version: InstantMs | null;
  readonly charge_rate_id: bigint | null;
  readonly gateway_free: boolean;
  readonly entries: bigint;
  readonly uncached_input: bigint;
  readonly cache_read: bigint;
  readonly cache_write: bigint;
  readonly output: bigint;
  readonly call_share: bigint;
  readonly charge: bigint;
}

export interface PeriodGroups {
  readonly currencies: readonly string[];
  readonly groups: readonly EntryGroup[];
}

/** Sums the entries of whole periods, one group for everything that shares a price. */
export async function readGroups(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
  catalog: PriceCatalog,
): Promise<ReadonlyMap<string, PeriodGroups>> {
  const { rows } = await sql<GroupRow>`
    select e.tenant_id, e.period_start, e.requested_model, e.service_tier, e.late, e.kind, e.outcome, e.currency,
      e.charge_book, e.charge_version, e.charge_rate_id,
      -- A gateway hit under pass_through costs the tenant nothing, whatever the rate says.
      (e.gateway_cache <> 'none' and e.charge = 0) is true as gateway_free, count(*) as entries,
      sum(e.uncached_input_tokens) as uncached_input, sum(e.cache_read_tokens) as cache_read,
      sum(e.cache_write_tokens) as cache_write, sum(e.output_tokens) as output,
      sum(e.call_share::bigint) as call_share, coalesce(sum(e.charge), 0) as charge
    from unnest(${periods.map((period) => period.tenantId)}::text[],
      ${periods.map((period) => period.periodStart)}::date[]) k(t, s)
    join entries e on e.tenant_id = k.t and e.period_start = k.s
    group by e.tenant_id, e.period_start, e.requested_model, e.service_tier, e.late, e.kind, e.outcome, e.currency,
      e.charge_book, e.charge_version, e.charge_rate_id, gateway_free
    order by e.tenant_id, e.period_start, e.requested_model, e.service_tier, e.late, e.kind, e.outcome`.execute(
    db,
  );
  const rates = ratesById(catalog);
  const byPeriod = Map.groupBy(rows, (row) => periodKey(row.tenant_id, row.period_start));
  return new Map(
    [...byPeriod].map(([key, ofPeriod]) => {
      const charged = ofPeriod.filter((row) => row.charge !== 0n);
      const currencies = [
        ...new Set((charged.length > 0 ? charged : ofPeriod).map((row) => row.currency)),
      ];
      return [key, { currencies, groups: ofPeriod.map((row) => toGroup(row, { catalog, rates })) }];
    }),
  );
}

export function periodKey(tenantId: string, periodStart: string): string {
  return `${periodStart} ${tenantId}`;
}

function ratesById(catalog: PriceCatalog): ReadonlyMap<bigint, Rate> {
  const rates = [...catalog.books.values()].flatMap((versions) =>
    versions.flatMap((version) => [...version.rates.values()].flat()),
  );
  return new Map(rates.map((rate) => [rate.rateId, rate]));
}

function toGroup(
  row: GroupRow,
  prices: { readonly catalog: PriceCatalog; readonly rates: ReadonlyMap<bigint, Rate> },
): EntryGroup {
  return {
    requestedModel: row.requested_model,
    serviceTier: row.service_tier,
    late: row.late,
    kind: row.kind,
    outcome: row.outcome,
    entries: row.entries,
    tokens: {
      uncachedInput: row.uncached_input,
      cacheRead: row.cache_read,
      cacheWrite: row.cache_write,
      output: row.output,
      callShare: row.call_share,
    },
    charge: row.charge,
    price: row.outcome !== 'charged' || row.gateway_free ? null : priceOf(row, prices),
  };
}

/** The rate that these entries were charged by, from the book version that they name. */
function priceOf(
  row: GroupRow,
  prices: { readonly catalog: PriceCatalog; readonly rates: ReadonlyMap<bigint, Rate> },
): GroupPrice | null {
  if (row.charge_book === null || row.charge_rate_id === null) return null;
  const version = prices.catalog.books
    .get(row.charge_book)
    ?.find((candidate) => candidate.effectiveFrom === row.charge_version);
  const rate = prices.rates.get(row.charge_rate_id);
  if (version === undefined || rate === undefined) return null;
  const own = rate.book === version.book;
  return {
    book: version.book,
    version: version.effectiveFrom,
    caching: version.caching,
    rate: own || version.costFactor === null ? rate : timesFactor(rate, version.costFactor),
  };
}

export interface CloseRow {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly manifest: string;
  readonly manifestHash: string;
  readonly entries: bigint;
  readonly currency: string;
  readonly chargeExact: bigint;
  readonly carriedIn: bigint;
  readonly billableMicro: bigint;
  readonly carriedOut: bigint;
  readonly chargeTotal: bigint;
  readonly closedAt: InstantMs;
}

export async function insertClose(
  transaction: Transaction,
  facts: PeriodFacts,
  sealed: SealedManifest & { readonly closedAt: InstantMs },
): Promise<void> {
  await transaction.kysely
    .insertInto('closes')
    .values({
      tenant_id: facts.tenantId,
      period_start: facts.periodStart,
      manifest: sealed.text,
      manifest_hash: sealed.hash,
      entries: BigInt(sealed.manifest.entries),
      currency: facts.currency,
      charge_exact: sealed.chargeExact,
      carried_in: facts.carriedIn,
      billable_micro: sealed.billable.billableMicro,
      carried_out: sealed.billable.carriedOut,
      charge_total: sealed.billable.total,
      closed_at: formatInstant(sealed.closedAt),
    })
    .execute();
}

/** The closed periods that begin in a month, ordered by tenant; of one tenant if one is given. */
export async function readCloses(
  database: Database,
  filter: { readonly month: string | null; readonly tenantId: string | null },
): Promise<readonly CloseRow[]> {
  let query = database.kysely.selectFrom('closes').selectAll();
  if (filter.month !== null) {
    query = query.where(sql<boolean>`to_char(period_start, 'YYYY-MM') = ${filter.month}`);
  }
  if (filter.tenantId !== null) query = query.where('tenant_id', '=', filter.tenantId);
  const rows = await query.orderBy('tenant_id').orderBy('period_start').execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    manifest: row.manifest,
    manifestHash: row.manifest_hash,
    entries: row.entries,
    currency: row.currency,
    chargeExact: row.charge_exact,
    carriedIn: row.carried_in,
    billableMicro: row.billable_micro,
    carriedOut: row.carried_out,
    chargeTotal: row.charge_total,
    closedAt: row.closed_at,
  }));
}
