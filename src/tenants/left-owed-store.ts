import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { PICO_PER_MICRO } from '../money.ts';

/** The credit that the last live close in a currency carried on for a customer, in picodollars below zero. */
export interface StandingCredit {
  readonly tenant_id: string;
  readonly currency: string;
  readonly period_start: string;
  readonly carried_out: bigint;
}

/**
 * Reads the credits that the last live close in a currency carried on, of one tenant or of all. One against which a later
 * period has a credit in another currency was settled by it. What is below a micro-unit is only left from rounding.
 */
export async function readStandingCredits(
  db: Kysely<Tables>,
  tenantId: string | null,
): Promise<readonly StandingCredit[]> {
  const { rows } = await sql<StandingCredit>`
    select c.tenant_id, c.currency, to_char(c.period_start, 'YYYY-MM-DD') as period_start, c.carried_out
    from (
      select l.tenant_id, l.currency, l.period_start, l.mode, l.carried_out + coalesce((select sum(s.carried_out_due)
        from closes s where s.tenant_id = l.tenant_id and s.currency = l.currency and s.period_start > l.period_start), 0)::numeric(38, 0)
        as carried_out
      from closes l where l.mode = 'live'
    ) c
    where c.carried_out <= ${-PICO_PER_MICRO}::numeric
      and (${tenantId}::text is null or c.tenant_id = ${tenantId})
      and not exists (select from closes l where l.tenant_id = c.tenant_id and l.mode = 'live'
        and l.currency = c.currency and l.period_start > c.period_start)
      and coalesce((select sum(u.charge) from usage_rollups u where u.tenant_id = c.tenant_id
        and u.period_start > c.period_start and u.kind = 'adjustment' and u.currency <> c.currency), 0) >= 0
    order by c.tenant_id, c.currency`.execute(db);
  return rows;
}

/** What is due of months that were billed, or owed for them, while no live close of a tenant came since; below zero it is owed to it. */
interface WaitingDue {
  readonly tenant_id: string;
  readonly mode: 'shadow' | 'live';
  readonly currency: string;
  /** The last period that carried some of it on. */
  readonly period_start: string;
  readonly amount: bigint;
}

/** Reads what months in shadow carry on to a bill, and the credits that stood when they began. */
export async function readWaitingDue(db: Kysely<Tables>): Promise<readonly WaitingDue[]> {
  const { rows } = await sql<WaitingDue>`
    select t.tenant_id, t.mode, c.currency, to_char(max(c.period_start), 'YYYY-MM-DD') as period_start,
      sum(case when c.mode = 'live' then c.carried_out else c.carried_out_due end)::numeric(38, 0) as amount
    from closes c join tenants t on t.tenant_id = c.tenant_id
    where (c.carried_out_due <> 0 or c.mode = 'live' and c.carried_out <= ${-PICO_PER_MICRO}::numeric)
      and not exists (select from closes l where l.tenant_id = c.tenant_id and l.mode = 'live'
        and l.currency = c.currency and l.period_start > c.period_start)
    group by t.tenant_id, t.mode, c.currency
    having abs(sum(case when c.mode = 'live' then c.carried_out else c.carried_out_due end)) >= ${PICO_PER_MICRO}::numeric
      and coalesce((select sum(u.charge) from usage_rollups u where u.tenant_id = t.tenant_id
        and u.period_start > max(c.period_start) and u.kind = 'adjustment' and u.currency <> c.currency), 0) <= 0
    order by t.tenant_id, c.currency`.execute(db);
  return rows;
}
