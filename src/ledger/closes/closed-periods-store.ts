import { type Selectable, sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { isOneOf, type PeriodRow } from './close-store.ts';

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
}

/**
 * Reads the closed periods that begin in a month, ordered by tenant; of one tenant if one is given.
 */
export async function readCloses(
  database: Database,
  filter: { readonly month: string | null; readonly tenantId: string | null },
): Promise<readonly CloseRow[]> {
  let query = database.kysely.selectFrom('closes').selectAll();
  if (filter.month !== null) {
    query = query.where(sql<boolean>`to_char(period_start, 'YYYY-MM') = ${filter.month}`);
  }
  if (filter.tenantId !== null) query = query.where('tenant_id', '=', filter.tenantId);
  return (await query.orderBy('tenant_id').orderBy('period_start').execute()).map(toClose);
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
  };
}
