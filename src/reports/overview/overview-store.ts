import { sql } from 'kysely';
import { type InstantMs, utcDay } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Pico } from '../../money.ts';

interface DaysAsked {
  readonly currency: string;
  /** UTC days, half-open. */
  readonly from: InstantMs;
  readonly to: InstantMs;
}

export interface TenantDay {
  readonly tenant_id: string;
  readonly day: string;
  /** What is due, as statements have it. */
  readonly charge: Pico;
}

/** Reads what some tenants were charged on each day; days without usage have no row. */
export async function readTenantDays(
  database: Database,
  tenantIds: readonly string[],
  { currency, from, to }: DaysAsked,
): Promise<readonly TenantDay[]> {
  const { rows } = await sql<TenantDay>`
    select tenant_id, day::text as day, sum(charge - not_due_charge) as charge from usage_rollups
    where tenant_id = any(${tenantIds}::text[]) and currency = ${currency}
      and day >= ${utcDay(from)}::date and day < ${utcDay(to)}::date
    group by tenant_id, day`.execute(database.kysely);
  return rows;
}

export interface LedgerDay extends Omit<TenantDay, 'tenant_id'> {
  /** What of the charge is of calls, which go on as shares of pools, credits and fees do not; null of a day without calls. */
  readonly of_calls: Pico | null;
}

/** Reads what every day came to, of one tenant or of all. Late calls stand on the day of their use. */
export async function readDays(
  database: Database,
  tenantId: string | null,
  { currency, from, to }: DaysAsked,
): Promise<readonly LedgerDay[]> {
  const { rows } = await sql<LedgerDay>`
    select day::text as day, sum(charge - not_due_charge) as charge,
      sum(charge - not_due_charge) filter (where kind in ('usage', 'correction')) as of_calls
    from ${sql.table(tenantId === null ? 'ledger_rollups' : 'usage_rollups')}
    where currency = ${currency} and day >= ${utcDay(from)}::date and day < ${utcDay(to)}::date
      ${tenantId === null ? sql`` : sql`and tenant_id = ${tenantId}`}
    group by day`.execute(database.kysely);
  return rows;
}
