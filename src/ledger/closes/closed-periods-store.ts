import { type Selectable, sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { isOneOf, type PeriodRow } from './period-store.ts';

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
  /** Mode and customer are as they were when the period closed (R19). */
  readonly mode: 'shadow' | 'live';
  readonly stripeCustomer: string | null;
  readonly carriesApart: boolean;
  /** What of the carried is due in the next live period; null of a live close, and of one of before. */
  readonly carriedOutDue: bigint | null;
}

interface ClosesFilter {
  readonly month: string | null;
  readonly tenantId: string | null;
}

/**
 * Reads the closed periods that begin in a month, ordered by tenant; of one tenant if one is given.
 */
export async function readCloses(
  database: Database,
  filter: ClosesFilter,
): Promise<readonly CloseRow[]> {
  const query = database.kysely.selectFrom('closes').selectAll().where(isAmong(filter));
  return (await query.orderBy('tenant_id').orderBy('period_start').execute()).map(toClose);
}

/** What a closed period came to, without its manifest, which is most of its row. */
type ClosedAmount = Pick<
  CloseRow,
  | 'tenantId'
  | 'periodStart'
  | 'manifestHash'
  | 'currency'
  | 'carriedOut'
  | 'carriedOutDue'
  | 'chargeTotal'
  | 'mode'
>;

/** Reads what the closed periods that begin in a month came to, ordered by tenant; of one tenant if one is given. */
export async function readClosedAmounts(
  database: Database,
  filter: ClosesFilter,
): Promise<readonly ClosedAmount[]> {
  const rows = await database.kysely
    .selectFrom('closes')
    .select(['tenant_id', 'period_start', 'manifest_hash', 'currency', 'carried_out'])
    .select(['carried_out_due', 'charge_total', 'mode'])
    .where(isAmong(filter))
    .orderBy('tenant_id')
    .orderBy('period_start')
    .execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    manifestHash: row.manifest_hash,
    currency: row.currency,
    carriedOut: row.carried_out,
    carriedOutDue: row.carried_out_due,
    chargeTotal: row.charge_total,
    mode: row.mode,
  }));
}

/** Says of a close that it is of a month, and of a tenant; null is any. */
function isAmong({ month, tenantId }: ClosesFilter) {
  const ofMonth = month === null ? sql`true` : sql`to_char(period_start, 'YYYY-MM') = ${month}`;
  const ofTenant = tenantId === null ? sql`true` : sql`tenant_id = ${tenantId}`;
  return sql<boolean>`${ofMonth} and ${ofTenant}`;
}

/** Reads the closes that were made at an instant or after it, ordered by tenant. */
export async function readClosesSince(
  database: Database,
  since: InstantMs,
): Promise<readonly CloseRow[]> {
  const query = database.kysely
    .selectFrom('closes')
    .selectAll()
    .where(sql<boolean>`closed_at >= ${formatInstant(since)}`);
  return (await query.orderBy('tenant_id').orderBy('period_start').execute()).map(toClose);
}

/** Reads these closes, as far as they are there. */
export async function readClosesOf(
  database: Database,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<readonly CloseRow[]> {
  const query = database.kysely.selectFrom('closes').selectAll().where(isOneOf(periods));
  return (await query.orderBy('tenant_id').orderBy('period_start').execute()).map(toClose);
}

function toClose(row: Selectable<Tables['closes']>): CloseRow {
  return {
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
    mode: row.mode,
    stripeCustomer: row.stripe_customer,
    carriesApart: row.carries_apart,
    carriedOutDue: row.carried_out_due,
  };
}
