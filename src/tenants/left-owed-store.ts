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
    from closes c
    where c.mode = 'live' and c.carried_out <= ${-PICO_PER_MICRO}::numeric
      and (${tenantId}::text is null or c.tenant_id = ${tenantId})
      and not exists (select from closes l where l.tenant_id = c.tenant_id and l.mode = 'live'
        and l.currency = c.currency and l.period_start > c.period_start)
      and coalesce((select sum(u.charge) from usage_rollups u where u.tenant_id = c.tenant_id
        and u.period_start > c.period_start and u.kind = 'adjustment' and u.currency <> c.currency), 0) >= 0
    order by c.tenant_id, c.currency`.execute(db);
  return rows;
}
