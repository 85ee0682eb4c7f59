import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** So many entries of a tenant are read and sorted sooner than the newest of the ledger are looked through for its own. */
const FEW = 50_000;

/**
 * Returns by what entries of a tenant, or of all, are ordered. Postgres would look through the ledger from its end for
 * whatever tenant, and to its beginning for one that was busy long ago; so the key of a small one is taken by force.
 * How many entries a tenant has, the rollups say.
 */
export async function entryOrder(
  database: Database,
  tenantId: string | null,
): Promise<RawBuilder<bigint>> {
  if (tenantId === null) return sql<bigint>`entry_id`;
  const { rows } = await sql<{ is_few: boolean }>`
    select coalesce(sum(abs(entries)), 0) <= ${sql.lit(FEW)} as is_few from usage_rollups
    where tenant_id = ${tenantId}`.execute(database.kysely);
  return rows[0]?.is_few === true ? sql<bigint>`entry_id + 0` : sql<bigint>`entry_id`;
}
