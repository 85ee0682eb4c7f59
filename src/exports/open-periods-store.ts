import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/**
 * Reads the periods that begin in a month and are not closed, by tenant; of one tenant if one is
 * given.
 */
export async function readOpenPeriods(
  database: Database,
  of: { readonly month: string; readonly tenantId: string | null },
): Promise<readonly { readonly tenantId: string; readonly periodStart: string }[]> {
  const { rows } = await sql<{ readonly tenantId: string; readonly periodStart: string }>`
    select p.tenant_id as "tenantId", p.period_start::text as "periodStart" from periods p
    where to_char(p.period_start, 'YYYY-MM') = ${of.month}
      and (${of.tenantId}::text is null or p.tenant_id = ${of.tenantId})
      and not exists (
        select 1 from closes c where c.tenant_id = p.tenant_id and c.period_start = p.period_start)
    order by p.tenant_id, p.period_start`.execute(database.kysely);
  return rows;
}
