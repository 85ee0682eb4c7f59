import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/**
 * Reads the customers that a tenant was ever linked to, the one of today too. One that is another tenant's by now, or
 * was told of another's usage, is left out: what is counted for it is that one's.
 */
export async function readFormerCustomers(
  database: Database,
  tenantId: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ customer: string }>`
    select distinct kept ->> 'stripe_customer' as customer from changes
    where of_table = 'tenants' and row_key = jsonb_build_object('tenant_id', ${tenantId}::text)
      and kept ->> 'stripe_customer' is not null
      and not exists (select from tenants where stripe_customer = kept ->> 'stripe_customer' and tenant_id <> ${tenantId})
      and not exists (select from push_intents
        where stripe_customer = kept ->> 'stripe_customer' and tenant_id <> ${tenantId})
    order by 1`.execute(database.kysely);
  return rows.map(({ customer }) => customer);
}
