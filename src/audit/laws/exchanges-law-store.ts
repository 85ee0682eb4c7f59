import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import { EXCHANGE_DIMENSIONS, EXCHANGES_OF_ENTRIES } from '../../ledger/rollups/rollup-store.ts';
import { VIOLATIONS_NAMED } from './law.ts';

/** Rows that were compared, and what differs in words. */
interface Differing {
  readonly rows: number;
  readonly differing: readonly string[];
}

/**
 * Compares how often each version of exchange rates converted a cost with the entries of these tenants, both ways; null
 * stands for every tenant, and then what the whole ledger counts is compared with what tenants do.
 */
export async function compareExchanges(
  database: Database,
  tenantIds: readonly string[] | null,
): Promise<Differing> {
  const those = tenantIds === null ? sql`true` : sql`tenant_id = any(${[...tenantIds]}::text[])`;
  const columns = EXCHANGE_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`).join(', ');
  const ofTenants = await differingRows(database, {
    table: 'exchange_rollups',
    rows: sql`select tenant_id, period_start, day, version_id, entries from exchange_rollups where ${those}`,
    sums: sql`select ${sql.raw(columns)}, count(*) as entries
      from (select * from entries_of_ledger() where further_tags ? 'cost_exchange' and ${those}) e ${sql.raw(EXCHANGES_OF_ENTRIES)}
      where not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)})
      group by 1, 2, 3, 4`,
  });
  if (tenantIds !== null) return ofTenants;
  const ofLedger = await differingRows(database, {
    table: 'ledger_exchange_rollups',
    rows: sql`select null::text as tenant_id, period_start, day, version_id, entries from ledger_exchange_rollups`,
    sums: sql`select null::text as tenant_id, period_start, day, version_id, sum(entries)::bigint as entries
      from exchange_rollups group by period_start, day, version_id`,
  });
  return {
    rows: ofTenants.rows + ofLedger.rows,
    differing: [...ofTenants.differing, ...ofLedger.differing],
  };
}

async function differingRows(
  database: Database,
  of: {
    readonly table: string;
    readonly rows: ReturnType<typeof sql>;
    readonly sums: ReturnType<typeof sql>;
  },
): Promise<Differing> {
  const { rows } = await sql<{ rows: bigint; said: readonly string[] | null }>`
    with kept as (${of.rows}), summed as (${of.sums}), differing as (
      (select 'entries' as side, x.* from (select * from summed except all select * from kept) x)
      union all
      (select ${sql.lit(of.table)}, x.* from (select * from kept except all select * from summed) x)
    )
    select (select count(*) from kept) as rows, (select array_agg(d.said) from (
      select side || ' of ' || coalesce('tenant "' || tenant_id || '"', 'all tenants') || ' period ' || period_start
        || ' day ' || day || ': ' || entries || ' entries by the exchange rates of version ' || version_id as said
      from differing order by tenant_id, period_start, day, version_id, side limit ${sql.lit(VIOLATIONS_NAMED)}) d)
      as said`.execute(database.kysely);
  const [row] = rows;
  return { rows: Number(row?.rows ?? 0n), differing: row?.said ?? [] };
}
