import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

/** The month and the tenants that are looked at. */
export interface Scope {
  /** YYYY-MM, in which the periods begin; null for those that are open or began since. */
  readonly month: string | null;
  /** The first day of the periods that are looked at where no month is given. */
  readonly since: string;
  readonly tenantId: string | null;
}

export function isInScope({ month, since, tenantId }: Scope, of: 'e' | 'r') {
  const start = sql.ref(`${of}.period_start`);
  const period =
    month === null
      ? sql`${start} >= ${since}::date`
      : sql`${start} >= ${`${month}-01`}::date and ${start} < ${`${month}-01`}::date + interval '1 month'`;
  return tenantId === null
    ? period
    : sql`${period} and ${sql.ref(`${of}.tenant_id`)} = ${tenantId}`;
}

/** An entry that nothing has taken back. */
export const STANDS_UNCORRECTED = sql`not e.is_reversal and e.kind in ('usage', 'correction')
  and not exists (select from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id)`;

/** Entries that lack something, by tenant and period. */
export interface LackingRow {
  readonly lack: 'without_cost' | 'unrated' | 'unmeasured';
  readonly tenant_id: string;
  readonly period_start: string;
  readonly entries: bigint;
  readonly models: readonly string[];
  /** The first few, as audit.entries shows them. */
  readonly entry_ids: readonly string[];
  /** When the first of their calls occurred; of late ones in an earlier period. */
  readonly first_at: InstantMs;
  /** No costs were imported in the currency that the tenant is charged in: they want rates. */
  readonly wants_rates: boolean;
}

/** The currencies in which costs were imported. Whoever never did asks for no costs, and lacks none. */
async function readCostCurrencies(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ currency: string }>`
    select distinct currency from price_books where kind = 'cost'`.execute(database.kysely);
  return rows.map(({ currency }) => currency);
}

/**
 * Reads entries without a cost, a price or a measure. Those without a price or a measure are also
 * looked for in every earlier period that is not closed, since they stand before the month that is.
 */
export async function readLacking(
  database: Database,
  scope: Scope,
): Promise<readonly LackingRow[]> {
  const currencies = await readCostCurrencies(database);
  const { rows } = await sql<LackingRow>`
    select l.lack, e.tenant_id, e.period_start, count(*) as entries,
      array_agg(distinct l.model) as models,
      (array_agg('ent_' || e.entry_id order by e.entry_id))[1:3] as entry_ids,
      min(e.occurred_at) as first_at, bool_or(e.currency <> all(${currencies}::text[])) as wants_rates
    from entries e
    cross join lateral (values ('without_cost', e.cost is null and ${currencies.length > 0}, e.executed_model),
      (e.outcome, e.outcome in ('unrated', 'unmeasured'), e.requested_model)) l(lack, is_so, model)
    where ${isInScope(scope, 'e')} and (e.cost is null or e.outcome in ('unrated', 'unmeasured'))
      and l.is_so and ${STANDS_UNCORRECTED}
    group by l.lack, e.tenant_id, e.period_start
    order by e.tenant_id, e.period_start, l.lack`.execute(database.kysely);
  return [...(await readLackingBefore(database, scope)), ...rows];
}

async function readLackingBefore(
  database: Database,
  { month, since, tenantId }: Scope,
): Promise<readonly LackingRow[]> {
  const first = month === null ? since : `${month}-01`;
  const { rows } = await sql<LackingRow>`
    select e.outcome as lack, e.tenant_id, e.period_start, count(*) as entries,
      array_agg(distinct e.requested_model) as models,
      (array_agg('ent_' || e.entry_id order by e.entry_id))[1:3] as entry_ids,
      min(e.occurred_at) as first_at, false as wants_rates
    from periods p cross join lateral (
      select * from entries_of_period(p.tenant_id, p.period_start) where outcome in ('unrated', 'unmeasured')) e
    where p.state <> 'closed' and p.period_start < ${first}::date
      and (${tenantId}::text is null or p.tenant_id = ${tenantId})
      and not e.is_reversal and e.kind in ('usage', 'correction') and not exists (select from corrections_of(e.entry_id))
    group by e.outcome, e.tenant_id, e.period_start
    order by e.tenant_id, e.period_start`.execute(database.kysely);
  return rows;
}

/** What is counted at the most, and named. */
export const TWICE_READ = 1_000;

/** A report without a tenant and one with a tenant that both stand under one response of a provider. */
export interface TwiceAnsweredRow {
  readonly response_id: string;
  readonly entry_id: string;
  readonly tenant_id: string;
  readonly tenants_entry_id: string;
  readonly provider: string | null;
  readonly tenants_provider: string | null;
}

/**
 * Reports without a tenant beside a tenant's report of the same response. Where both measured the same the fold took
 * the one without a tenant back, so that what is found here contradicts, or is of another provider. Reports without
 * a tenant are few, and have an index of their own.
 */
export async function readTwiceAnswered(
  database: Database,
  scope: Scope,
  nobody: string,
): Promise<readonly TwiceAnsweredRow[]> {
  const { rows } = await sql<TwiceAnsweredRow>`
    select e.response_id, 'ent_' || e.entry_id as entry_id, o.tenant_id, 'ent_' || o.entry_id as tenants_entry_id,
      e.provider, o.provider as tenants_provider
    from entries_of_tenant(${nobody}) e join lateral entries_of_response(e.response_id) o on o.member_id = e.member_id
      and o.tenant_id <> ${nobody} and o.revision = 0 and o.gateway_cache = 'none' and o.status = 'ok'
    where e.response_id is not null and e.revision = 0 and e.gateway_cache = 'none'
      and e.status = 'ok' and ${isInScope({ ...scope, tenantId: null }, 'e')}
      and not e.is_reversal and e.kind in ('usage', 'correction') and not exists (select from corrections_of(e.entry_id))
      and (${scope.tenantId}::text is null or o.tenant_id = ${scope.tenantId})
      and not exists (select from corrections_of(o.entry_id))
    order by e.entry_id, o.entry_id limit ${TWICE_READ}`.execute(database.kysely);
  return rows;
}

export interface UnregisteredRow {
  readonly tenant_id: string;
  readonly entries: bigint;
  readonly charge: bigint;
  readonly currency: string;
}

/**
 * Reads tenants that an event made and nobody registered, with what they are charged. Reads the
 * rollups.
 */
export async function readUnregistered(
  database: Database,
  scope: Scope,
  reserved: string,
): Promise<readonly UnregisteredRow[]> {
  const { rows } = await sql<UnregisteredRow>`
    select r.tenant_id, sum(r.entries)::bigint as entries, sum(r.charge) as charge, r.currency
    from tenants t join usage_rollups r on r.tenant_id = t.tenant_id
    where t.registered_at is null and t.tenant_id <> ${reserved} and ${isInScope(scope, 'r')}
    group by r.tenant_id, r.currency having sum(r.charge) <> 0
    order by r.tenant_id`.execute(database.kysely);
  return rows;
}

export interface NotClosedRow {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly charge: bigint;
  readonly currency: string;
}

/**
 * Reads what is due of live tenants in periods that have ended and are not closed, of months before the one that is
 * looked at: that month's own close says what stands in its way. Reads the rollups.
 */
export async function readNotClosed(
  database: Database,
  { month, since, tenantId }: Scope,
  now: InstantMs,
): Promise<readonly NotClosedRow[]> {
  const before = month === null ? since : `${month}-01`;
  const { rows } = await sql<NotClosedRow>`
    select p.tenant_id, p.period_start, r.currency, sum(r.charge - r.not_due_charge) as charge
    from periods p join tenants t on t.tenant_id = p.tenant_id
    join usage_rollups r on r.tenant_id = p.tenant_id and r.period_start = p.period_start
    where p.state <> 'closed' and p.ends_at <= ${formatInstant(now)} and p.period_start < ${before}::date
      and t.mode = 'live' and r.currency is not null
      ${tenantId === null ? sql`` : sql`and p.tenant_id = ${tenantId}`}
    group by p.tenant_id, p.period_start, r.currency having sum(r.charge - r.not_due_charge) <> 0
    order by p.tenant_id, p.period_start, r.currency`.execute(database.kysely);
  return rows;
}

/** An invoice of a month that Stripe made final, and when. */
interface FinalInvoice {
  readonly tenantId: string;
  readonly finalizedAt: InstantMs;
}

export async function readFinalInvoices(
  database: Database,
  { month, tenantId }: Pick<Scope, 'month' | 'tenantId'>,
): Promise<readonly FinalInvoice[]> {
  const { rows } = await sql<{ tenant_id: string; finalized_at: InstantMs }>`
    select tenant_id, finalized_at from stripe_invoices
    where finalized_at is not null and state = 'finalized'
      and (${month}::text is null or to_char(period_start, 'YYYY-MM') = ${month})
      and (${tenantId}::text is null or tenant_id = ${tenantId})`.execute(database.kysely);
  return rows.map((row) => ({ tenantId: row.tenant_id, finalizedAt: row.finalized_at }));
}
