import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';

/** The open amounts of a customer who left, in one currency. */
export interface LeaverBalance {
  readonly tenantId: string;
  readonly leftAt: InstantMs;
  readonly currency: string | null;
  /**
   * What the last close carried on, and what came since; below zero it is owed to the customer. Of what is in shadow
   * nothing is due to either, but for what came late of months that were billed (R19).
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
 * Reads customers who left by now, in the order of their ids, with a row for each currency in which something was
 * closed or used, since no sum crosses currencies (R15); one without any has one row. It reads the rollups, so they
 * are folded before.
 */
export async function readLeavers(
  database: Database,
  now: InstantMs,
): Promise<readonly LeaverBalance[]> {
  const { rows } = await sql<LeaverRow>`
    select t.tenant_id, t.left_at, sums.currency, coalesce(sums.balance, 0)::numeric(38, 0) as balance,
      coalesce(sums.untold, 0)::numeric(38, 0) as untold
    from tenants t
    left join lateral (
      select s.currency, sum(s.balance) as balance, sum(s.untold) as untold
      from (
        (select distinct on (c.currency, c.mode) c.currency,
            case when c.mode = 'live' then c.carried_out else 0 end as balance, 0 as untold
          from closes c where c.tenant_id = t.tenant_id order by c.currency, c.mode, c.period_start desc)
        union all
        select c.currency, c.carried_out_due, 0 from closes c
          where c.tenant_id = t.tenant_id and c.carried_out_due <> 0 and not exists (select from closes l
            where l.tenant_id = c.tenant_id and l.mode = 'live' and l.currency = c.currency and l.period_start > c.period_start)
        union all
        select u.currency, case when t.mode = 'live' or u.late then u.charge - u.not_due_charge else 0 end, 0
          from usage_rollups u where u.tenant_id = t.tenant_id and not exists (
            select 1 from closes c where c.tenant_id = u.tenant_id and c.period_start = u.period_start)
        union all
        select p.currency, 0, p.billable * 1000000000000 from audit.periods p
          where p.tenant_id = t.tenant_id and p.told = 'untold'
      ) s group by s.currency
    ) sums on true
    where t.left_at <= ${formatInstant(now)} order by t.tenant_id, sums.currency collate "C"`.execute(
    database.kysely,
  );
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    leftAt: row.left_at,
    currency: row.currency,
    balance: row.balance,
    untold: row.untold,
  }));
}
