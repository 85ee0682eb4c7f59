import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';

export interface LeaverBalance {
  readonly tenantId: string;
  readonly leftAt: InstantMs;
  readonly currency: string | null;
  /**
   * What the last close carried on, and what came since; below zero it is owed to the customer. Of what is in shadow
   * nothing is due to either (R19).
   */
  readonly balance: Pico;
  readonly untold: Pico;
}

interface LeaverRow {
  readonly tenant_id: string;
  readonly left_at: InstantMs;
  readonly currency: string | null;
  readonly balance: bigint;
  readonly untold: bigint;
}

/**
 * Reads customers who left by now, in the order of their ids; from the rollups, so they are folded before.
 */
export async function readLeavers(
  database: Database,
  now: InstantMs,
): Promise<readonly LeaverBalance[]> {
  const { rows } = await sql<LeaverRow>`
    select t.tenant_id, t.left_at, coalesce(last.currency, running.currency) as currency,
      coalesce(billed.carried_out, 0) + coalesce(running.charge, 0) as balance,
      (select coalesce(sum(p.billable), 0) * 1000000000000 from audit.periods p
        where p.tenant_id = t.tenant_id and p.told = 'untold')::numeric(38, 0) as untold
    from tenants t
    left join lateral (
      select c.currency from closes c where c.tenant_id = t.tenant_id order by c.period_start desc limit 1
    ) last on true
    left join lateral (
      select c.carried_out from closes c where c.tenant_id = t.tenant_id and c.mode = 'live'
      order by c.period_start desc limit 1
    ) billed on true
    left join lateral (
      select min(u.currency) as currency,
        sum(case when t.mode = 'live' then u.charge - u.not_due_charge else 0 end) as charge from usage_rollups u
      where u.tenant_id = t.tenant_id and not exists (
        select 1 from closes c where c.tenant_id = u.tenant_id and c.period_start = u.period_start)
    ) running on true
    where t.left_at <= ${formatInstant(now)} order by t.tenant_id`.execute(database.kysely);
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    leftAt: row.left_at,
    currency: row.currency,
    balance: row.balance,
    untold: row.untold,
  }));
}
