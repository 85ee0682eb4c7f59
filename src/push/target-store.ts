import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { PushTarget } from './push-target.ts';

/** The closed periods that are meant; null is any. */
export interface TargetFilter {
  /** YYYY-MM, in which the period begins. */
  readonly month: string | null;
  readonly tenantId: string | null;
}

/**
 * Reads the closed periods that begin in a month, or that a filter names; ordered by tenant and
 * start.
 */
export async function readTargets(
  database: Database,
  wanted: string | TargetFilter,
): Promise<readonly PushTarget[]> {
  const { month, tenantId } =
    typeof wanted === 'string' ? { month: wanted, tenantId: null } : wanted;
  let query = database.kysely
    .selectFrom('closes')
    .innerJoin('periods', (join) =>
      join
        .onRef('periods.tenant_id', '=', 'closes.tenant_id')
        .onRef('periods.period_start', '=', 'closes.period_start'),
    )
    .innerJoin('tenants', 'tenants.tenant_id', 'closes.tenant_id')
    .select([
      'closes.tenant_id',
      // As it was frozen: what was closed in shadow is told by no later change of mode (R19).
      'closes.mode',
      // What was not told yet goes to the customer of today, so that a wrong or deleted one can be mended.
      'tenants.stripe_customer',
      'closes.stripe_customer as closed_for',
      'closes.period_start',
      'periods.starts_at',
      'periods.ends_at',
      'closes.currency',
      'closes.billable_micro',
      'closes.charge_total',
    ]);
  if (month !== null) {
    query = query.where(sql<boolean>`to_char(closes.period_start, 'YYYY-MM') = ${month}`);
  }
  if (tenantId !== null) query = query.where('closes.tenant_id', '=', tenantId);
  const rows = await query.orderBy('closes.tenant_id').orderBy('closes.period_start').execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    mode: row.mode,
    customer: row.stripe_customer,
    closedFor: row.closed_for,
    periodStart: row.period_start,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    currency: row.currency,
    billableMicro: row.billable_micro,
    chargeTotal: row.charge_total,
  }));
}
